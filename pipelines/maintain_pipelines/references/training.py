"""Training the references of a plan: the method `retrain` itself, on retained cases only, one seed after another.

Whoever calls holds the claim on the model, so two processes never work on the same reference, and brings the guard
that asks whether it still stands. What is missing is trained; what was begun goes on from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maintain import codec
from maintain.errors import DamagedError
from maintain.hashing import Digest
from maintain.imaging import threads
from maintain.records import Plan, Reference, RoleTable
from maintain.unlearn import Heard, UnlearnRequest, Witness, load_method, steps_of
from maintain.unlearn.recipes import require_recipe
from maintain.vocabulary import Role
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, Champion
from maintain_pipelines.context import Context
from maintain_pipelines.provenance import manifest_of, spec_of
from maintain_pipelines.references.keeping import (
    REFERENCE_FILE,
    StoredReference,
    read_reference,
    reference_folder,
    references_for,
)
from maintain_pipelines.references.naming import REFERENCES, reference_keys
from maintain_pipelines.weight_places import announce_checkpoint, keep_weights, remove_weights
from maintain_registry import Event, EventKind, WeightKind

#: The method that makes references; the same weights would be released by a slot.
METHOD = "retrain"

#: Checkpoints of an unfinished reference, inside its folder.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class TrainedReference:
    """A reference of a plan, the seconds that were spent on it now, and whether it was there already."""

    reference: StoredReference
    seconds: float
    cached: bool


def train_references(
    plan: Plan, roles: RoleTable, champion: Champion, context: Context, *, guard: Callable[[], None]
) -> tuple[TrainedReference, ...]:
    """All references of a plan, in the order of their seeds; those that are missing or damaged are trained.

    Raises:
        InputError: The model has no recipe that can be repeated on the retained cases.
        RefusedError: A training diverged.
        WaitingError: It was told to stop; what was done is kept and gone on from.
    """
    known = {one.record.seed: one for one in references_for(plan, roles, champion, context)}
    trained = []
    for number, (seed, key) in enumerate(reference_keys(plan, roles, champion, context.elsewhere), start=1):
        order = _Order(plan, roles, champion, seed, key, f"reference {number} of {REFERENCES}")
        there = known.get(seed)
        trained.append(_anew(order, context, guard) if there is None else TrainedReference(there, 0.0, cached=True))
    return tuple(trained)


def reference_event(record: Reference) -> Event:
    """What the ledger says of a reference that this program trained."""
    body = {"key": record.key, "reference": codec.digest_of(record), "weights": record.weights, "seed": record.seed}
    return Event(EventKind.REFERENCE_TRAINED, subject=record.model, body=body)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """One reference of a plan: its seed and key, and what its progress is called."""

    plan: Plan
    roles: RoleTable
    champion: Champion
    seed: int
    key: Digest
    name: str


def _anew(order: _Order, context: Context, guard: Callable[[], None]) -> TrainedReference:
    """Train it, in the place of a damaged one if there is one."""
    folder, begun = reference_folder(context.workspace, order.key), context.clock.now()
    if (folder / REFERENCE_FILE).exists():
        context.talk.say(f"The reference of seed {order.seed} is trained again.")
        guard()
        remove_weights(context, folder)
    reference = _train(order, folder, context, guard)
    seconds = max((context.clock.now() - begun).total_seconds(), 0.0)
    return TrainedReference(reference, seconds, cached=False)


def _train(order: _Order, folder: Path, context: Context, guard: Callable[[], None]) -> StoredReference:
    guard()
    announce_checkpoint(folder / CHECKPOINTS, order.plan.model, context, folder=True)
    for place in (context.workspace.references, folder, folder / CHECKPOINTS):
        place.mkdir(mode=0o700, exist_ok=True)
    witness = Witness()
    request = _request(order, folder, witness, context)
    with threads((context.elsewhere or order.plan.environment).threads):
        state = load_method(METHOD).unlearn(request).state
    heard = witness.of(state)
    guard()
    keep_weights(folder / WEIGHTS_FILE, state, WeightKind.REFERENCE, order.plan.model, context)
    record = _describe(order, heard, folder)
    _tell_ledger(order, record, context)
    codec.write(folder / REFERENCE_FILE, record)
    for file in folder.glob("*.*"):
        file.chmod(0o600)
    remove_weights(context, folder / CHECKPOINTS)
    written = read_reference(folder, key=order.key)
    if written is None:
        raise DamagedError("A reference vanished while it was written.", remedy="Say the same command again.")
    return written


def _request(order: _Order, folder: Path, witness: Witness, context: Context) -> UnlearnRequest:
    """The request of the plan's own retrain, but for the seed. References are not counted in the plan's budget."""
    version, spec = order.champion.version, order.champion.spec
    retained = order.roles.of(Role.RETAIN)
    return UnlearnRequest(
        spec=spec,
        manifest=order.champion.manifest,
        parent_weights=version.weights,
        read_parent=lambda: context.store.get(version.model, version.version).read(WEIGHTS_FILE),
        roles=order.roles,
        pixels=context.arrays,
        options=(),
        seed=order.seed,
        budget_steps=steps_of(require_recipe(spec.recipe), max(len(retained), 1)),
        device=(context.elsewhere or order.plan.environment).device,
        precision=(context.elsewhere or order.plan.environment).precision,
        checkpoints=folder / CHECKPOINTS,
        progress=lambda epoch, epochs, _loss: context.talk.progress(order.name, epoch, epochs),
        stop=context.stop,
        witness=witness,
    )


def _describe(order: _Order, heard: Heard, folder: Path) -> Reference:
    """Write what the witness heard beside the weights, and return what names all of it."""
    manifest = manifest_of(order.plan, order.champion, order.roles, heard)
    spec = spec_of(order.champion.spec, heard, codec.digest_of(manifest))
    return Reference(
        key=order.key,
        model=order.plan.model,
        seed=order.seed,
        weights=heard.weights,
        spec=codec.write(folder / SPEC_FILE, spec),
        manifest=codec.write(folder / MANIFEST_FILE, manifest),
        loader_log=codec.write(folder / LOADER_LOG_FILE, heard.log),
        steps=heard.steps,
    )


def _tell_ledger(order: _Order, record: Reference, context: Context) -> None:
    """Before the record itself: whoever releases this reference later asks the ledger who trained it."""
    with context.ledger.begin(context.database) as unit:
        context.ledger.append(unit, reference_event(record))
