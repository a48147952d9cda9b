"""Promote, roll back, suspend: every rule on lineages without any training, over both stores."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.cohorts import NOW
from helpers.lineage import MODEL, add_candidate, install, make_workspace, manifest_of, opened
from maintain.cohort import CohortStore, ConsentFact, suppress
from maintain.errors import (
    BrokenChainError,
    DamagedError,
    InputError,
    NothingToDoError,
    RefusedError,
    StaleError,
    UnknownNameError,
)
from maintain.vocabulary import Alias, ConsentStatus, Reason
from maintain_pipelines.context import Context
from maintain_pipelines.promote import promote
from maintain_pipelines.rollback import rehearse, rollback
from maintain_pipelines.suspend import suspend
from maintain_registry import Aliases, MemoryStore, aliases_of, irregularities, serving_of

WHY = "ticket 4711"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("template") / "workspace")


@pytest.fixture(params=["memory", "folder"])
def context(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Context]:
    root = Path(shutil.copytree(template, tmp_path / "workspace"))
    with opened(root, MemoryStore() if request.param == "memory" else None) as found:
        yield found


def standing(context: Context) -> tuple[int | None, int | None, int | None]:
    """Champion, candidate, previous; store and ledger must agree, and nothing be irregular."""
    found = aliases_of(context.store, MODEL)
    with context.database.read() as unit:
        assert serving_of(unit, MODEL).aliases == found
        assert irregularities(unit, context.store) == ()
    return found.champion, found.candidate, found.previous


def entries(context: Context) -> int:
    with context.database.read() as unit:
        return len(context.ledger.entries(unit))


def withdraw(context: Context, number: int) -> None:
    with context.database.begin() as unit:
        fact = ConsentFact(f"patient-{number:04d}", ConsentStatus.WITHDRAWN, None)
        CohortStore(unit).record_consents([fact])


def bar(context: Context, number: int, reason: Reason) -> None:
    with context.database.begin() as unit:
        cases = CohortStore(unit).named([f"case-{number:04d}"])
        suppress(unit, cases, reason=reason, policy="p", model=MODEL, now=NOW)


def three(context: Context) -> None:
    """Versions 1, 2 and 3, each promoted after the one before; 3 serves."""
    install(context)
    for salt in (1, 2):
        add_candidate(context, salt, manifest_of(range(1, 20 - salt)), salt=salt)
        promote(MODEL, None, context)


# --- promote ---------------------------------------------------------------------------------------


def test_an_unknown_model_or_version_is_refused(context: Context) -> None:
    with pytest.raises(UnknownNameError):
        promote(MODEL, None, context)
    install(context)
    with pytest.raises(UnknownNameError):
        promote(MODEL, 2, context)
    with pytest.raises(UnknownNameError):
        promote("nobody", None, context)


@pytest.mark.parametrize("outcome", [None, "fail", "not-evaluated"])
def test_without_a_passed_verdict_in_the_ledger_nothing_serves(context: Context, outcome: str | None) -> None:
    install(context)
    add_candidate(context, 1, salt=1, outcome=outcome)
    before = entries(context)
    with pytest.raises(RefusedError, match="no passed verdict"):
        promote(MODEL, None, context)
    assert (standing(context), entries(context)) == ((1, 2, None), before)


def test_a_verdict_that_was_forged_in_the_database_is_not_believed(context: Context) -> None:
    install(context)
    add_candidate(context, 1, salt=1, outcome="fail")
    with context.database.begin() as unit:
        for name in ("ledger_no_update", "ledger_no_delete", "ledger_no_replace"):
            unit.connection.exec_driver_sql(f"drop trigger {name}")
        unit.connection.exec_driver_sql("update ledger set body = replace(body, '\"fail\"', '\"pass\"')")
    with pytest.raises(BrokenChainError, match="not what was signed"):
        promote(MODEL, 2, context)
    assert aliases_of(context.store, MODEL).champion == 1


def test_two_candidates_of_one_parent_are_never_both_promoted(context: Context) -> None:
    install(context)
    add_candidate(context, 1, salt=1)
    add_candidate(context, 1, salt=2)
    assert standing(context) == (1, 3, None)
    assert promote(MODEL, 2, context).left == 1
    assert standing(context) == (2, None, 1)
    with pytest.raises(StaleError, match="made from version 1; version 2 serves now"):
        promote(MODEL, 3, context)
    assert standing(context) == (2, None, 1)


def test_said_twice_it_says_that_it_serves(context: Context) -> None:
    install(context)
    add_candidate(context, 1, salt=1)
    promote(MODEL, None, context)
    before = entries(context)
    for version in (None, 2):
        with pytest.raises(NothingToDoError, match="already serves"):
            promote(MODEL, version, context)
    assert entries(context) == before


@pytest.mark.parametrize("reason", [Reason.OUTLIER, Reason.CONSENT])
def test_what_was_suppressed_since_stops_it(context: Context, reason: Reason) -> None:
    install(context)
    add_candidate(context, 1, manifest_of([3, 4]), salt=1)
    bar(context, 5, reason)
    bar(context, 4, reason)
    with pytest.raises(StaleError, match="1 cases of 1 people"):
        promote(MODEL, None, context)
    assert standing(context) == (1, 2, None)


def test_a_case_that_the_cohort_lost_stops_it(context: Context) -> None:
    install(context)
    add_candidate(context, 1, manifest_of([3, 99]), salt=1)
    with pytest.raises(StaleError, match="1 cases that the cohort no longer has"):
        promote(MODEL, None, context)


def test_unlearned_by_behaviour_is_not_learned(context: Context) -> None:
    install(context)
    add_candidate(context, 1, manifest_of([3], unlearned=[4]), salt=1)
    bar(context, 4, Reason.OUTLIER)
    assert promote(MODEL, None, context).version == 2


def test_a_stored_version_of_another_record_never_serves(context: Context) -> None:
    install(context)
    add_candidate(context, 1, salt=1)
    with context.database.begin() as unit:
        unit.connection.exec_driver_sql("update intent set entry = 2 where version = 2")
    with pytest.raises(DamagedError, match="not the one that its ledger entry names"):
        promote(MODEL, None, context)


# --- rollback --------------------------------------------------------------------------------------


def test_there_must_be_something_to_return_to(context: Context) -> None:
    install(context)
    with pytest.raises(RefusedError, match="no version of triage to return to"):
        rollback(MODEL, context, reason=WHY)
    assert standing(context) == (1, None, None)


def test_it_goes_back_once_and_further_only_by_name(context: Context) -> None:
    three(context)
    back = rollback(MODEL, context, reason=WHY)
    assert (back.version, back.left, standing(context)) == (2, 3, (2, None, 1))
    assert [(item.version, item.policy_name, item.cases) for item in back.reopened] == [(3, "policy-2", 2)]
    with pytest.raises(NothingToDoError, match="led to version 2 of triage already"):
        rollback(MODEL, context, reason=WHY)
    again = rollback(MODEL, context, reason=WHY, to=1)
    assert (again.left, standing(context)) == (2, (1, None, None))
    with pytest.raises(NothingToDoError, match="already serves"):
        rollback(MODEL, context, reason=WHY, to=1)


def test_a_version_that_was_left_returns_by_name_alone(context: Context) -> None:
    three(context)
    rollback(MODEL, context, reason=WHY, to=1)
    with pytest.raises(RefusedError, match="served before and was left"):
        promote(MODEL, 2, context)
    back = rollback(MODEL, context, reason=WHY, to=3)
    assert (back.reopened, standing(context)) == ((), (3, None, 2))


def test_a_version_that_never_served_is_no_way_back(context: Context) -> None:
    install(context)
    add_candidate(context, 1, salt=1)
    with pytest.raises(RefusedError, match="never served"):
        rollback(MODEL, context, reason=WHY, to=2)


def test_nobody_returns_to_what_learned_from_people_who_took_it_back(context: Context) -> None:
    three(context)
    withdraw(context, 18)
    assert standing(context) == (3, None, 2)
    for call in (rollback, rehearse):
        with pytest.raises(RefusedError, match="Version 2 of triage learned from 1 cases of 1 people") as refused:
            call(MODEL, context, reason=WHY)
        assert "suspend" in refused.value.remedy
        assert "patient-0018" not in refused.value.message
    assert standing(context) == (3, None, 2)


def test_unlearned_by_behaviour_is_still_exposed_to_a_person(context: Context) -> None:
    install(context)
    add_candidate(context, 1, manifest_of([3], unlearned=[4]), salt=1)
    promote(MODEL, None, context)
    add_candidate(context, 2, manifest_of([3]), salt=2)
    promote(MODEL, None, context)
    bar(context, 4, Reason.DATA_SUBJECT)
    with pytest.raises(RefusedError, match="Version 2 of triage learned from 1 cases"):
        rollback(MODEL, context, reason=WHY)


def test_the_nearest_version_that_may_serve_is_named(context: Context) -> None:
    install(context, manifest_of([1, 2]))
    for salt, learned in ((1, [1, 2, 3]), (2, [1])):
        add_candidate(context, salt, manifest_of(learned), salt=salt)
        promote(MODEL, None, context)
    withdraw(context, 3)
    with pytest.raises(RefusedError) as refused:
        rollback(MODEL, context, reason=WHY)
    assert "--to 1" in refused.value.remedy
    assert rollback(MODEL, context, reason=WHY, to=1).version == 1


def test_a_device_or_an_outlier_does_not_bar_the_way_back(context: Context) -> None:
    three(context)
    bar(context, 18, Reason.OUTLIER)
    assert rollback(MODEL, context, reason=WHY).version == 2


def test_a_rehearsal_changes_nothing(context: Context) -> None:
    three(context)
    before = entries(context)
    found = rehearse(MODEL, context, reason=WHY)
    assert (found.version, found.left, found.moved) == (2, 3, None)
    assert (entries(context), standing(context)) == (before, (3, None, 2))


def test_a_candidate_of_the_version_that_was_left_no_longer_waits(context: Context) -> None:
    three(context)
    add_candidate(context, 3, salt=5)
    rollback(MODEL, context, reason=WHY)
    assert standing(context) == (2, None, 1)
    with pytest.raises(StaleError, match="made from version 3; version 2 serves now"):
        promote(MODEL, 4, context)


# --- suspend ---------------------------------------------------------------------------------------


def test_suspended_nothing_serves_and_a_candidate_of_it_may(context: Context) -> None:
    three(context)
    add_candidate(context, 3, salt=5)
    assert suspend(MODEL, context, reason=WHY).left == 3
    assert standing(context) == (None, 4, 2)
    with pytest.raises(NothingToDoError, match="No version of triage serves"):
        suspend(MODEL, context, reason=WHY)
    moved = promote(MODEL, None, context)
    assert (moved.left, standing(context)) == (None, (4, None, 2))


def test_after_a_suspension_the_way_back_leads_past_the_version_that_was_suspended(context: Context) -> None:
    three(context)
    suspend(MODEL, context, reason=WHY)
    back = rollback(MODEL, context, reason=WHY)
    assert (back.version, standing(context)) == (2, (2, None, 1))
    assert [item.version for item in back.reopened] == [3]


def test_a_suspended_version_may_be_named(context: Context) -> None:
    install(context)
    suspend(MODEL, context, reason=WHY)
    assert standing(context) == (None, None, None)
    rollback(MODEL, context, reason=WHY, to=1)
    assert standing(context) == (1, None, None)


def test_a_lineage_that_was_suspended_takes_a_new_first_version(context: Context) -> None:
    install(context)
    suspend(MODEL, context, reason=WHY)
    assert install(context, salt=9) == 2
    assert standing(context) == (2, None, None)


# --- what a person writes --------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "x" * 201, "for patient-0007, by letter", "HOSP-7 called"])
def test_a_reason_is_one_line_that_names_nobody(context: Context, reason: str) -> None:
    install(context)
    from maintain.intake import Pseudonyms

    named = Pseudonyms(bytes(range(32))).patient("HOSP-7", None)
    with context.database.begin() as unit:
        unit.connection.exec_driver_sql(
            f"insert into patient (patient, consent, salt) values ('{named}', 'unknown', x'00')"
        )
    for call in (suspend, rollback):
        with pytest.raises(InputError, match="reason"):
            call(MODEL, context, reason=reason)
    assert aliases_of(context.store, MODEL) == Aliases(champion=1)


# --- an alias that somebody moved ------------------------------------------------------------------


def test_an_alias_that_was_moved_by_hand_is_named_and_decides_nothing(context: Context) -> None:
    three(context)
    add_candidate(context, 3, salt=5)
    context.store.set_alias(MODEL, Alias.CHAMPION, 4, expected=3)
    with context.database.read() as unit:
        (found,) = irregularities(unit, context.store)
    assert found.serious
    assert found.said == "The alias champion of triage points at version 4; the ledger says version 3."
    with pytest.raises(RefusedError, match="disagree on the champion"):
        promote(MODEL, 4, context)
    rollback(MODEL, context, reason=WHY, to=3)
    assert standing(context) == (3, 4, 2)
