"""Minutes and bytes to expect of a plan, by what earlier runs of this workspace recorded; never a figure without one.

Seconds grow with steps and with answers, so a recorded rate times the planned amount says what to expect. A part of
which no run tells is "not known", and so then is the whole. Sizes of weights and lists are exact.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from maintain import codec
from maintain.errors import InputError
from maintain.records import MethodRequest, ModelSpec, Plan
from maintain_pipelines.champions import WEIGHTS_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.cost import RETRAIN, MethodCost, never_saw
from maintain_pipelines.measuring import RECALIBRATION, asks_for, lineage_roles, measured_roles
from maintain_pipelines.recorded import ANSWERS, CLOSING, Lap, Recorded, read_recorded, stage_kind, training_kind
from maintain_pipelines.references import ReferenceCost, asks_for_references
from maintain_pipelines.references.naming import REFERENCES
from maintain_pipelines.select import Selection


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds by the fastest and by the slowest of the runs that tell."""

    least: float
    most: float
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work of a run: what is known of it, and how long it took before; None where no run tells."""

    name: str
    known: str
    seconds: Range | None


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of a run: at least, at most, and how many are free.

    At least are its lists and one candidate, at most a candidate a slot, a version and every missing reference.
    `measured` says whether `most` holds the measurements too, whose size only recorded runs tell.
    """

    weights: int
    least: int
    most: int
    measured: bool
    free: int

    @property
    def fits(self) -> bool:
        """Whether the most that is known of would fit."""
        return self.most <= self.free


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run would take. `whole` is None where a training or a verdict that it may need is not known.

    A closing stage of which no run tells is left out of `whole` and named among `unknown`.
    """

    parts: tuple[Part, ...]
    whole: Range | None
    disk: Disk

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parts of which no recorded run tells."""
        return tuple(part.name for part in self.parts if part.seconds is None)


def expect(
    selection: Selection, costs: tuple[MethodCost, ...], references: ReferenceCost | None, context: Context
) -> Expected:
    """What a run of this plan would take here."""
    plan, spec = selection.plan, selection.champion.spec
    recorded = read_recorded(plan.environment, spec, context)
    asked = zip(costs, plan.slots[0].methods, strict=True)
    methods = [
        (_method(cost, request, spec, recorded), never_saw(request)) for cost, request in asked if not cost.blocked
    ]
    answers = answers_of(selection)
    missing = references.missing if references else 0
    beside = _references(references, spec, recorded) if references and missing else None
    verify = Part("verify", f"at most {answers} answers", _scaled(recorded.of(ANSWERS), answers))
    closing = tuple(Part(stage, "once", _scaled(recorded.of(stage_kind(stage)), 1)) for stage in CLOSING)
    again = _again(plan, costs, spec, recorded, verify)
    parts = (*(part for part, _ in methods), *((beside,) if beside else ()), verify, *again, *closing)
    shortest = _shortest(methods, beside)
    return Expected(
        parts=parts,
        whole=_whole((*shortest, verify, *closing), parts) if shortest else None,
        disk=disk_of(selection, context, missing=missing, recorded=recorded),
    )


def answers_of(selection: Selection) -> int:
    """The most answers that a verdict measures: of candidate, champion, references and the lineage's first version."""
    plan, roles = selection.plan, selection.roles
    subjects = 2 + asks_for(plan, RECALIBRATION) + (REFERENCES if asks_for_references(plan) else 0)
    first = 0 if selection.champion.version.parent is None else len(roles.of(*lineage_roles(plan)))
    return subjects * len(roles.of(*measured_roles(plan))) + first


