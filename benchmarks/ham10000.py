"""The tutorial's path on real data: HAM10000, four real devices, one of them forgotten; the verdict, whatever it is.

Each story is a workspace of its own and a dozen command lines, each in a process of its own: read in a folder of
DICOM and a table of labels, train, plan, forget, read the verdict. Nothing here judges: figures are counted from
the measurements that the run itself left. The images stay where they were named; only counts and shares are written.

    OMP_NUM_THREADS=1 python benchmarks/ham10000.py PATH/ham10000_64.npz
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from evidence import read_cells, write_cells
from ham_cases import DICOM, LABELS, Lesion, Source, export, read_source
from ham_page import ALL, render

from maintain import codec
from maintain.hashing import digest_bytes, short
from maintain.intake import load_pseudonyms
from maintain.records import Candidate, Measurement, Measurements, Verdict
from maintain.vocabulary import Role

#: What is written of one story.
Cell: TypeAlias = dict[str, Any]

#: Name of script and result.
NAME = "ham10000"
#: Threads of every process; figures are promised for one.
THREADS = 1
#: The lineage, its snapshot, and how its patients are shared out: as many held out as learned from.
MODEL, SNAPSHOT = "dermoscopy", "first"
SHARES = ("--train", "6", "--validation", "1", "--holdout", "6")
#: The key of pseudonyms, which decides who is held out: a known one here, so that the same can be measured again.
KEY = "keys/pseudonym.key"
#: Passes of the champion's training; it then answers nearly all it learned from right.
EPOCHS = 15
#: Exit codes that are an answer: passed, failed, could not be evaluated.
ANSWERS = (0, 1, 3)
#: The command line, in a process of its own.
PROGRAM = (sys.executable, "-c", "from maintain.cli.app import main; main()")
#: Whom figures are told of: a word, and the role in the run.
ARMS: tuple[tuple[str, Role], ...] = (
    ("forgotten", Role.FORGET),
    ("never seen, of the group", Role.NEVER_SEEN),
    ("held out, retained", Role.HOLDOUT),
)
#: The model that serves.
CHAMPION = "champion"
POLICY = """\
version: 1
name: {name}
owner: dermatology-ai@hospital.example
reason: {reason}
claim: {claim}
model: {{name: {model}}}
forget:
  where: {where}
limits: {{max_percent: 40}}
unlearn: {{methods: {methods}, seed: 7}}
gates: {gates}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One policy on one champion."""

    name: str
    where: str
    claim: str
    reason: str = "device-deprecated"
    methods: str = "auto"
    label: str = "diagnosis"
    gates: str = "default"

    @property
    def policy(self) -> str:
        """The policy file."""
        return POLICY.format(
            name=self.name,
            reason=self.reason,
            claim=self.claim,
            model=MODEL,
            where=self.where,
            methods=self.methods,
            gates=self.gates,
        )


STORIES = (
    Story(
        name="rosendahl",
        where="{device.model: rosendahl}",
        claim="group",
    ),
    Story(
        name="vidir-modern",
        where="{device.model: vidir_modern}",
        claim="group",
    ),
    Story(
        name="seventy",
        where="{patient.age: {ge: 70}}",
        claim="examples",
        reason="outlier",
    ),
    Story(
        name="vienna-dias",
        where="{device.model: vienna_dias}",
        claim="never-saw",
        methods="[retrain]",
    ),
    Story(
        name="rosendahl-malignancy",
        where="{device.model: rosendahl}",
        claim="group",
        label="malignancy",
        gates="[default, {retention: {margin: 0.1, lineage_margin: 0.1}}]",
    ),
    Story(
        name="seventy-retrain",
        where="{patient.age: {ge: 70}}",
        claim="examples",
        reason="outlier",
        methods="[retrain]",
    ),
)


class Desk:
    """Command lines in one workspace, and how each ended."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.said: list[dict[str, Any]] = []

    def say(self, *words: object, ends: Sequence[int] = (0,)) -> str:
        """Run one command line; what it answered. Raises `SystemExit` where it ended otherwise than it may."""
        line = [str(word) for word in words]
        place = [] if line[0] == "init" else ["--workspace", str(self.workspace)]
        began = time.perf_counter()
        ended = subprocess.run([*PROGRAM, *place, *line], capture_output=True, text=True, check=False, env=_quiet())
        seconds = time.perf_counter() - began
        if ended.returncode not in ends:
            raise SystemExit(f"maintain {' '.join(line)} ended with {ended.returncode}: {ended.stderr}{ended.stdout}")
        told = [Path(word).name if word.startswith("/") else word for word in line]
        self.said.append({"words": " ".join(told), "exit": ended.returncode, "seconds": round(seconds, 1)})
        return ended.stdout


