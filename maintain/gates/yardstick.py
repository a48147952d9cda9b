"""The references a group is judged by: three models of the champion's recipe that never saw it, each proven so.

A false yardstick would pass a false candidate, so a reference is asked for the same proof as a release, and what
contradicts it fails the candidate that was held against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain import codec
from maintain.errors import NotEvaluatedError
from maintain.gates.base import Evidence, ReferenceCheck
from maintain.gates.integrity import SAME_AS_CHAMPION
from maintain.gates.proof import Training, proof_of
from maintain.hashing import Digest
from maintain.records import Recipe
from maintain.vocabulary import Role

#: So many references, because one is no yardstick: seeds alone differ by .04 to .07 on a group (feasibility.md §3-4).
REFERENCES = 3

#: What two trainings by one recipe may differ in.
SEED_FIELDS = frozenset({"seed", "initial_weights"})


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The weights that are averaged, and everything that makes them a false yardstick or an unproven one."""

    weights: tuple[Digest, ...]
    false: tuple[str, ...]
    unproven: tuple[str, ...]


def yardstick_of(evidence: Evidence) -> Yardstick:
    """The references of a candidate, each with its proof. Raises `NotEvaluatedError` below three.

    A candidate that was itself trained anew may be one of them; it is then held against the others only.
    """
    checks = evidence.references
    if len(checks) < REFERENCES:
        raise NotEvaluatedError(
            f"A group is judged by {REFERENCES} references that never saw it; there are {len(checks)}.",
            remedy="Train them with `maintain reference train POLICY`, then verify again.",
        )
    false: list[str] = []
    unproven: list[str] = []
    for place, check in enumerate(checks, start=1):
        against, open_ends = _judged(check, evidence)
        false += [f"reference {place}: {reason}" for reason in against]
        unproven += [f"reference {place}: {reason}" for reason in open_ends]
    if len({check.weights for check in checks}) < len(checks):
        false.append("the references are not different models")
    others = tuple(check.weights for check in checks if check.weights != evidence.candidate.weights)
    return Yardstick(others, tuple(false), tuple(unproven))


# --- private ---------------------------------------------------------------------------------------


def _judged(check: ReferenceCheck, evidence: Evidence) -> tuple[list[str], list[str]]:
    proof = proof_of(Training(check.log, check.manifest, check.spec, check.initial), evidence)
    retained = {row.ref for row in evidence.roles.of(Role.RETAIN)}
    champion, candidate = evidence.plan.champion.weights, evidence.candidate.weights
    said = {
        "its weights file is another than its records name": check.found == check.weights,
        "its log is of other weights": check.log.final_weights == check.weights,
        "its log and manifest name different origins": check.log.origin == check.manifest.origin,
        "its network names another manifest": check.spec.manifest == codec.digest_of(check.manifest),
        "it is the champion": champion not in (check.weights, check.found),
        "it is the candidate": evidence.anew or candidate not in (check.weights, check.found),
        "it learned other cases than those this plan retains": set(check.manifest.learned) == retained,
        "it has another network or preprocessing than the champion": all(
            getattr(check.spec, field) == getattr(evidence.champion_spec, field) for field in SAME_AS_CHAMPION
        ),
        "it was trained by another recipe than the champion's": _same_recipe(
            check.spec.recipe, evidence.champion_spec.recipe
        ),
    }
    broken = [reason for reason, holds in said.items() if not holds]
    return [*broken, *proof.contradicted], list(proof.unproven)


def _same_recipe(recipe: Recipe | None, champions: Recipe | None) -> bool:
    if recipe is None or champions is None:
        return recipe is champions
    return all(
        getattr(recipe, field) == getattr(champions, field)
        for field in Recipe.__dataclass_fields__
        if field not in SEED_FIELDS
    )
