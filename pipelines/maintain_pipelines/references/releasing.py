"""The first reference of a plan as the retrain that it is: handed to the search with what was heard while it trained.

No method trains here, so no witness of this run can speak. The stage reads the log that its own code wrote when
the witness spoke, and believes it on three grounds only: the ledger's signed word for its digest, files that agree
with their digests, and initial weights that the seed gives again. Short of any of them it is trained anew.
"""

from __future__ import annotations

from dataclasses import replace

from maintain import codec
from maintain.errors import BrokenChainError, DamagedError
from maintain.hashing import Digest
from maintain.imaging import State, blueprint_of, threads, weights_digest
from maintain.records import Origin, Plan, RoleTable
from maintain.unlearn import Heard
from maintain.vocabulary import OriginKind, Role
from maintain_pipelines.champions import Champion
from maintain_pipelines.context import Context
from maintain_pipelines.provenance import manifest_of, spec_of
from maintain_pipelines.references.keeping import StoredReference, read_reference, reference_folder
from maintain_pipelines.references.naming import reference_keys
from maintain_pipelines.references.training import reference_event
from maintain_registry import verify_chain


def trained_before(plan: Plan, roles: RoleTable, champion: Champion, context: Context) -> tuple[State, Heard] | None:
    """The retrain of this plan and what was heard of it, if a reference is exactly that; None where it must be trained.

    A reference that is there but cannot be released is told of.
    """
    _, key = reference_keys(plan, roles, champion, context.elsewhere)[0]
    try:
        reference = read_reference(reference_folder(context.workspace, key), key=key)
        if reference is None:
            return None
        against = _against(reference, plan, roles, champion, context)
        if against is None:
            return reference.state(), _heard(reference)
    except DamagedError as error:
        against = error.message
    context.talk.say(f"The reference of this plan is not released; the retrain is trained anew. {against}")
    return None


# --- private ---------------------------------------------------------------------------------------


def _heard(reference: StoredReference) -> Heard:
    """What the witness said when it was trained, as the stage wrote it down then."""
    recipe = reference.spec.recipe
    if recipe is None:
        raise DamagedError("The spec of a reference has no recipe.", remedy="Train the reference again.")
    log = reference.log
    return Heard(reference.record.weights, recipe, log.origin, log, steps=log.steps, spent=0)


def _against(
    reference: StoredReference, plan: Plan, roles: RoleTable, champion: Champion, context: Context
) -> str | None:
    """Why it may not be released, or None."""
    heard, log = _heard(reference), reference.log
    if champion.spec.recipe is None:
        return "The champion has no recipe."
    recipe = replace(champion.spec.recipe, seed=plan.seed, initial_weights=_initial(plan, champion, context))
    handed_out = sorted((row.role, row.case_id, row.label_version) for row in log.rows if row.times_seen > 0)
    retained = sorted((Role.RETAIN, row.case_id, row.label_version) for row in roles.of(Role.RETAIN))
    manifest = manifest_of(plan, champion, roles, heard)
    checks = (
        (log.final_weights == reference.record.weights, "Its log is of other weights."),
        (log.origin == Origin(OriginKind.INITIALISATION, recipe.initial_weights), "Its seed gives other weights."),
        (heard.recipe == recipe, "It was trained by another recipe."),
        (handed_out == retained, "It was not trained on the retained cases of this plan."),
        (reference.manifest == manifest, "Its manifest does not say what its log says."),
        (reference.spec == spec_of(champion.spec, heard, codec.digest_of(manifest)), "Its spec is another's."),
    )
    return next((why for holds, why in checks if not holds), None) or _of_ledger(reference, context)


def _of_ledger(reference: StoredReference, context: Context) -> str | None:
    """Whether a whole ledger has the entry that was written together with this very record."""
    wanted, ledger = reference_event(reference.record), context.ledger
    with context.database.read() as unit:
        try:
            verify_chain(unit, heads=ledger.heads, public_keys=(ledger.signer.public,))
        except BrokenChainError:
            return "The ledger is not whole, so nobody can say that it was trained here."
        told = any(
            entry.event is wanted.kind and entry.subject == wanted.subject and wanted.body.items() <= entry.body.items()
            for entry in ledger.entries(unit)
        )
    return None if told else "The ledger does not say that it was trained here."


def _initial(plan: Plan, champion: Champion, context: Context) -> Digest:
    """The initial weights of the plan's own retrain, drawn now."""
    with threads((context.elsewhere or plan.environment).threads):
        return weights_digest(blueprint_of(champion.spec).build(plan.seed).state_dict())
