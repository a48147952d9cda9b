"""An attempt is made, looked at, screened and judged as a run would, and costs what its networks answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch.nn.modules import module as modules

from maintain.errors import InputError
from maintain.records import LoaderLog, Setting
from maintain.vocabulary import Outcome, Role
from maintain_pipelines.bench.attempts import attempt, behaviour_of, short_retrain, whole_label
from maintain_pipelines.bench.desk import EXAMPLES, Desk, desk_of
from maintain_pipelines.bench.problem import separable
from maintain_pipelines.bench.trainings import Trainings

EPOCHS = 5


@pytest.fixture(scope="module")
def desk() -> Desk:
    """A champion that learned little: enough for counts and digests."""
    return desk_of(replace(separable(3, patients=80), epochs=EPOCHS), Trainings())


def handed_out(log: LoaderLog) -> int:
    return sum(row.times_seen for row in log.rows)


def test_an_unknown_option_is_refused_and_nothing_goes_on_counting(desk: Desk) -> None:
    with pytest.raises(InputError):
        attempt(desk, EXAMPLES, "random-label", (Setting("nonsense", 1),))
    with pytest.raises(InputError):
        attempt(desk, EXAMPLES, "random-label", (Setting("layers", "none"),))
    assert not modules._global_forward_hooks


def test_a_retrain_costs_what_its_loader_counted(desk: Desk) -> None:
    tried = attempt(desk, EXAMPLES, "retrain")
    assert tried.cost.gradients == handed_out(tried.heard.log) > 0
    assert tried.looks == ()
    assert tried.judged.outcome_of("never-saw") is Outcome.PASS
    assert not modules._global_forward_hooks


def test_steps_after_the_kept_look_and_looks_before_the_first_step_cost_too(desk: Desk) -> None:
    tried = attempt(desk, EXAMPLES, "msg", (Setting("steps", 20), Setting("retain_batch", 16)))
    forgotten = len(desk.planned(EXAMPLES).roles.of(Role.FORGET))
    assert tried.heard.spent == 20
    assert tried.cost.gradients > 20 * 16 * 0.8 + forgotten
    assert len(tried.looks) == 2
    assert tried.cost.looking > 0


def test_an_attempt_is_offered_as_what_it_is(desk: Desk) -> None:
    before = desk.planned(EXAMPLES)
    tried = attempt(desk, EXAMPLES, "second-best-label", (Setting("steps", 20),))
    assert tried.judged.outcome_of("integrity") is Outcome.PASS
    assert tried.judged.outcome_of("never-saw") is None
    assert desk.planned(EXAMPLES) is before
    again = attempt(desk, EXAMPLES, "second-best-label", (Setting("steps", 20),))
    assert (again.heard.weights, again.cost.gradients) == (tried.heard.weights, tried.cost.gradients)
    other = attempt(desk, EXAMPLES, "second-best-label", (Setting("steps", 20),), run=1)
    assert other.heard.weights != tried.heard.weights


def test_a_short_retrain_stops_after_a_fifth_of_the_epochs_and_never_saw(desk: Desk) -> None:
    short, whole = short_retrain(desk, EXAMPLES), attempt(desk, EXAMPLES, "retrain")
    assert short.heard.steps * EPOCHS == whole.heard.steps
    assert short.judged.outcome_of("never-saw") is Outcome.PASS
    assert short.judged.outcome_of("integrity") is Outcome.PASS


def test_a_retired_label_goes_whole_and_is_judged_by_zero(desk: Desk) -> None:
    story = whole_label(desk.problem)
    planned = desk.planned(story)
    gone = desk.problem.blueprint.label_order[0]
    assert {row.label for row in planned.roles.of(Role.FORGET, Role.NEVER_SEEN)} == {gone}
    assert gone not in {row.label for row in planned.roles.of(Role.RETAIN, Role.HOLDOUT, Role.VALIDATION)}
    assert {"zero"} == {request.name for request in planned.plan.gates} & {"zero", "reference"}


def test_the_champion_behaves_as_itself(desk: Desk) -> None:
    own = behaviour_of(desk, EXAMPLES, desk.model.state)
    assert own.churn == 0.0
    assert 0.0 < own.held_out <= 1.0
    other = attempt(desk, EXAMPLES, "retrain")
    assert behaviour_of(desk, EXAMPLES, other.state).churn > 0.0


def test_a_search_for_labels_costs_what_it_asks(desk: Desk) -> None:
    plain, searched = (
        attempt(desk, EXAMPLES, method, (Setting("steps", 20),)) for method in ("second-best-label", "psg")
    )
    forgotten = len(desk.planned(EXAMPLES).roles.of(Role.FORGET))
    assert searched.cost.gradients >= plain.cost.gradients + forgotten
