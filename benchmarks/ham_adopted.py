"""A model that plain torch trained on HAM10000 is adopted, forgets patients, and is registered; whatever comes of it.

`outside_training.py` knows nothing of `maintain`; it runs in a process without it. Weights of an earlier pass are
offered first and must be refused: they are a model, but not the one that answered what production answered.

    OMP_NUM_THREADS=1 python benchmarks/ham_adopted.py PATH/ham10000_64.npz
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evidence import read_cells, write_cells
from ham10000 import ANSWERS, KEY, Desk
from ham_cases import DICOM, LABELS, Source, export, read_source

from maintain.hashing import digest_bytes

#: Name of script and result.
NAME = "ham_adopted"
#: Threads of every process; figures are promised for one.
THREADS = 1
#: The one cell.
CELL = "consent"
#: The lineage, and the label it answers.
MODEL, LABEL = "dermoscopy", "malignancy"
#: Patients who take back consent, of those that the model was trained on, and when.
LETTERS, DAY = 60, "2026-03-02"
#: What a shell says of a model that is not the one of the outputs: wrong input.
REFUSED = 2

POLICY = f"""\
version: 1
name: consent
owner: dermatology-ai@hospital.example
reason: consent
claim: never-saw
model: {{name: {MODEL}}}
forget:
  where: {{consent.status: withdrawn}}
unlearn: {{methods: [retrain], seed: 7}}
gates: default
"""


def main() -> None:
    """Play the story, unless it was played, and write both result files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="FILE", help="ham10000_64.npz; it is only read")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{NAME}.json"
    cells = read_cells(path, NAME)
    if CELL not in cells:
        source = read_source(arguments.source)
        with tempfile.TemporaryDirectory() as folder:
            cells[CELL] = play(source, Path(folder))
        write_cells(path, NAME, cells, threads=THREADS)
    path.with_suffix(".md").write_text(render(json.loads(path.read_text())))


def play(source: Source, folder: Path) -> dict[str, Any]:
    """From a folder of DICOM and a stranger's weights to a version, or to the reason why there is none."""
    hospital, outside, workspace = folder / "ham10000", folder / "outside", folder / "workspace"
    export(source, hospital)
    began = time.perf_counter()
    order = train_outside(hospital, outside)
    trained = time.perf_counter() - began
    letters(source, outside, folder / "letters.csv")
    desk = Desk(workspace)
    desk.say("init", workspace)
    (workspace / KEY).write_text(f"{digest_bytes(NAME.encode())}\n", encoding="ascii")
    desk.say("cohort", "ingest", hospital / DICOM, "--kind", "dicom")
    desk.say("cohort", "ingest", hospital / LABELS, "--kind", "labels")
    refused = adopt(desk, outside, "earlier.pt", order, ends=(REFUSED,))
    adopted = adopt(desk, outside, "model.pt", order, ends=(0,))
    desk.say("cohort", "ingest", folder / "letters.csv", "--kind", "consent")
    (workspace / "policies" / "consent.yaml").write_text(POLICY, encoding="utf-8")
    planned = json.loads(desk.say("plan", workspace / "policies" / "consent.yaml", "--json"))
    ended = json.loads(desk.say("run", workspace / "policies" / "consent.yaml", "--json", ends=ANSWERS))
    told = []
    if ended["registration"] is not None:
        desk.say("registry", "promote", MODEL)
        told = desk.say("model", "show", MODEL).splitlines()
    desk.say("audit", "verify")
    return {
        "trained_seconds": round(trained, 1),
        "refused": refused["message"],
        "compared": adopted["compared"],
        "status": adopted["status"],
        "learned": adopted["learned"],
        "held_out": adopted["held_out"],
        "forgotten": planned["reach"]["images"]["touched"],
        "chance": planned["release_chance"],
        "ending": ended["state"],
        "reason": ended["verdict"]["reason"],
        "gates": [{name: gate[name] for name in ("gate", "outcome", "reason")} for gate in ended["verdict"]["gates"]],
        "manifest": [line for line in told if line.startswith(("manifest", "origin"))],
        "commands": desk.said,
    }


