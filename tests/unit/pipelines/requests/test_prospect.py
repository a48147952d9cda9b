"""What each lineage owes a request, and who will see to it: a policy that really selects the images, or a person."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from helpers.cohorts import NOW, undone
from helpers.evidence import honest_evidence
from helpers.letters import images_of, wish
from helpers.lineage import MODEL, add_candidate, install, manifest_of
from maintain.cli.catalogues import catalogues
from maintain.cohort import CohortStore, suppressed
from maintain.database import tables
from maintain.errors import DamagedError
from maintain.vocabulary import Claim, Duty, Reason
from maintain_pipelines.barring import bar_matches
from maintain_pipelines.champions import Champion, load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.promote import promote
from maintain_pipelines.requests import Prospect, Shelved, standing_of, standings, withdraw_request
from maintain_pipelines.requests import prospect as prospects
from maintain_pipelines.retire import retire
from maintain_pipelines.suspend import suspend
from maintain_policies import Policy, begin_policy, parse_policy
from maintain_registry import Event, EventKind


def policy(where: str = "{request.status: open}", *, model: str = MODEL) -> Policy:
    text = begin_policy("forget-requests", model=model).replace("where:\n    request.status: open", f"where: {where} #")
    return parse_policy(text, source="forget.yaml", catalogues=catalogues())


def lineage(context: Context, *given: Policy) -> Prospect:
    shelf = tuple(Shelved(f"{number}.yaml", one) for number, one in enumerate(given))
    found = standing_of("R-2026-0001", context, policies=shelf).outlook
    assert found is not None
    return found.lineages[0]


@pytest.fixture
def asked(context: Context) -> Context:
    """Somebody of whom the champion learned wants to be forgotten."""
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    return context


@pytest.mark.parametrize(
    "given",
    [
        policy("{consent.status: withdrawn}"),
        policy("{request.status: answered}"),
        policy("{request.status: open, device.model: Visucam}"),
        policy(model="another-model"),
        replace(policy(), claim=Claim.GROUP),
    ],
    ids=["of-consent", "of-answered", "of-a-camera", "of-another-model", "of-a-group"],
)
def test_a_policy_that_would_not_answer_is_not_named(asked: Context, given: Policy) -> None:
    found = lineage(asked, given)
    assert (found.policy, found.schedule) == (None, None)
    assert "maintain policy new forget-requests --model triage" in str(found.action)


def test_what_a_person_must_do_is_listed_before_what_happens_by_itself(asked: Context) -> None:
    install(asked, manifest_of(images_of(1, 3), model="second-model"), salt=7)
    shelf = (Shelved("second.yaml", policy(model="second-model")),)
    found = standing_of("R-2026-0001", asked, policies=shelf)
    assert found.outlook is not None
    assert [lineage.policy for lineage in found.outlook.unanswered] == ["second.yaml", None]
    assert found.waits_for == "triage: a person"


def test_the_first_that_answers_is_named(asked: Context) -> None:
    found = lineage(asked, policy("{consent.status: withdrawn}"), policy(), policy())
    assert (found.policy, found.schedule, found.action) == ("1.yaml", "0 3 * * * Europe/Vienna", None)


def test_its_schedule_is_said_where_it_has_one(asked: Context) -> None:
    class Nightly(SimpleNamespace):
        def spoken(self) -> str:
            return "at 02:00"

    given = SimpleNamespace(
        model=policy().model, where=policy().where, unit=policy().unit, claim=Claim.NEVER_SAW, schedule=Nightly()
    )
    assert lineage(asked, given).schedule == "at 02:00"  # type: ignore[arg-type]


def test_nobody_asked_for_policies_so_none_is_missing(asked: Context) -> None:
    found = standing_of("R-2026-0001", asked).outlook
    assert found is not None
    assert (found.lineages[0].policy, found.lineages[0].action) == (None, None)


def test_a_champion_without_its_recipe_is_for_a_person(asked: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    champion = load_champion(asked, MODEL)
    bare = replace(champion, spec=replace(champion.spec, recipe=None))
    monkeypatch.setattr(prospects, "load_champion", lambda *_: bare)
    found = lineage(asked, policy())
    assert found.policy is None
    assert "without the recipe of its training" in str(found.action)


def test_a_champion_is_read_once_however_many_ask(asked: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    wish(asked, 2)
    read: list[str] = []

    def counted(context: Context, model: str) -> Champion:
        read.append(model)
        return load_champion(context, model)

    monkeypatch.setattr(prospects, "load_champion", counted)
    assert len(standings(asked, policies=())) == 2
    assert read == [MODEL]


def test_a_damaged_champion_is_for_a_person(asked: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: object) -> object:
        raise DamagedError("torn", remedy="mend it")

    monkeypatch.setattr(prospects, "load_champion", torn)
    assert "`maintain doctor` says what is damaged" in str(lineage(asked, policy()).action)


def test_a_model_that_serves_no_version_is_for_a_person(asked: Context) -> None:
    suspend(MODEL, asked, reason="ticket 4711")
    assert "no version of triage serves" in str(lineage(asked, policy()).action)


def test_versions_without_weights_are_exposed_no_longer(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2)))
    wish(context, 1)
    add_candidate(context, 1, manifest_of(images_of(2)), salt=1)
    promote(MODEL, None, context)
    retire(MODEL, 1, context, reason="ticket 4711")
    with context.ledger.begin(context.database) as unit:
        for kind in (EventKind.DESTRUCTION_ORDERED, EventKind.WEIGHTS_DESTROYED):
            context.ledger.append(unit, Event(kind, MODEL, {"version": 1}))
    found = standing_of("R-2026-0001", context)
    assert found.outlook is not None
    assert (found.outlook.lineages, found.waits_for) == ((), "being closed")
    assert {count.duty: count.images for count in found.outlook.duties}[Duty.UNLEARN] == 0


def test_who_was_held_out_and_looked_at_is_to_be_judged_anew(context: Context) -> None:
    install(context, manifest_of(images_of(1)))
    with context.database.begin() as unit:
        look = {"run": "run-1", "candidate": "c" * 64}
        facts = {"model": MODEL, "number": 1, "taken": "2026-01-01T12:00:00Z"}
        unit.execute(tables.look.insert(), {**look, **facts})
        patient = CohortStore(unit).case("case-0009").patient
        unit.execute(tables.look_patient.insert(), {**look, "patient": patient})
    outlook = wish(context, 5).outlook
    assert outlook is not None
    assert {count.duty: count.images for count in outlook.duties} == {
        Duty.UNLEARN: 0,
        Duty.RE_EVALUATE: 2,
        Duty.ERASE_ONLY: 0,
    }


def test_what_a_request_bars_no_policy_of_a_person_lists_again(context: Context) -> None:
    wish(context, 1)
    evidence = honest_evidence()

    def listed(reason: Reason) -> int:
        plan = replace(evidence.plan, reason=reason, model=MODEL)
        with undone(context.database) as unit:
            cases = CohortStore(unit).named(["case-0001", "case-0003"])
            return bar_matches(unit, plan, evidence.roles, cases, label_name="diagnosis", now=NOW).newly

    for reason, count in ((Reason.CONSENT, 1), (Reason.DATA_SUBJECT, 1), (Reason.DEVICE_DEPRECATED, 2)):
        assert listed(reason) == count
    withdraw_request("R-2026-0001", context)
    with context.database.read() as unit:
        assert suppressed(unit, None).cases == {}
    assert listed(Reason.CONSENT) == 2
