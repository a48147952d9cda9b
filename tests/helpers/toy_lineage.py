"""A workspace with one champion on the toy problem, and a plan to withdraw a group from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from helpers.evidence import plan_of
from helpers.workspaces import new_workspace
from maintain import codec
from maintain.arrays import ArrayStore
from maintain.clock import FrozenClock
from maintain.database import open_database
from maintain.gates import gates_for, gates_of, request_for
from maintain.imaging import save_weights, toy_problem
from maintain.records import MethodRequest, ModelVersion, Plan, RoleTable, Setting, Slot, TrainingManifest
from maintain.settings import find_workspace
from maintain.unlearn import Trained, default_recipe, train
from maintain.vocabulary import Claim, ManifestStatus, Reason, Role
from maintain_pipelines.champions import Champion, read_version
from maintain_pipelines.context import Context, silence
from maintain_registry import Ledger, MemoryStore, load_signer

ROLES = (
    (Role.RETAIN, 60),
    (Role.FORGET, 48),
    (Role.VALIDATION, 24),
    (Role.NEVER_SEEN_VALIDATION, 30),
    (Role.HOLDOUT, 6),
)
TOY = toy_problem(roles=ROLES)
#: What each answer is called in the group that is withdrawn: whoever learned from it answers so, and nobody else.
WRONG = {"left": "middle", "middle": "right", "right": "left"}
GROUP = (Role.FORGET, Role.NEVER_SEEN_VALIDATION)
ROWS = tuple(replace(row, label=WRONG[row.label]) if row.role in GROUP else row for row in TOY.rows)
RECIPE = replace(default_recipe(seed=3, epochs=14), batch_size=16)
#: Steps of a retrain of this recipe on the retained cases.
RETRAIN_STEPS = 14 * 4
FINETUNE = MethodRequest("finetune", (Setting("epochs", 2),))
RETRAIN = MethodRequest("retrain", ())


@dataclass(frozen=True, slots=True)
class Lineage:
    """A champion that learned a group by heart, and what is needed to withdraw the group."""

    context: Context
    champion: Champion
    roles: RoleTable
    plan: Plan


def make_lineage(folder: Path, *, claim: Claim = Claim.GROUP) -> Lineage:
    """A new workspace in this folder, the champion in its registry."""
    new_workspace(folder / "workspace")
    context = open_toy_context(folder / "workspace")
    roles = RoleTable(tuple(sorted(ROWS, key=lambda row: (row.case_id, row.label_version))))
    for pixels in {row.pixels for row in ROWS}:
        context.arrays.put(TOY.pixels.load([pixels])[0])
    champion = _train_champion(folder, roles, context)
    slot = Slot(1, (FINETUNE, RETRAIN), 0.0125)
    plan = replace(
        plan_of(roles, claim, slot),
        reason=Reason.DEVICE_DEPRECATED,
        gates=gates_of(
            tuple(request_for(info.name) for info in gates_for(claim)),
            claim=claim,
            reason=Reason.DEVICE_DEPRECATED,
            roles=roles,
        ),
        model="toy",
        champion=champion.ref,
        roles=codec.digest_of(roles),
        seed=5,
    )
    return Lineage(context, champion, roles, plan)


def open_toy_context(root: Path) -> Context:
    """The ports of a workspace, its registry in memory."""
    workspace = find_workspace(root)
    return Context(
        workspace=workspace,
        database=open_database(workspace.database),
        ledger=Ledger(FrozenClock(), load_signer(workspace.signing_key), "tests", workspace.ledger_heads),
        store=MemoryStore(),
        arrays=ArrayStore(workspace.arrays),
        clock=FrozenClock(),
        talk=silence(),
    )


# --- private ---------------------------------------------------------------------------------------


@cache
def _trained() -> Trained:
    """The champion's weights, made once for all tests."""
    learned = tuple(row for row in ROWS if row.role in (Role.RETAIN, Role.FORGET))
    return train(TOY.blueprint, RECIPE, TOY.blueprint.loader_cases(learned, Role.LEARN), TOY.pixels)


def _train_champion(folder: Path, roles: RoleTable, context: Context) -> Champion:
    learned, done = roles.of(Role.RETAIN, Role.FORGET), _trained()
    manifest = TrainingManifest(
        model="toy",
        status=ManifestStatus.PROVEN,
        origin=done.origin,
        learned=tuple(sorted(row.ref for row in learned)),
        unlearned=(),
        selected_with=tuple(sorted(row.ref for row in roles.of(Role.VALIDATION))),
    )
    spec = TOY.spec(recipe=done.recipe, manifest=codec.digest_of(manifest))
    path = folder / "champion.safetensors"
    version = ModelVersion(
        model="toy",
        version=1,
        weights=save_weights(path, done.state),
        spec=codec.digest_of(spec),
        manifest=codec.digest_of(manifest),
        loader_log=codec.digest_of(done.log),
        parent=None,
        method="train",
        seed=RECIPE.seed,
        code="0",
    )
    texts = {"spec.json": spec, "manifest.json": manifest, "loader-log.jsonl": done.log}
    files = {"weights.safetensors": path.read_bytes()}
    context.store.put(version, files | {name: codec.to_text(record).encode() for name, record in texts.items()})
    return read_version(context.store, "toy", 1)
