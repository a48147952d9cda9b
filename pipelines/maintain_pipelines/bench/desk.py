"""A champion in a registry of its own, with the plans that would revise it: where forged folders are laid down.

Everything that `gather` may open is here and is honest. A database and a ledger are not: whoever touched them
while judging would stop the trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from safetensors.torch import save as save_safetensors

from maintain import __version__, codec
from maintain.arrays import ArrayStore, Pixels
from maintain.clock import SystemClock
from maintain.errors import RefusedError
from maintain.gates import gates_for, gates_of, request_for
from maintain.hashing import Digest, digest_bytes
from maintain.imaging import MemoryPixels
from maintain.records import (
    CaseRef,
    Environment,
    MethodRequest,
    ModelSpec,
    ModelVersion,
    Plan,
    RoleCount,
    RoleTable,
    Setting,
    Slot,
    Strata,
    Stratum,
    TrainingManifest,
)
from maintain.settings import Settings, Workspace
from maintain.unlearn import METHODS, resolve_options
from maintain.unlearn.recipes import require_recipe
from maintain.vocabulary import Alias, Claim, ManifestStatus, Precision, Reason, Role, Split
from maintain_pipelines.bench.problem import SUBGROUP, Belongs, Problem, recalled, withdrawn
from maintain_pipelines.bench.trainings import Model, Trainings
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, Champion
from maintain_pipelines.context import Context, silence
from maintain_registry import MemoryStore

#: The model that is revised.
MODEL = "bench"

#: The field whose groups retention is judged in, and its values: of the scanner that may pay, and of the others.
DECLARED, HANDHELD, TABLE = "device.kind", "handheld", "table"

#: One-sided level of retention: the plan has one slot (power study, section 5).
ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class Story:
    """What a plan of the bench wants forgotten, what it claims, and by which groups it wants retention judged."""

    name: str
    claim: Claim
    reason: Reason
    forget: Belongs
    by: str = ""


EXAMPLES = Story("examples", Claim.EXAMPLES, Reason.RETENTION_EXPIRED, recalled)
BY_DEVICE = Story("examples-by-device", Claim.EXAMPLES, Reason.RETENTION_EXPIRED, recalled, DECLARED)
GROUP = Story("group", Claim.GROUP, Reason.DEVICE_DEPRECATED, withdrawn)
NEVER_SAW = Story("never-saw", Claim.NEVER_SAW, Reason.SITE_RECALL, recalled)
STORIES = (EXAMPLES, BY_DEVICE, GROUP, NEVER_SAW)


@dataclass(frozen=True, slots=True)
class Planned:
    """One story's plan, the slot that every candidate is offered for, and the texts of its tables by kind."""

    plan: Plan
    roles: RoleTable
    slot: Slot
    tables: tuple[tuple[str, Digest, bytes], ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """A problem, its champion, and the ports with which candidates are judged."""

    problem: Problem
    trainings: Trainings
    model: Model
    champion: Champion
    context: Context
    plans: dict[str, Planned]

    def planned(self, story: Story) -> Planned:
        """The plan of a story; made once."""
        if story.name not in self.plans:
            self.plans[story.name] = _planned(self, story)
        return self.plans[story.name]


def desk_of(problem: Problem, trainings: Trainings) -> Desk:
    """Train the champion of a problem on everything it may learn from, and register it."""
    learned = problem.roles(lambda _: False).of(Role.RETAIN)
    model = trainings.of(problem, learned, seed=problem.seed, role=Role.LEARN)
    store = MemoryStore()
    champion = _registered(store, problem, model, 1)
    store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    context = Context(
        workspace=_NOWHERE,
        database=cast(Any, _Absent()),
        ledger=cast(Any, _Absent()),
        store=store,
        arrays=_Remembered(_NOWHERE.arrays, problem.pixels),
        clock=SystemClock(),
        talk=silence(),
    )
    return Desk(problem, trainings, model, champion, context, {})


def another_version(desk: Desk, model: Model) -> Champion:
    """Register a second version, which no plan names: what weights may be swapped for."""
    return _registered(desk.context.store, desk.problem, model, 2)


def spec_of(problem: Problem, model: Model, manifest: Digest) -> ModelSpec:
    """The problem's network as this training made it."""
    blueprint = problem.blueprint
    return ModelSpec(
        model=MODEL,
        network=blueprint.network,
        input_shape=blueprint.input_shape,
        head=blueprint.head,
        label_name="pattern",
        label_order=blueprint.label_order,
        operating_threshold=None,
        preprocessing=blueprint.preprocessing,
        recipe=model.heard.recipe,
        manifest=manifest,
    )


def manifest_of(problem: Problem, model: Model, *, selected_with: tuple[CaseRef, ...]) -> TrainingManifest:
    """What a training from new weights learned from, as its loader counted it."""
    rows = model.heard.log.rows
    return TrainingManifest(
        model=MODEL,
        status=ManifestStatus.PROVEN,
        origin=model.heard.origin,
        learned=tuple(sorted(CaseRef(row.case_id, row.label_version) for row in rows)),
        unlearned=(),
        selected_with=selected_with,
    )


# --- private ---------------------------------------------------------------------------------------

#: A workspace that is never opened.
_NOWHERE = Workspace(Path("nowhere"), Settings())


@dataclass(frozen=True, slots=True)
class _Remembered(ArrayStore):
    """Pixels from memory where a stage expects a folder of them."""

    pixels: MemoryPixels

    def load(self, digests: Any) -> Pixels:
        return self.pixels.load(digests)


class _Absent:
    """Stands where judging has no business."""

    def __getattr__(self, name: str) -> Any:
        raise RefusedError(
            "Judging a candidate touched the database or the ledger.", remedy="Let `gather` read files alone."
        )


def _registered(store: Any, problem: Problem, model: Model, number: int) -> Champion:
    selecting = tuple(sorted(CaseRef(case.case_id, 1) for case in problem.cases if case.split is Split.VALIDATION))
    manifest = manifest_of(problem, model, selected_with=selecting)
    spec = spec_of(problem, model, codec.digest_of(manifest))
    version = ModelVersion(
        model=MODEL,
        version=number,
        weights=model.weights,
        spec=codec.digest_of(spec),
        manifest=spec.manifest,
        loader_log=codec.digest_of(model.heard.log),
        parent=None,
        method="train",
        seed=require_recipe(model.heard.recipe).seed,
        code=__version__,
    )
    files = {
        WEIGHTS_FILE: save_safetensors(dict(model.state)),
        SPEC_FILE: codec.to_text(spec).encode(),
        MANIFEST_FILE: codec.to_text(manifest).encode(),
        LOADER_LOG_FILE: codec.to_text(model.heard.log).encode(),
    }
    store.put(version, files)
    return Champion(version, spec, manifest)


def _planned(desk: Desk, story: Story) -> Planned:
    roles = desk.problem.roles(story.forget)
    scanners = {case.case_id: case.scanner for case in desk.problem.cases}
    rows = roles.of(Role.HOLDOUT) if story.by else ()
    kinds = (HANDHELD if scanners[row.case_id] == SUBGROUP else TABLE for row in rows)
    strata = Strata(tuple(Stratum(story.by, kind, row.case_id) for row, kind in zip(rows, kinds, strict=True)))
    asked = tuple(
        request_for(info.name, (Setting("by", story.by),) if info.name == "retention" else ())
        for info in gates_for(story.claim)
    )
    methods = tuple(MethodRequest(name, resolve_options(METHODS[name], ())) for name in ("finetune", "retrain"))
    slot = Slot(1, methods, ALPHA)
    plan = Plan(
        policy=digest_bytes(story.name.encode()),
        policy_name=f"bench-{story.name}",
        reason=story.reason,
        claim=story.claim,
        model=MODEL,
        champion=desk.champion.ref,
        roles=codec.digest_of(roles),
        counts=tuple(_count(roles, role) for role in Role),
        slots=(slot,),
        gate_set="default@1",
        gates=gates_of(asked, claim=story.claim, reason=story.reason, roles=roles),
        seed=desk.problem.seed,
        budget_steps=1,
        alias=Alias.CANDIDATE,
        environment=Environment("bench", "any", "cpu", 1, "any", "any", __version__, Precision.FP32),
        strata=codec.digest_of(strata) if story.by else None,
    )
    return Planned(plan, roles, slot, (_table("roles", roles), _table("strata", strata)))


def _table(kind: str, record: object) -> tuple[str, Digest, bytes]:
    text = codec.to_text(record).encode()
    return kind, digest_bytes(text), text


def _count(roles: RoleTable, role: Role) -> RoleCount:
    rows = roles.of(role)
    return RoleCount(role, len(rows), len({row.patient for row in rows}))