def disk_of(selection: Selection, context: Context, *, missing: int = 0, recorded: Recorded | None = None) -> Disk:
    """The bytes that a run of this plan leaves below the workspace, and those that are free there.

    A server keeps its versions itself. Checkpoints of an unfinished training come on top while it lasts.
    """
    plan, version = selection.plan, selection.champion.version
    weights = len(context.store.get(version.model, version.version).read(WEIGHTS_FILE))
    described = weights + len(codec.to_text(selection.champion.manifest).encode())
    lists = len(codec.to_text(selection.roles).encode())
    slots = 1 if len(plan.slots[0].methods) == 1 else len(plan.slots)
    versions = 0 if context.workspace.settings.registry.uri else 1
    rates = recorded.bytes_per_answer if recorded else ()
    measured = round(max(rates) * answers_of(selection) * slots) if rates else 0
    return Disk(
        weights=weights,
        least=lists + weights,
        most=lists + described * (slots + versions + missing) + measured,
        measured=bool(rates),
        free=shutil.disk_usage(context.workspace.root).free,
    )


def refuse_full_disk(selection: Selection, context: Context) -> None:
    """Raise `InputError` where not even one candidate and the lists of the run would fit: before any is written."""
    if selection.nothing_learned:
        return
    disk = disk_of(selection, context)
    if disk.free < disk.least:
        raise InputError(
            f"The run needs {disk.least} bytes at least, and {disk.free} are free below the workspace.",
            remedy="Free some, for example by `maintain registry retire --destroy` of versions that nobody needs, or"
            " move the workspace to a larger disk; nothing was begun.",
        )


# --- private ---------------------------------------------------------------------------------------


def _method(cost: MethodCost, request: MethodRequest, spec: ModelSpec, recorded: Recorded) -> Part:
    if cost.steps is None:
        return Part(cost.told, "its steps are known once it has run", None)
    known = f"{cost.steps} steps, a gradient pass over a batch each" if cost.steps else "no step"
    return Part(cost.told, known, _scaled(recorded.of(training_kind(request, spec)), cost.steps))


def _references(cost: ReferenceCost, spec: ModelSpec, recorded: Recorded) -> Part:
    steps = cost.missing * cost.steps
    laps = recorded.of(training_kind(MethodRequest(RETRAIN, ()), spec))
    return Part("references", f"{cost.missing} of {cost.steps} steps each", _scaled(laps, steps))


def _again(
    plan: Plan, costs: tuple[MethodCost, ...], spec: ModelSpec, recorded: Recorded, verify: Part
) -> tuple[Part, ...]:
    """What a refused first slot makes necessary: the way out, and another verdict."""
    if len(plan.slots[0].methods) == 1:
        return ()
    (way_out,) = plan.slots[-1].methods
    steps = next((cost.steps for cost in costs if cost.method == way_out.name and cost.steps is not None), None)
    laps = recorded.of(training_kind(way_out, spec))
    seconds = None if steps is None else _scaled(laps, steps)
    known = "its steps are known once it has run" if steps is None else f"{steps} steps"
    return (
        Part(f"slot 2: {way_out.name}", f"{known}, where slot 1 is refused", seconds),
        Part("slot 2: verify", f"{verify.known}, where slot 1 is refused", verify.seconds),
    )


def _scaled(laps: Iterable[Lap], units: int) -> Range | None:
    """Recorded seconds for each unit times the units; for work without units the seconds themselves."""
    told = [lap for lap in laps if bool(lap.units) == bool(units)]
    if not told:
        return None
    seconds = [lap.seconds * units / lap.units if units else lap.seconds for lap in told]
    return Range(min(seconds), max(seconds), tuple(dict.fromkeys(lap.run for lap in told)))


def _shortest(methods: list[tuple[Part, bool]], references: Part | None) -> tuple[Part, ...]:
    """The first method alone, with the references it has to be compared with unless it was trained anew."""
    if not methods:
        return ()
    part, anew = methods[0]
    return (part,) if anew or references is None else (part, references)


def _whole(shortest: tuple[Part, ...], parts: tuple[Part, ...]) -> Range | None:
    known = [part.seconds for part in parts if part.seconds is not None]
    if any(part.seconds is None and part.name not in CLOSING for part in parts):
        return None
    runs = dict.fromkeys(run for seconds in known for run in seconds.runs)
    least = sum(part.seconds.least for part in shortest if part.seconds is not None)
    return Range(least, sum(seconds.most for seconds in known), tuple(runs))
