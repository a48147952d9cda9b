"""Snapshot -> the first champion of a lineage: the model that later runs revise.

It is trained by the same loop as every revision, and its manifest lists what the loader handed
out, not what somebody meant to train on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from maintain import __version__, codec
from maintain.cohort import load_snapshot, named_digest
from maintain.database import UnitOfWork
from maintain.errors import InputError, RefusedError, StaleError
from maintain.hashing import Digest, short
from maintain.imaging import Blueprint, default_chain, load_model, threads
from maintain.measure import measure
from maintain.records import (
    CaseRef,
    LoaderLog,
    ModelSpec,
    ModelVersion,
    Network,
    PlannedCase,
    Snapshot,
    SnapshotMember,
    TrainingManifest,
)
from maintain.unlearn import Trained, default_recipe, train
from maintain.vocabulary import Alias, Head, ManifestStatus, Precision, Role, Split
from maintain_pipelines.answers import answers_file
from maintain_pipelines.barred import count_barred
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE
from maintain_pipelines.claims import Claim, check, guard, hold
from maintain_pipelines.context import Context
from maintain_pipelines.environment import pick_device, pick_threads
from maintain_pipelines.weight_places import announce_checkpoint, keep_weights, remove_weights
from maintain_registry import OUTPUTS_FILE, UNNUMBERED, Event, EventKind, Intent, WeightKind, register

#: What a second process is told that works on the model.
HOLDER = "model train"

#: Where an unfinished first training lies, in its folder.
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """What `model train` was asked for."""

    model: str
    snapshot: str
    network: Network
    epochs: int
    seed: int


@dataclass(frozen=True, slots=True)
class Installed:
    """A first champion, with what it learned from and how it does on its validation cases."""

    version: ModelVersion
    learned: int
    training_accuracy: float
    validation_cases: int
    validation_accuracy: float | None
    entry: int


def train_first(order: TrainingOrder, context: Context) -> Installed:
    """Train and install version 1. Raises `InputError` when the lineage has a champion already.

    Raises `HeldError` while another process works on the model, `StaleError` when a case of the snapshot
    was suppressed since, and `RefusedError` when the training comes out as a version that was left.
    """
    _refuse_second(order, context)
    with context.database.read() as unit:
        snapshot = load_snapshot(unit, order.snapshot)
    if snapshot.model != order.model:
        raise InputError(
            f"The snapshot {order.snapshot!r} was split for {snapshot.model!r}, not for {order.model!r}.",
            remedy=f"Take one with `maintain cohort snapshot NAME --model {order.model}`.",
        )
    with context.database.read() as unit:
        _refuse_barred(unit, snapshot)
    seconds = context.workspace.settings.runs.lease_seconds
    with hold(context.database, order.model, HOLDER, lease_seconds=seconds) as claim:
        _refuse_second(order, context)
        return _train_claimed(order, snapshot, claim, context)


# --- private ---------------------------------------------------------------------------------------


def _refuse_second(order: TrainingOrder, context: Context) -> None:
    if order.model in context.store.models() and context.store.alias(order.model, Alias.CHAMPION):
        raise InputError(
            f"{order.model} already has a champion.",
            remedy="Revise it with `maintain run POLICY`, or train a model under another name.",
        )


def _refuse_barred(unit: UnitOfWork, snapshot: Snapshot) -> None:
    """A snapshot never changes; what may be used does."""
    usable = (member for member in snapshot.members if member.split is not Split.HOLDOUT)
    barred = count_barred(unit, snapshot.model, (member.ref for member in usable), snapshot.label_name)
    if barred:
        raise StaleError(
            f"{barred.cases + barred.lost} cases of the snapshot {snapshot.name!r} were suppressed since it was taken.",
            remedy=f"Take a new one with `maintain cohort snapshot NAME --model {snapshot.model}`.",
        )


def _refuse_left(version: ModelVersion, context: Context) -> None:
    """The same snapshot and seed give the same weights: a version that was suspended is not installed again."""
    if context.store.alias(version.model, Alias.CHAMPION) != version.version:
        raise RefusedError(
            f"The training came out as version {version.version} of {version.model}, which served and was left.",
            remedy="Train on another snapshot or with another seed, or return to that version with "
            f"`maintain registry rollback {version.model} --to {version.version} --reason TEXT`.",
        )


def _train_claimed(order: TrainingOrder, snapshot: Snapshot, claim: Claim, context: Context) -> Installed:
    standing = guard(context.database, claim)

    def stop() -> bool:
        standing()
        return context.stop()

    digest = _named(snapshot, context)
    folder = context.workspace.trainings / f"{order.model}-{short(digest)}-seed{order.seed}-{order.epochs}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    announce_checkpoint(folder / CHECKPOINT, order.model, context)
    blueprint = _blueprint(order, snapshot, context)
    trained = _train(order, blueprint, snapshot, folder, replace(context, stop=stop))
    standing()
    keep_weights(folder / WEIGHTS_FILE, trained.state, WeightKind.TRAINING, order.model, context)
    return _install(order, blueprint, snapshot, trained, folder, claim, context)


def _named(snapshot: Snapshot, context: Context) -> Digest:
    """What a manifest calls the snapshot, whatever was erased of it since it was taken."""
    with context.database.read() as unit:
        return named_digest(unit, snapshot.name)


def _blueprint(order: TrainingOrder, snapshot: Snapshot, context: Context) -> Blueprint:
    height, width, channels = context.arrays.get(snapshot.members[0].pixels).shape
    side = min(height, width)
    return Blueprint(
        network=order.network,
        input_shape=(channels, side, side),
        head=Head.SOFTMAX,
        label_order=tuple(sorted({member.label for member in snapshot.of(Split.TRAIN)})),
        preprocessing=default_chain(side),
    )


def _train(order: TrainingOrder, blueprint: Blueprint, snapshot: Snapshot, folder: Path, context: Context) -> Trained:
    cases = blueprint.loader_cases(snapshot.of(Split.TRAIN), Role.LEARN)
    with threads(pick_threads(context.workspace)):
        return train(
            blueprint,
            default_recipe(seed=order.seed, epochs=order.epochs),
            cases,
            context.arrays,
            device=pick_device(),
            precision=Precision(context.workspace.settings.compute.precision),
            checkpoint=folder / CHECKPOINT,
            progress=lambda epoch, epochs, _loss: context.talk.progress("training", epoch, epochs),
            stop=context.stop,
        )


def _install(
    order: TrainingOrder,
    blueprint: Blueprint,
    snapshot: Snapshot,
    trained: Trained,
    folder: Path,
    claim: Claim,
    context: Context,
) -> Installed:
    manifest = TrainingManifest(
        model=order.model,
        status=ManifestStatus.PROVEN,
        origin=trained.origin,
        learned=handed_out(trained.log),
        unlearned=(),
        selected_with=tuple(sorted(member.ref for member in snapshot.of(Split.VALIDATION))),
        snapshot=_named(snapshot, context),
    )
    spec = _spec(order, blueprint, snapshot, trained, codec.digest_of(manifest))
    version = ModelVersion(
        model=order.model,
        version=UNNUMBERED,
        weights=trained.weights,
        spec=codec.digest_of(spec),
        manifest=codec.digest_of(manifest),
        loader_log=codec.digest_of(trained.log),
        parent=None,
        method="train",
        seed=order.seed,
        code=__version__,
    )
    body = {"snapshot": manifest.snapshot, "learned": len(manifest.learned), "network": order.network.name}
    intent = Intent(
        id=f"train:{order.model}:{trained.weights}",
        version=version,
        files={
            OUTPUTS_FILE: answers_file(spec, folder / WEIGHTS_FILE, trained.weights, context),
            WEIGHTS_FILE: folder / WEIGHTS_FILE,
            SPEC_FILE: codec.to_text(spec).encode(),
            MANIFEST_FILE: codec.to_text(manifest).encode(),
            LOADER_LOG_FILE: codec.to_text(trained.log).encode(),
        },
        alias=Alias.CHAMPION,
        event=Event(EventKind.MODEL_INSTALLED, subject=order.model, body=body),
        expected_champion=None,
    )

    def also(unit: UnitOfWork) -> None:
        check(unit, claim)
        _refuse_barred(unit, snapshot)

    registered, entry = register(context.database, context.ledger, context.store, intent, also=also)
    accuracy, cases = _validation_accuracy(spec, snapshot, trained.weights, folder, context)
    remove_weights(context, folder / CHECKPOINT, folder / WEIGHTS_FILE)
    _refuse_left(registered, context)
    return Installed(registered, len(manifest.learned), trained.history[-1].accuracy, cases, accuracy, entry.number)


def handed_out(log: LoaderLog) -> tuple[CaseRef, ...]:
    """The cases a loader handed out for learning, as a manifest lists them."""
    return tuple(sorted({CaseRef(row.case_id, row.label_version) for row in log.rows if row.times_seen > 0}))


def _spec(
    order: TrainingOrder, blueprint: Blueprint, snapshot: Snapshot, trained: Trained, manifest: Digest
) -> ModelSpec:
    return ModelSpec(
        model=order.model,
        network=blueprint.network,
        input_shape=blueprint.input_shape,
        head=blueprint.head,
        label_name=snapshot.label_name,
        label_order=blueprint.label_order,
        operating_threshold=None,
        preprocessing=blueprint.preprocessing,
        recipe=trained.recipe,
        manifest=manifest,
    )


def _validation_accuracy(
    spec: ModelSpec, snapshot: Snapshot, weights: Digest, folder: Path, context: Context
) -> tuple[float | None, int]:
    network = load_model(spec, folder / WEIGHTS_FILE, expected=weights)
    cases = tuple(_as_planned(member) for member in snapshot.of(Split.VALIDATION))
    with threads(pick_threads(context.workspace)):
        rows = measure(network, spec, cases, context.arrays, weights=weights, device=pick_device())
    known = [row for row in rows if all(row.label_mask)]
    right = sum(row.logits.index(max(row.logits)) == row.label[0] for row in known)
    return (right / len(known) if known else None), len(known)


def _as_planned(member: SnapshotMember) -> PlannedCase:
    return PlannedCase(
        member.case_id, member.label_version, member.label, member.patient, member.pixels, Role.VALIDATION, ""
    )
