"""Plan -> Candidate: the search over the policy's methods, and the files of what it chose.

The stage, not the method, writes manifest, spec and log: a method returns weights and nothing else,
and everything that is claimed of them is derived here from what the loop told the stage's own witness.
"""

from __future__ import annotations

from maintain import codec
from maintain.imaging import State, threads
from maintain.records import Candidate, ModelSpec, Plan, RoleTable, Slot
from maintain.unlearn import UnlearnRequest, Witness
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, Champion
from maintain_pipelines.context import Context
from maintain_pipelines.provenance import manifest_of, spec_of
from maintain_pipelines.references import asks_for_references, reference_cost, train_references, trained_before
from maintain_pipelines.rundir import CANDIDATE, RunFolder
from maintain_pipelines.runlog import Laps, logged
from maintain_pipelines.search import Found, Product, Shelf, search
from maintain_pipelines.weight_places import announce_checkpoint, keep_weights
from maintain_registry import WeightKind


@logged("unlearn")
def unlearn(
    plan: Plan, roles: RoleTable, champion: Champion, slot: Slot, folder: RunFolder, context: Context
) -> Candidate:
    """Revise the champion by the first method of this slot that goes on.

    Raises:
        InputError: No method of the slot can be used.
        RefusedError: A method returned weights that no training under the stage's witness ended with.
    """
    request = _request(plan, roles, champion, folder, context)
    with threads((context.elsewhere or plan.environment).threads):
        laps = Laps(folder, context.clock, context.clock.now())
        shelf = _shelf(plan, roles, champion, folder, context, laps)
        found = search(plan, slot, request, context.talk.progress, shelf, laps.tried)
    return write_candidate(plan, roles, champion, slot, found, folder, context)


def write_candidate(
    plan: Plan,
    roles: RoleTable,
    champion: Champion,
    slot: Slot,
    found: Found,
    folder: RunFolder,
    context: Context,
) -> Candidate:
    """Write down what goes on: weights, manifest, spec and log, and the candidate that names them."""
    folder.guard()
    manifest = manifest_of(plan, champion, roles, found.product.heard)
    spec = spec_of(champion.spec, found.product.heard, codec.digest_of(manifest))
    place = folder.weights(found.product.heard.weights)
    keep_weights(place, found.product.state, WeightKind.CANDIDATE, plan.model, context)
    codec.write(folder.file(f"02-{MANIFEST_FILE}"), manifest)
    codec.write(folder.file(f"02-{SPEC_FILE}"), spec)
    candidate = _candidate(plan, slot, found, spec, folder)
    folder.write(CANDIDATE, candidate)
    return candidate


# --- private ---------------------------------------------------------------------------------------


def _request(plan: Plan, roles: RoleTable, champion: Champion, folder: RunFolder, context: Context) -> UnlearnRequest:
    """What every method of the slot is given; the search completes it with options, budget and progress."""
    folder.guard()
    announce_checkpoint(folder.checkpoints, plan.model, context, folder=True)
    folder.checkpoints.mkdir(exist_ok=True, mode=0o700)
    version = champion.version
    return UnlearnRequest(
        spec=champion.spec,
        manifest=champion.manifest,
        parent_weights=version.weights,
        read_parent=lambda: context.store.get(version.model, version.version).read(WEIGHTS_FILE),
        roles=roles,
        pixels=context.arrays,
        options=(),
        seed=plan.seed,
        budget_steps=plan.budget_steps,
        device=(context.elsewhere or plan.environment).device,
        precision=(context.elsewhere or plan.environment).precision,
        checkpoints=folder.checkpoints,
        stop=context.stop,
        witness=Witness(),
    )


def _shelf(plan: Plan, roles: RoleTable, champion: Champion, folder: RunFolder, context: Context, laps: Laps) -> Shelf:
    """References, trained when the search first asks for them, and the retrain where one of them is that."""

    def references() -> tuple[State, ...]:
        if not asks_for_references(plan):
            return ()
        cost = reference_cost(plan, roles, champion, context)
        if cost is not None:
            context.talk.say(f"{cost.told()} They are not counted in the budget.")
        found = train_references(plan, roles, champion, context, guard=folder.guard)
        anew = [one for one in found if not one.cached]
        laps.trained(len(anew), sum(one.reference.record.steps for one in anew), sum(one.seconds for one in anew))
        return tuple(one.reference.state() for one in found)

    def retrained() -> Product | None:
        found = trained_before(plan, roles, champion, context)
        return None if found is None else Product(*found)

    return Shelf(references, retrained)


def _candidate(plan: Plan, slot: Slot, found: Found, spec: ModelSpec, folder: RunFolder) -> Candidate:
    return Candidate(
        plan=codec.digest_of(plan),
        slot=slot.number,
        method=found.method.name,
        options=found.method.options,
        weights=found.product.heard.weights,
        spec=codec.digest_of(spec),
        manifest=spec.manifest,
        loader_log=folder.write_table("loader-log", found.product.heard.log),
        parent_weights=plan.champion.weights,
        decisions=found.decisions,
    )
