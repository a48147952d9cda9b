"""Order -> the first champion of a lineage, or a refusal that leaves nothing behind.

Small files are read before large ones and everything is checked before anything is written: what a stranger gets
wrong costs seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maintain.cohort import Standing, read_standings
from maintain.errors import InputError, WorkspaceError
from maintain.hashing import Digest, digest_file
from maintain.imaging import Blueprint, model_of, threads
from maintain.imaging.adopting import Fitted, fit_state, read_foreign
from maintain.intake import MemberRow, OutputRow, load_pseudonyms, read_members, read_outputs
from maintain.measure import measure
from maintain.records import PlannedCase, Recipe
from maintain.vocabulary import Alias, Role, Split
from maintain_pipelines.adopting.comparing import Compared, comparable, compare
from maintain_pipelines.adopting.installing import NO_MANIFEST, Adopted, Findings, install, spec_of
from maintain_pipelines.adopting.members import Membership, membership
from maintain_pipelines.adopting.order import AdoptionOrder
from maintain_pipelines.adopting.pictures import Pictures, as_seen, pictures_of
from maintain_pipelines.adopting.recipes import read_recipe
from maintain_pipelines.adopting.remarks import remarks
from maintain_pipelines.barred import Barred, count_barred
from maintain_pipelines.champions import WEIGHTS_FILE
from maintain_pipelines.claims import Claim, guard, hold
from maintain_pipelines.context import Context
from maintain_pipelines.environment import pick_device, pick_threads
from maintain_pipelines.weight_places import announce_checkpoint, keep_weights, remove_weights
from maintain_registry import WeightKind, check_model_name, registered

#: What a second process is told that works on the model.
HOLDER = "model adopt"

#: Where converted weights lie until they are fitted, in their folder.
CONVERTED_FILE = "converted.safetensors"


def adopt(order: AdoptionOrder, context: Context) -> Adopted:
    """Read, fit, compare and install. Raises `InputError` for anything that was brought and cannot be honoured.

    Raises `HeldError` while another process works on the model.
    """
    check_model_name(order.model)
    folder = context.workspace.trainings / f"adopt-{order.model}"
    seconds = context.workspace.settings.runs.lease_seconds
    if folder.exists():  # left by a killed adoption
        with hold(context.database, order.model, HOLDER, lease_seconds=seconds):
            _clear(folder, context)
    _refuse_second(order, context)
    brought = _bring(order, context)
    with hold(context.database, order.model, HOLDER, lease_seconds=seconds) as claim:
        _refuse_second(order, context)
        try:
            return _adopt_claimed(order, brought, folder, claim, context)
        finally:
            _clear(folder, context)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Brought:
    """What was read of the files beside the weights, and how the model sees the cohort."""

    recipe: Recipe | None
    expected: tuple[OutputRow, ...] | None
    membership: Membership | None
    standings: tuple[Standing, ...]
    pictures: Pictures


def _refuse_second(order: AdoptionOrder, context: Context) -> None:
    with context.database.read() as unit:
        numbers = registered(unit, order.model)
    if numbers or (order.model in context.store.models() and context.store.alias(order.model, Alias.CHAMPION)):
        raise InputError(
            f"{order.model} has versions already; only the first of a lineage is adopted.",
            remedy="Revise it with `maintain run POLICY`, or adopt these weights under another name.",
        )


def _bring(order: AdoptionOrder, context: Context) -> _Brought:
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    recipe = read_recipe(order.recipe)
    expected = None if order.expect is None else read_outputs(order.expect, pseudonyms, order.label_order)
    members = None if order.trained_on is None else read_members(order.trained_on, pseudonyms)
    with context.database.read() as unit:
        standings = read_standings(unit, order.label_name)
    if standings and not any(case.label is not None for case in standings):
        raise InputError(
            f"No case of the cohort has a label {order.label_name!r}.",
            remedy="Look at `maintain cohort status`; --labels NAME=... names a label as it was ingested.",
        )
    pictures = pictures_of(order, standings, pseudonyms, context)
    seen = as_seen(standings, pictures)
    return _Brought(recipe, expected, _membership(order, members, seen, context), seen, pictures)


def _membership(
    order: AdoptionOrder, members: Sequence[MemberRow] | None, standings: Sequence[Standing], context: Context
) -> Membership | None:
    if members is None:
        return None
    with context.database.read() as unit:
        return membership(order, members, standings, unit)


def _adopt_claimed(order: AdoptionOrder, brought: _Brought, folder: Path, claim: Claim, context: Context) -> Adopted:
    standing = guard(context.database, claim)
    blueprint = Blueprint(
        network=order.network,
        input_shape=brought.pictures.input_shape,
        head=order.head,
        label_order=order.label_order,
        preprocessing=brought.pictures.steps,
    )
    fitted = _fitted(order, blueprint, folder, context)
    weights = keep_weights(folder / WEIGHTS_FILE, fitted.state, WeightKind.TRAINING, order.model, context)
    found = Findings(
        blueprint=blueprint,
        recipe=brought.recipe,
        membership=brought.membership,
        compared=_compared(order, brought, blueprint, fitted, weights, context),
        source=digest_file(order.weights),
        weights=weights,
    )
    standing()
    brought.pictures.keep()
    version, manifest, entry = install(order, found, folder / WEIGHTS_FILE, claim, context)
    members, barred = brought.membership, _barred(order, brought.membership, context)
    for sentence in remarks(
        members,
        barred,
        compared=found.compared is not None,
        recipe=brought.recipe is not None,
        rounding=brought.pictures.rounding,
        converted=len(fitted.converted),
    ):
        context.talk.say(sentence)
    return Adopted(
        version=version,
        status=manifest.status,
        learned=len(manifest.learned),
        selected_with=len(manifest.selected_with),
        held_out=0 if members is None else len(members.snapshot.of(Split.HOLDOUT)),
        absent=0 if members is None else members.absent,
        barred=barred.cases,
        recipe=brought.recipe is not None,
        compared=found.compared,
        entry=entry.number,
    )


def _fitted(order: AdoptionOrder, blueprint: Blueprint, folder: Path, context: Context) -> Fitted:
    """Foreign weights in the network's own form; the converted file is gone when this returns."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace cannot be written ({error.strerror}).", remedy="Let this user write it, and say it again."
        ) from error
    announce_checkpoint(folder, order.model, context, folder=True)
    state = order.keys.apply(read_foreign(order.weights, folder / CONVERTED_FILE))
    return fit_state(state, blueprint, source=order.weights.name)


