"""A policy's own test: its selection resolved over a small cohort, and held against what is expected.

The selection is the one that a plan is made of, and what it bars is barred as a registration would. Nothing is kept,
and no model is asked.
"""

from __future__ import annotations

from contextlib import suppress

from maintain import __version__
from maintain.cohort import CohortStore, read_standings, suppressed
from maintain.cohort import suppress as bar
from maintain.database import Database, UnitOfWork
from maintain.errors import InputError, LimitError
from maintain.records import Environment
from maintain.vocabulary import Precision
from maintain_pipelines.champions import Champion
from maintain_pipelines.explain import story_of
from maintain_pipelines.policy_cohort import MOMENT, stage_cohort
from maintain_pipelines.policy_expected import Observed, PolicyOutcome, compare
from maintain_pipelines.reach import refuse_excess
from maintain_pipelines.select import resolve
from maintain_pipelines.suppress import besides_requests
from maintain_policies import Policy
from maintain_policies.testing import PolicyTest

#: Where a test computes: nowhere. No method is run, so nothing depends on it.
NOWHERE = Environment("none", "none", "cpu", 1, "none", "none", __version__, Precision.FP32)

#: A model that is not the policy's: what is barred there is barred everywhere.
ANOTHER_MODEL = "another-model"


def run_test(test: PolicyTest, database: Database) -> PolicyOutcome:
    """Stage the cohort, resolve the policy, compare. Raises `PolicyError` for a cohort that cannot be.

    The database must hold no case; nothing is left in it.
    """
    seen: list[Observed] = []
    with suppress(_Undone), database.begin() as unit:
        champion = stage_cohort(test.cohort, test.policy.model.name, unit)
        seen.append(observe(test.policy, champion, unit))
        raise _Undone
    return compare(test, seen[0])


def observe(policy: Policy, champion: Champion, unit: UnitOfWork) -> Observed:
    """What the policy does to a cohort that was staged, what it bars included, which stays in the unit of work."""
    try:
        found = resolve(policy, champion, unit, NOWHERE)
    except InputError as error:
        return Observed((), None, error.message, {}, {})
    try:
        refuse_excess(policy.name, found.reach)
        refused = None
    except LimitError as error:
        refused = error.message
    stories = tuple(story_of(case, policy, found) for case in CohortStore(unit).cases())
    plan = found.selection.plan
    matched = besides_requests(unit, (match.case for match in found.selection.matches), plan)
    bar(unit, matched, reason=policy.reason, policy=policy.digest, model=policy.model.name, now=MOMENT)
    label = champion.spec.label_name
    here, elsewhere = (_barred(unit, model, label) for model in (policy.model.name, ANOTHER_MODEL))
    return Observed(stories, found, refused, here, elsewhere)


# --- private ---------------------------------------------------------------------------------------


class _Undone(Exception):
    """Ends a unit of work without keeping it."""


def _barred(unit: UnitOfWork, model: str, label: str) -> dict[str, str]:
    """What the next snapshot of a model would leave out, under the labels of today, each with its reason."""
    listed = suppressed(unit, model)
    whys = {case.case_id: listed.why(case, label_version=case.label_version) for case in read_standings(unit, label)}
    return {case: why for case, why in whys.items() if why is not None}
