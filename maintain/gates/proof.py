"""What proves that a training never saw a group of cases, for a candidate and for a reference alike.

Decided by digests and by what the loader counted, never by behaviour. A contradiction is not softened by what is
merely unproven, and what is unproven never counts as proven.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.gates.base import Evidence
from maintain.gates.consumption import SELECTING, Group, copies, counted, group_of, handed_out, members, trained_on
from maintain.gates.descent import Descent, descent
from maintain.hashing import Digest
from maintain.records import LoaderLog, ModelSpec, RoleTable, TrainingManifest
from maintain.vocabulary import ManifestStatus, OriginKind, Role

#: Who must not be learned: the forget set, and whoever matches the policy or is no longer usable.
EXCLUDED = (Role.FORGET, Role.NEVER_SEEN, Role.NEVER_SEEN_VALIDATION, Role.SUPPRESSED)

#: Who must not have chosen a checkpoint either. The policy's own validation cases may: see `Role`.
UNUSABLE = (Role.FORGET, Role.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Training:
    """The records of one training. `initial` are its first weights drawn again from the seed, if that was done."""

    log: LoaderLog
    manifest: TrainingManifest
    spec: ModelSpec
    initial: Digest | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that contradicts a training's having never seen the group, and everything that leaves it open."""

    contradicted: tuple[str, ...]
    unproven: tuple[str, ...]


def proof_of(training: Training, evidence: Evidence) -> Proof:
    """What the records of a training prove about the excluded cases of the plan."""
    line = descent(evidence, training.log.origin)
    roles, reason = evidence.roles, evidence.plan.reason
    excluded, unusable = (group_of(roles, reason, *kinds) for kinds in (EXCLUDED, UNUSABLE))
    contradicted, unproven = _origin(training)
    return Proof(
        contradicted=(
            *_learned(training, excluded, roles),
            *_manifest(training, line, unusable),
            *_inherited(line, excluded, roles),
            *contradicted,
        ),
        unproven=(*unproven, *line.breaks, *_unknown(line, excluded, roles)),
    )


# --- private ---------------------------------------------------------------------------------------


def _learned(training: Training, group: Group, roles: RoleTable) -> list[str]:
    trained = trained_on(training.log)
    reasons = [] if trained else ["the loader handed out nothing to learn from"]
    if number := members(trained, group):
        reasons.append(f"{counted(number, 'excluded case')} handed out in training")
    if number := copies(trained, group, roles):
        reasons.append(f"{counted(number, 'exact copy', 'exact copies')} of excluded cases handed out")
    return reasons


def _inherited(line: Descent, group: Group, roles: RoleTable) -> list[str]:
    """Excluded cases that are in the weights because a version before this one learned them."""
    reasons = []
    if number := members(line.known, group):
        reasons.append(f"{counted(number, 'excluded case')} learned by a version that training began from")
    if number := copies(line.known, group, roles):
        reasons.append(f"{counted(number, 'exact copy', 'exact copies')} of excluded cases learned by such a version")
    return reasons


def _unknown(line: Descent, group: Group, roles: RoleTable) -> list[str]:
    """Cases an ancestor learned of which the plan cannot tell whether they are excluded ones."""
    planned = {row.ref for row in roles.rows}
    number = sum(ref not in planned and not group.holds(ref) for ref in line.known)
    if not number:
        return []
    return [f"the plan does not know {counted(number, 'case')} learned by a version that training began from"]


def _manifest(training: Training, line: Descent, unusable: Group) -> list[str]:
    trained, manifest = trained_on(training.log), training.manifest
    learned = frozenset(manifest.learned)
    selected = frozenset(manifest.selected_with)
    seen = {(row.case_id, row.label_version) for row in handed_out(training.log) if row.role in SELECTING}
    unlisted = seen - {(ref.case_id, ref.label_version) for ref in selected}
    fresh = training.log.origin.kind is OriginKind.INITIALISATION
    return [
        f"{counted(number, 'case')} {what}"
        for number, what in (
            (len(trained - learned), "handed out that the manifest does not list as learned"),
            (len(learned - trained - line.known), "listed as learned that the loader never handed out"),
            (len(manifest.learned) - len(learned), "listed as learned twice"),
            (len(manifest.unlearned) if fresh else 0, "listed as unlearned by a version that starts afresh"),
            (members(selected, unusable), "listed as selected with, though to be forgotten or suppressed"),
            (len(unlisted), "used to choose a checkpoint that the manifest does not list"),
        )
        if number
    ]


def _origin(training: Training) -> tuple[list[str], list[str]]:
    origin, recipe = training.log.origin, training.spec.recipe
    contradicted: list[str] = []
    unproven: list[str] = []
    if training.manifest.status is not ManifestStatus.PROVEN:
        unproven.append(f"the manifest is {training.manifest.status}, not proven")
    if origin.kind is OriginKind.CHECKPOINT:
        return contradicted, unproven
    if recipe is None:
        unproven.append("there is no recipe to say what the training began from")
    elif origin.weights != recipe.initial_weights:
        contradicted.append("training began from other weights than the recipe's")
    if training.initial is None:
        unproven.append("the initial weights could not be made again from the recipe's seed")
    elif origin.weights != training.initial:
        contradicted.append("the recipe's seed gives other initial weights than training began from")
    return contradicted, unproven