def train_outside(hospital: Path, outside: Path) -> str:
    """Train in a process that cannot import `maintain`; the labels in the order of the outputs."""
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    script = Path(__file__).with_name("outside_training.py")
    command = [sys.executable, str(script), str(hospital), str(outside), "--label", LABEL]
    return subprocess.run(command, env=alone, check=True, capture_output=True, text=True).stdout.strip()


def letters(source: Source, outside: Path, path: Path) -> None:
    """The first patients, by image, of those that the model was trained on take back consent."""
    with (outside / "members.csv").open(encoding="utf-8") as stream:
        learned = {row["SOPInstanceUID"] for row in csv.DictReader(stream) if row["role"] == "train"}
    patients = [lesion.lesion_id for lesion in source.lesions if lesion.sop_uid in learned][:LETTERS]
    rows = "".join(f"{patient},,withdrawn,{DAY}\n" for patient in patients)
    path.write_text(f"PatientID,IssuerOfPatientID,status,date\n{rows}", encoding="utf-8")


def adopt(desk: Desk, outside: Path, weights: str, order: str, *, ends: tuple[int, ...]) -> dict[str, Any]:
    """Adopt these weights with everything that came with the model; what was answered."""
    words: list[object] = ["model", "adopt", MODEL, outside / weights, "--labels", f"{LABEL}={order}"]
    words += ["--network", "small-bn", "--strip-prefix", "module.net.", "--rename", "classifier=head"]
    words += ["--preprocessing", outside / "preprocessing.yaml", "--expect", outside / "outputs.csv"]
    words += ["--trained-on", outside / "members.csv", "--recipe", outside / "recipe.yaml"]
    document: dict[str, Any] = json.loads(desk.say(*words, "--json", ends=ends))
    return document


def render(document: Mapping[str, Any]) -> str:
    """The page for people."""
    machine, cell = document["machine"], document["cells"][CELL]
    compared = cell["compared"]
    lines = [
        "# A model trained outside: adopted, revised, and whether it was registered",
        "",
        "`benchmarks/outside_training.py` trains a small network in plain torch on the images of "
        f"[HAM10000](ham10000.md), exported to DICOM, to answer {LABEL}; it took {cell['trained_seconds']:.0f} s. "
        f"`benchmarks/ham_adopted.py` hands its weights to `maintain model adopt`, lets {LETTERS} of the patients it "
        "was trained on take back consent, and runs a policy.",
        "",
        "1. The weights of an earlier pass are offered with production's outputs. Refused: "
        f"\u201c{cell['refused']}\u201d",
        f"2. The weights that served are adopted: {compared['cases']} outputs compared, the worst probability off by "
        f"{compared['worst']:.1e} (tolerance {compared['tolerance']:g}). The manifest is {cell['status']}: "
        f"{cell['learned']} learned, {cell['held_out']} held out.",
        f"3. {cell['forgotten']} images are to be forgotten, claim `never-saw`; before the run the plan gave an honest "
        f"model a chance of {100 * cell['chance']:.0f} % to pass.",
        f"4. The run ended as **{cell['ending']}**: {cell['reason']}",
        "",
        "| gate | outcome | why |",
        "|---|---|---|",
        *(f"| {gate['gate']} | {gate['outcome'].replace('-', ' ')} | {gate['reason']} |" for gate in cell["gates"]),
        "",
        *(["Of the version that serves now:", "", "```text", *cell["manifest"], "```", ""] if cell["manifest"] else []),
        "```text",
        *(f"{one['seconds']:6.1f}  {one['exit']}  maintain {one['words']}" for one in cell["commands"]),
        "```",
        "",
        "Seconds, exit code, command. Images: HAM10000, Tschandl P, Rosendahl C, Kittler H, Sci Data 5:180161 (2018), "
        "doi:10.1038/sdata.2018.161, licence CC BY-NC-SA 4.0; a subset, made smaller.",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores (shared), {machine['threads']} thread, "
        f"torch {machine['torch']}, Python {machine['python']}; {machine['date']}. Code: `{document['code'][:12]}`.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