def _compared(
    order: AdoptionOrder, brought: _Brought, blueprint: Blueprint, fitted: Fitted, weights: Digest, context: Context
) -> Compared | None:
    if brought.expected is None:
        return None
    cases = {case.case_id: case for case in brought.standings if case.case_id in brought.pictures.digests}
    rows = comparable(brought.expected, cases)
    asked = tuple(_asked(cases[row.case_id]) for row in rows)
    spec = spec_of(order, blueprint, recipe=None, manifest=NO_MANIFEST)
    with threads(pick_threads(context.workspace)):
        network, source = model_of(spec, fitted.state), brought.pictures.source
        answers = measure(network, spec, asked, source, weights=weights, device=pick_device())
    return compare(
        rows,
        [answer.logits for answer in answers],
        order.label_order,
        tolerance=order.tolerance,
        without_case=len(brought.expected) - len(rows),
        rounding=brought.pictures.rounding,
    )


def _asked(case: Standing) -> PlannedCase:
    label = case.label or ""
    return PlannedCase(case.case_id, case.label_version, label, case.patient, case.pixels, Role.VALIDATION, "")


def _barred(order: AdoptionOrder, members: Membership | None, context: Context) -> Barred:
    if members is None:
        return Barred(0, 0, 0)
    with context.database.read() as unit:
        return count_barred(unit, order.model, members.learned, order.label_name)


def _clear(folder: Path, context: Context) -> None:
    if folder.exists():
        remove_weights(context, folder / CONVERTED_FILE, folder / WEIGHTS_FILE, folder)
