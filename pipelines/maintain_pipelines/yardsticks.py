"""Policy -> references: what `maintain reference train` does, before any run needs them.

It holds the model like a run does, so it neither disturbs a run nor is disturbed by one, and it opens no held-out
case: how far the references agree is told by validation cases of the group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from maintain.errors import InputError, NothingToDoError
from maintain.imaging import model_of, threads
from maintain.measure import measure
from maintain.vocabulary import Claim, Role
from maintain_pipelines.champions import load_champion
from maintain_pipelines.claims import guard, hold
from maintain_pipelines.context import Context
from maintain_pipelines.references import (
    StoredReference,
    TrainedReference,
    asks_for_references,
    reference_cost,
    train_references,
)
from maintain_pipelines.select import Selection, make_plan
from maintain_policies import Policy

#: What a second process is told that works on the model.
HOLDER = "reference train"


@dataclass(frozen=True, slots=True)
class Yardstick:
    """One reference, and its accuracy on the group's validation cases (None where there are none)."""

    trained: TrainedReference
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """The references of a policy. `cases` is how many validation cases of the group they were asked about."""

    model: str
    references: tuple[Yardstick, ...]
    cases: int

    @property
    def spread(self) -> float | None:
        """Between the most and the least accurate; None where nothing was asked."""
        known = [one.accuracy for one in self.references if one.accuracy is not None]
        return max(known) - min(known) if len(known) == len(self.references) and known else None


def train_for(policy: Policy, context: Context) -> Yardsticks:
    """Train what is missing of the references of a policy.

    Raises:
        InputError: The policy is not judged by references, or its model cannot be trained again.
        NothingToDoError: The champion learned from no match.
        HeldError: Another process works on the model.
        WaitingError: It was told to stop; the same command goes on.
    """
    _refuse_other_claims(policy)
    load_champion(context, policy.model.name)
    seconds = context.workspace.settings.runs.lease_seconds
    with hold(context.database, policy.model.name, HOLDER, lease_seconds=seconds) as claim:
        standing = guard(context.database, claim)

        def stop() -> bool:
            standing()
            return context.stop()

        fenced = replace(context, stop=stop)
        selection = make_plan(policy, fenced)
        _refuse_without_use(selection)
        plan, roles, champion = selection.plan, selection.roles, selection.champion
        cost = reference_cost(plan, roles, champion, fenced)
        if cost is not None:
            context.talk.say(cost.told())
        trained = train_references(plan, roles, champion, fenced, guard=standing)
        return _compared(selection, trained, fenced)


# --- private ---------------------------------------------------------------------------------------


def _refuse_other_claims(policy: Policy) -> None:
    if policy.claim is not Claim.GROUP:
        raise InputError(
            f"References are the yardstick of the claim group; {policy.name} claims {policy.claim}.",
            remedy="Say `maintain run POLICY`: never-saw is proven by digests, examples against never-seen cases.",
        )


def _refuse_without_use(selection: Selection) -> None:
    plan = selection.plan
    if selection.nothing_learned:
        raise NothingToDoError(
            f"Version {plan.champion.version} of {plan.model} learned nothing to forget: there is nothing to compare.",
            remedy="Say `maintain run POLICY`, which suppresses the matches.",
        )
    if not asks_for_references(plan):
        raise InputError(
            f"{plan.policy_name} is not judged by references: it withdraws whole labels, or asks for no such gate.",
            remedy="Say `maintain plan POLICY` to see its gates.",
        )


def _compared(selection: Selection, trained: tuple[TrainedReference, ...], context: Context) -> Yardsticks:
    cases = len(selection.roles.of(Role.NEVER_SEEN_VALIDATION))
    with threads(selection.plan.environment.threads):
        found = tuple(Yardstick(one, _accuracy(one.reference, selection, context)) for one in trained)
    return Yardsticks(selection.plan.model, found, cases)


def _accuracy(reference: StoredReference, selection: Selection, context: Context) -> float | None:
    rows = measure(
        model_of(reference.spec, reference.state()),
        reference.spec,
        selection.roles.of(Role.NEVER_SEEN_VALIDATION),
        context.arrays,
        weights=reference.record.weights,
        device=selection.plan.environment.device,
    )
    known = [row for row in rows if all(row.label_mask)]
    right = sum(row.logits.index(max(row.logits)) == row.label[0] for row in known)
    return right / len(known) if known else None