def main() -> None:
    """Play the missing stories and write both result files after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="FILE", help="ham10000_64.npz; it is only read")
    parser.add_argument("--stories", nargs="+", default=[story.name for story in STORIES], metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    missing = [story for story in STORIES if story.name in arguments.stories and story.name not in cells]
    source = read_source(arguments.source)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "ham10000"
        if missing:
            export(source, exported)
        for story in missing:
            cells[story.name] = play(story, source, exported, Path(folder) / story.name)
            write_cells(path, NAME, cells, threads=THREADS)
            print(f"{story.name}: {cells[story.name]['ending']} {cells[story.name]['seconds']:.0f} s")
    path.with_suffix(".md").write_text(render(json.loads(path.read_text())))


def play(story: Story, source: Source, exported: Path, workspace: Path) -> Cell:
    """One story from the folder of DICOM to the verdict, and what can be counted of it."""
    desk, began = Desk(workspace), time.perf_counter()
    desk.say("init", workspace)
    (workspace / KEY).write_text(f"{digest_bytes(NAME.encode())}\n", encoding="ascii")
    desk.say("cohort", "ingest", exported / DICOM, "--kind", "dicom")
    desk.say("cohort", "ingest", exported / LABELS, "--kind", "labels")
    desk.say("cohort", "split", MODEL, *SHARES)
    desk.say("cohort", "snapshot", SNAPSHOT, "--model", MODEL, "--label", story.label)
    trained = desk.say("model", "train", MODEL, "--snapshot", SNAPSHOT, "--epochs", EPOCHS, "--json")
    policy = workspace / "policies" / f"{story.name}.yaml"
    policy.write_text(story.policy, encoding="utf-8")
    desk.say("policy", "validate", policy)
    planned = json.loads(desk.say("plan", policy, "--json"))
    ended = json.loads(desk.say("run", policy, "--json", ends=ANSWERS))
    if ended["registration"] is not None:
        desk.say("registry", "promote", MODEL)
    desk.say("runs", "show", ended["run"], ends=ANSWERS)
    desk.say("report", ended["run"])
    desk.say("audit", "verify")
    run = workspace / "runs" / ended["run"]
    return {
        "story": {name: getattr(story, name) for name in ("claim", "where", "methods", "gates", "label")},
        "ending": ended["state"],
        "reason": ended["verdict"]["reason"],
        "plan": _plan_told(planned),
        "training": {name: json.loads(trained)[name] for name in ("learned", "training_accuracy")},
        "candidates": _candidates(run),
        "figures": _figures(run, workspace / KEY, source),
        "commands": desk.said,
        "seconds": round(time.perf_counter() - began, 1),
    }


# --- private ---------------------------------------------------------------------------------------


def _quiet() -> dict[str, str]:
    """This process's packages, and one thread."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": str(THREADS)}


def _plan_told(planned: Mapping[str, Any]) -> Cell:
    """What was known beforehand."""
    asked = ("gate", "what", "cases", "positives", "chance", "smallest_visible")
    return {
        "chance": planned["release_chance"],
        "labels": {one["name"]: [one["touched"], one["learned"]] for one in planned["reach"]["labels"]},
        "prospects": [{name: one[name] for name in asked} for one in planned["prospects"]],
    }


def _candidates(run: Path) -> list[Cell]:
    """What was offered to the gates, in its order, and how each gate ended."""
    offered = []
    for candidate, verdict in _slots(run):
        gates = [
            {
                "gate": gate.gate,
                "outcome": gate.outcome.value,
                "decisive": gate.decisive,
                "reason": gate.reason,
                "figures": [codec.encode(figure) for figure in gate.figures if figure.limit is not None],
            }
            for gate in verdict.gates
        ]
        offered.append({"method": candidate.method, "outcome": verdict.outcome.value, "gates": gates})
    return offered


def _slots(run: Path) -> Iterable[tuple[Candidate, Verdict]]:
    for slot in ("", "b"):
        if (run / f"03{slot}-verdict.json").is_file():
            yield (
                codec.read(run / f"02{slot}-candidate.json", Candidate),
                codec.read(run / f"03{slot}-verdict.json", Verdict),
            )


def _figures(run: Path, key: Path, source: Source) -> Cell:
    """Of each model, by arm and by diagnosis in it: how many were answered right, of how many."""
    pseudonyms = load_pseudonyms(key)
    lesions = {pseudonyms.uid("instance", lesion.sop_uid): lesion for lesion in source.lesions}
    slots = tuple(_slots(run))
    names = {candidate.parent_weights: CHAMPION for candidate, _ in slots}
    names |= {candidate.weights: candidate.method for candidate, _ in slots}
    for _, verdict in slots:
        for number, digest in enumerate(verdict.references, start=1):
            names.setdefault(digest, f"reference {number}")
    tables = [codec.read(run / f"measurements-{short(one.measurements)}.jsonl", Measurements).rows for _, one in slots]
    told: Cell = {}
    for digest, name in names.items():
        rows = {(row.role, row.case_id): row for table in tables for row in table if row.weights == digest}
        told[name] = _counts(tuple(rows.values()), lesions)
    return told


def _counts(rows: Sequence[Measurement], lesions: Mapping[str, Lesion]) -> Cell:
    """[right, cases] of every arm, of its diagnoses, and of its devices where there is more than one."""
    counted: Cell = {}
    for arm, role in ARMS:
        of_arm = [(lesions[row.case_id], _is_right(row)) for row in rows if row.role is role]
        several = len({lesion.device for lesion, _ in of_arm}) > 1
        groups: dict[str, list[bool]] = {}
        for lesion, right in of_arm:
            devices = (lesion.device, f"{lesion.device}, {lesion.diagnosis}") if several else ()
            for group in (ALL, lesion.diagnosis, *devices):
                groups.setdefault(group, []).append(right)
        counted[arm] = {group: [sum(found), len(found)] for group, found in sorted(groups.items())}
    return counted


def _is_right(row: Measurement) -> bool:
    return row.logits.index(max(row.logits)) == row.label[0]


if __name__ == "__main__":
    main()
