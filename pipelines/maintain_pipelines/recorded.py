"""How long earlier runs of a workspace took, and what their folders hold: read from `run.log` and the files beside it.

Only runs that computed where a plan would compute now, on the same network, say anything about it; a slot that was
interrupted says nothing, since a part of its seconds is not in the log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from maintain import codec
from maintain.errors import MaintainError
from maintain.records import Environment, MethodRequest, ModelSpec, Plan, Verdict
from maintain_pipelines import journal
from maintain_pipelines.champions import SPEC_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.cost import RETRAIN
from maintain_pipelines.rundir import LOG, PLAN, VERDICT, RunFolder
from maintain_pipelines.runlog import REFERENCES_TRAINED, TRIED

#: What a training must share with another for its seconds to say something: its method and the sizes of its batches.
Kind: TypeAlias = tuple[object, ...]

#: The stages after a verdict; a larger plan hardly makes them longer.
CLOSING = ("register", "report")


@dataclass(frozen=True, slots=True)
class Lap:
    """Seconds that a run spent on so many units of one kind of work: steps, answers, or one stage."""

    run: str
    kind: Kind
    units: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """Every lap of the runs that computed like this, and the bytes that each verdict kept of an answer."""

    laps: tuple[Lap, ...]
    bytes_per_answer: tuple[float, ...]

    def of(self, kind: Kind) -> tuple[Lap, ...]:
        """The laps of one kind."""
        return tuple(lap for lap in self.laps if lap.kind == kind)


def training_kind(request: MethodRequest, spec: ModelSpec) -> Kind:
    """What a training by this request is compared with. A retrain takes the batches of the model's recipe."""
    sizes = tuple((setting.name, setting.value) for setting in request.options if "batch" in setting.name)
    return ("training", request.name, sizes, spec.recipe.batch_size if spec.recipe else None)


#: Answers of weights about cases, and stages that take as long whatever the plan.
ANSWERS: Kind = ("answers",)


def stage_kind(stage: str) -> Kind:
    """The kind of a whole stage."""
    return ("stage", stage)


def read_recorded(environment: Environment, spec: ModelSpec, context: Context) -> Recorded:
    """What the runs of this workspace recorded that computed here on this network; lost folders say nothing."""
    with context.database.read() as unit:
        names = [row.run for row in journal.runs(unit)]
    laps: list[Lap] = []
    sizes: list[float] = []
    for name in names:
        folder = RunFolder(context.workspace.runs / name)
        try:
            plan = codec.read(folder.file(PLAN), Plan)
            lines = _lines(folder)
        except (MaintainError, OSError, ValueError):
            continue
        if _place(plan.environment) != _place(environment) or _moved(lines):
            continue
        for slot in (replace(folder, slot=slot.number) for slot in plan.slots):
            told = [line for line in lines if line.get("slot") == slot.slot]
            laps += _laps(name, plan, slot, told, spec)
            sizes += _sizes(slot, spec)
    return Recorded(tuple(laps), tuple(sizes))


# --- private ---------------------------------------------------------------------------------------


def _place(environment: Environment) -> tuple[object, ...]:
    """What decides how fast the same work is."""
    known = environment
    return (known.machine, known.processor, known.device, known.threads, known.precision)


def _lines(folder: RunFolder) -> list[dict[str, Any]]:
    text = (folder.path / LOG).read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if isinstance(line, dict)]


def _moved(lines: list[dict[str, Any]]) -> bool:
    """Whether the run went on in another environment."""
    return any(line.get("event") == "resumed" and line.get("drift") for line in lines)


def _laps(run: str, plan: Plan, folder: RunFolder, lines: list[dict[str, Any]], spec: ModelSpec) -> Iterator[Lap]:
    made = _spec_of(folder)
    if made is None or (made.network, made.input_shape) != (spec.network, spec.input_shape):
        return
    begun = Counter(line.get("event") for line in lines)
    if begun["unlearn-begun"] == 1:
        yield from _trainings(run, plan, folder.slot, lines, made)
    answers = _answers(folder)
    for line in lines:
        stage = str(line.get("event", "")).removesuffix("-ended")
        if not _timed(line):
            continue
        if stage == "verify" and answers and begun["verify-begun"] == 1:
            yield Lap(run, ANSWERS, answers, line["seconds"])
        elif stage in CLOSING:
            yield Lap(run, stage_kind(stage), 1, line["seconds"])


def _trainings(run: str, plan: Plan, slot: int, lines: list[dict[str, Any]], spec: ModelSpec) -> Iterator[Lap]:
    """Methods are tried in the order of the plan, so the lines need not repeat their options."""
    requests = plan.slots[slot - 1].methods
    tried = [line for line in lines if line.get("event") == TRIED]
    for request, line in zip(requests, tried, strict=False):
        if line.get("method") == request.name and line.get("made") and _timed(line):
            yield Lap(run, training_kind(request, spec), int(line["steps"]), line["seconds"])
    anew = MethodRequest(RETRAIN, ())
    for line in lines:
        if line.get("event") == REFERENCES_TRAINED and _timed(line):
            yield Lap(run, training_kind(anew, spec), int(line["steps"]), line["seconds"])


def _timed(line: dict[str, Any]) -> bool:
    return isinstance(line.get("seconds"), float | int)


def _spec_of(folder: RunFolder) -> ModelSpec | None:
    try:
        return codec.read(folder.file(f"02-{SPEC_FILE}"), ModelSpec)
    except MaintainError:
        return None


def _answers(folder: RunFolder) -> int:
    """How many answers the verdict of a slot rests on: a line each in the table, after its head."""
    path = _measurements(folder)
    if path is None:
        return 0
    with path.open("rb") as stream:
        return max(sum(1 for _ in stream) - 1, 0)


def _measurements(folder: RunFolder) -> Path | None:
    try:
        verdict = codec.read(folder.file(VERDICT), Verdict)
    except MaintainError:
        return None
    path = folder.table("measurements", verdict.measurements)
    return path if path.is_file() else None


def _sizes(folder: RunFolder, spec: ModelSpec) -> Iterator[float]:
    """Bytes of the folder's measurements for each answer in them."""
    made, path, answers = _spec_of(folder), _measurements(folder), _answers(folder)
    if made is not None and path is not None and answers and made.label_order == spec.label_order:
        yield path.stat().st_size / answers
