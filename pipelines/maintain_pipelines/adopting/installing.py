"""Adopted weights -> version 1 of a lineage, with its sides, its snapshot and its ledger entry, or none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain import __version__, codec
from maintain.cohort import SplitCounts, declare_splits, keep_snapshot
from maintain.database import UnitOfWork
from maintain.errors import InputError, StaleError
from maintain.hashing import Digest
from maintain.imaging import Blueprint
from maintain.records import CaseRef, ModelSpec, ModelVersion, Origin, Recipe, TrainingManifest
from maintain.vocabulary import Alias, ManifestStatus, OriginKind
from maintain_pipelines.adopting.comparing import Compared
from maintain_pipelines.adopting.members import Membership
from maintain_pipelines.adopting.order import AdoptionOrder
from maintain_pipelines.answers import answers_file
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE
from maintain_pipelines.claims import Claim, check
from maintain_pipelines.context import Context
from maintain_registry import OUTPUTS_FILE, UNNUMBERED, Entry, Event, EventKind, Intent, abandon, register

#: How the version was made, as its record says.
METHOD = "adopt"

#: Stands in a spec that is only asked by, before there is a manifest to name.
NO_MANIFEST = ""

#: Decimals of the worst difference in the ledger: more would depend on threads.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Adopted:
    """An adopted champion: what is declared of its training, and how far its answers lay from production's."""

    version: ModelVersion
    status: ManifestStatus
    learned: int
    selected_with: int
    held_out: int
    absent: int
    barred: int
    recipe: bool
    compared: Compared | None
    entry: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the model when it is installed; `source` is the digest of the file that was brought."""

    blueprint: Blueprint
    recipe: Recipe | None
    membership: Membership | None
    compared: Compared | None
    source: Digest
    weights: Digest


def install(
    order: AdoptionOrder, found: Findings, file: Path, claim: Claim, context: Context
) -> tuple[ModelVersion, TrainingManifest, Entry]:
    """Register the weights in `file` as the first champion. Whatever was left of a killed adoption is removed first.

    Raises `StaleError` where the lineage was split, or the name of the snapshot taken, meanwhile.
    """
    manifest = _manifest(order, found)
    spec = spec_of(order, found.blueprint, recipe=found.recipe, manifest=codec.digest_of(manifest))
    intent = Intent(
        id=f"adopt:{order.model}",
        version=_version(order, found, spec, manifest),
        files={
            OUTPUTS_FILE: answers_file(spec, file, found.weights, context),
            WEIGHTS_FILE: file,
            SPEC_FILE: codec.to_text(spec).encode(),
            MANIFEST_FILE: codec.to_text(manifest).encode(),
        },
        alias=Alias.CHAMPION,
        event=Event(EventKind.MODEL_INSTALLED, subject=order.model, body=_body(order, found)),
        expected_champion=None,
    )

    def also(unit: UnitOfWork) -> None:
        check(unit, claim)
        if found.membership is not None:
            _declare(unit, order.model, found.membership, context)

    abandon(context.database, context.store, intent.id)
    version, entry = register(context.database, context.ledger, context.store, intent, also=also)
    return version, manifest, entry


def spec_of(order: AdoptionOrder, blueprint: Blueprint, *, recipe: Recipe | None, manifest: Digest) -> ModelSpec:
    """The spec of an adopted model; it decides as its head decides, so it names no threshold."""
    return ModelSpec(
        model=order.model,
        network=blueprint.network,
        input_shape=blueprint.input_shape,
        head=blueprint.head,
        label_name=order.label_name,
        label_order=blueprint.label_order,
        operating_threshold=None,
        preprocessing=blueprint.preprocessing,
        recipe=recipe,
        manifest=manifest,
    )


# --- private ---------------------------------------------------------------------------------------


def _manifest(order: AdoptionOrder, found: Findings) -> TrainingManifest:
    """Where the weights began is not known, so their own digest stands there, and no manifest before it."""
    members = found.membership
    nothing: tuple[CaseRef, ...] = ()
    return TrainingManifest(
        model=order.model,
        status=ManifestStatus.UNKNOWN if members is None else ManifestStatus.DECLARED,
        origin=Origin(OriginKind.CHECKPOINT, found.weights),
        learned=nothing if members is None else members.learned,
        unlearned=(),
        selected_with=nothing if members is None else members.selected_with,
        snapshot=None if members is None else codec.digest_of(members.snapshot),
    )


def _version(order: AdoptionOrder, found: Findings, spec: ModelSpec, manifest: TrainingManifest) -> ModelVersion:
    return ModelVersion(
        model=order.model,
        version=UNNUMBERED,
        weights=found.weights,
        spec=codec.digest_of(spec),
        manifest=codec.digest_of(manifest),
        loader_log=None,
        parent=None,
        method=METHOD,
        seed=0 if found.recipe is None else found.recipe.seed,
        code=__version__,
    )


def _body(order: AdoptionOrder, found: Findings) -> Mapping[str, object]:
    members, compared = found.membership, found.compared
    return {
        "adopted_from": found.source,
        "network": order.network.name,
        "status": (ManifestStatus.UNKNOWN if members is None else ManifestStatus.DECLARED).value,
        "snapshot": None if members is None else codec.digest_of(members.snapshot),
        "learned": 0 if members is None else len(members.learned),
        "absent": 0 if members is None else members.absent,
        "compared": None
        if compared is None
        else {
            "cases": compared.cases,
            "worst": round(compared.worst, _DECIMALS),
            "tolerance": compared.tolerance,
        },
    }


def _declare(unit: UnitOfWork, model: str, members: Membership, context: Context) -> None:
    snapshot, now = members.snapshot, context.clock.now()
    try:
        counts: SplitCounts = declare_splits(unit, model, members.sides, now=now)
        keep_snapshot(unit, snapshot, where=None, now=now)
    except InputError as error:
        raise StaleError(error.message, remedy=error.remedy) from error
    ledger = context.ledger
    ledger.append(unit, Event(EventKind.SPLIT_DECIDED, model, {"declared": True, "counts": codec.encode(counts)}))
    body = {"name": snapshot.name, "digest": codec.digest_of(snapshot), "cases": len(snapshot.members), "where": None}
    ledger.append(unit, Event(EventKind.SNAPSHOT_TAKEN, model, body))
