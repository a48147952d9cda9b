"""The search over a slot's methods, on a toy whose champion learned wrong labels by heart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.evidence import plan_of
from maintain import codec
from maintain.errors import InputError, RefusedError
from maintain.imaging import PixelSource, State, read_weights_bytes, save_weights, toy_problem
from maintain.records import MethodRequest, Plan, PlannedCase, RoleTable, Setting, Slot, TrainingManifest
from maintain.unlearn import Unlearned, UnlearnRequest, Witness, default_recipe, train
from maintain.unlearn.finetune import Finetune
from maintain.unlearn.retrain import Retrain
from maintain.vocabulary import Claim, ManifestStatus, OriginKind, Role
from maintain_pipelines.search import Found, Product, Shelf, search

ROLES = (
    (Role.RETAIN, 60),
    (Role.FORGET, 48),
    (Role.VALIDATION, 24),
    (Role.NEVER_SEEN_VALIDATION, 30),
    (Role.SUPPRESSED, 6),
    (Role.HOLDOUT, 6),
)
TOY = toy_problem(roles=ROLES)
#: What each answer is called among the cases that must be forgotten.
WRONG = {"left": "middle", "middle": "right", "right": "left"}
GROUP = (Role.FORGET, Role.NEVER_SEEN_VALIDATION)
ROWS = tuple(replace(row, label=WRONG[row.label]) if row.role in GROUP else row for row in TOY.rows)
LEARNED = tuple(row for row in ROWS if row.role in (Role.RETAIN, Role.FORGET))
RECIPE = replace(default_recipe(seed=3, epochs=14), batch_size=16)
FINETUNE = MethodRequest("finetune", (Setting("epochs", 2),))
RETRAIN = MethodRequest("retrain", ())
BOTH = (FINETUNE, RETRAIN)
GRID = (MethodRequest("finetune", (Setting("epochs", 1),)), FINETUNE)

#: Steps of a retrain of this recipe on the retained cases, and of the fine-tune.
RETRAIN_STEPS, FINETUNE_STEPS = 14 * 4, 2 * 4


@dataclass(frozen=True, slots=True)
class WatchedPixels:
    """Pixels that notice whose they are when they are read."""

    source: PixelSource
    read: set[str]

    def load(self, digests: Sequence[str], /) -> NDArray[np.uint8]:
        self.read.update(digests)
        return self.source.load(digests)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> UnlearnRequest:
    """What every method of a slot is given, for a champion that learned the forget set by heart."""
    done = train(TOY.blueprint, RECIPE, TOY.blueprint.loader_cases(LEARNED, Role.LEARN), TOY.pixels)
    assert done.history[-1].accuracy > 0.95
    path = tmp_path_factory.mktemp("champion") / "weights.safetensors"
    save_weights(path, done.state)
    return UnlearnRequest(
        spec=TOY.spec(recipe=done.recipe),
        manifest=TrainingManifest(
            model="toy",
            status=ManifestStatus.PROVEN,
            origin=done.origin,
            learned=tuple(row.ref for row in LEARNED),
            unlearned=(),
            selected_with=(),
        ),
        parent_weights=done.weights,
        read_parent=path.read_bytes,
        roles=RoleTable(ROWS),
        pixels=TOY.pixels,
        options=(),
        seed=5,
        budget_steps=1000,
    )


@pytest.fixture(scope="module")
def references() -> tuple[State, ...]:
    """Three trainings that never saw the group."""
    cases = TOY.blueprint.loader_cases([row for row in ROWS if row.role is Role.RETAIN], Role.RETAIN)
    recipes = (replace(RECIPE, seed=seed) for seed in (5, 6, 7))
    return tuple(train(TOY.blueprint, recipe, cases, TOY.pixels).state for recipe in recipes)


def searched(
    request: UnlearnRequest,
    *methods: MethodRequest,
    claim: Claim = Claim.EXAMPLES,
    told: list[tuple[str, int, int]] | None = None,
    shelf: Shelf | None = None,
) -> Found:
    slot = Slot(1, methods, 0.0125)
    heard = [] if told is None else told
    return search(
        _plan(request, claim, slot),
        slot,
        replace(request, witness=Witness()),
        lambda name, done, whole: heard.append((name, done, whole)),
        shelf,
    )


def _plan(request: UnlearnRequest, claim: Claim, slot: Slot) -> Plan:
    return plan_of(request.roles, claim, slot)


def pixels_of(*roles: Role) -> set[str]:
    return {row.pixels for row in ROWS if row.role in roles}


def test_for_never_saw_no_behavioural_method_runs_and_no_forget_case_is_read(champion: UnlearnRequest) -> None:
    pixels = WatchedPixels(TOY.pixels, set())
    found = searched(replace(champion, pixels=pixels), *BOTH, claim=Claim.NEVER_SAW)
    left, taken = found.decisions
    assert (left.method, left.chosen, left.steps) == ("finetune", False, 0)
    assert left.reason == "It cannot support the claim never-saw."
    assert (taken.method, taken.chosen, found.method) == ("retrain", True, RETRAIN)
    assert "holds by construction" in taken.reason
    assert pixels.read <= pixels_of(Role.RETAIN, Role.VALIDATION)


def test_a_control_that_leaves_the_leak_is_left_with_its_figures(champion: UnlearnRequest) -> None:
    told: list[tuple[str, int, int]] = []
    found = searched(champion, *BOTH, told=told)
    left, taken = found.decisions
    assert (left.method, left.chosen, left.steps) == ("finetune", False, FINETUNE_STEPS)
    assert "Forgotten and never-seen cases differ by" in left.reason
    figures = {figure.name: figure for figure in left.figures}
    assert figures["champion, forgotten minus never-seen accuracy"].value > 0.5
    assert figures["candidate, forgotten minus never-seen accuracy"].value > 0.5
    assert (taken.method, taken.chosen, taken.steps) == ("retrain", True, RETRAIN_STEPS)
    assert [figure.name for figure in taken.figures] == ["retained accuracy lost"]
    assert found.product.heard.origin.kind is OriginKind.INITIALISATION
    assert [name for name, _, _ in told] == ["finetune"] * 2 + ["retrain"] * 14


def test_held_out_and_suppressed_cases_are_never_read(champion: UnlearnRequest) -> None:
    pixels = WatchedPixels(TOY.pixels, set())
    searched(replace(champion, pixels=pixels), *BOTH)
    assert pixels.read.isdisjoint(pixels_of(Role.SUPPRESSED, Role.HOLDOUT))


def test_a_behavioural_method_that_forgot_goes_on(champion: UnlearnRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Finetune, "unlearn", _forget_for_once)
    found = searched(champion, *BOTH)
    assert found.method == FINETUNE
    (decision,) = found.decisions
    assert decision.chosen
    assert "loses" in decision.reason
    assert len(decision.figures) == 6


def test_a_group_is_compared_with_references_that_are_made_when_they_are_needed(
    champion: UnlearnRequest, references: tuple[State, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def made() -> tuple[State, ...]:
        asked.append("references")
        return references

    shelf = Shelf(references=made)
    left, taken = searched(champion, *BOTH, claim=Claim.GROUP, shelf=shelf).decisions
    assert "On forgotten cases it differs from the references by +1.000 (champion +1.000)" in left.reason
    assert taken.chosen
    assert asked == ["references"]
    monkeypatch.setattr(Finetune, "unlearn", _forget_for_once)
    assert searched(champion, *BOTH, claim=Claim.GROUP, shelf=shelf).method == FINETUNE
    searched(champion, RETRAIN, claim=Claim.GROUP, shelf=shelf)
    assert asked == ["references"] * 2
    monkeypatch.undo()
    searched(champion, *GRID, RETRAIN, claim=Claim.GROUP, shelf=shelf)
    assert asked == ["references"] * 3


def test_without_references_a_group_ends_in_the_way_out(champion: UnlearnRequest) -> None:
    left, taken = searched(champion, *BOTH, claim=Claim.GROUP).decisions
    assert "no references to compare it with" in left.reason
    assert taken.chosen
    broken = Shelf(references=lambda: _diverge(None, champion))  # type: ignore[arg-type,return-value]
    left, taken = searched(champion, *BOTH, claim=Claim.GROUP, shelf=broken).decisions
    assert left.reason == "It has nothing to be compared with. The training diverged."
    assert taken.chosen


def test_where_the_references_disagree_no_method_is_paid_for(
    champion: UnlearnRequest, references: tuple[State, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = read_weights_bytes(champion.read_parent(), expected=champion.parent_weights)
    shelf = Shelf(references=lambda: (*references[:2], state))
    monkeypatch.setattr(Finetune, "unlearn", _diverge)
    found = searched(champion, *GRID, RETRAIN, claim=Claim.GROUP, shelf=shelf)
    first, second, taken = found.decisions
    assert "The references disagree by 1.000 on forgotten cases; 0.1 is allowed." in first.reason
    assert (first.chosen, first.steps, first.reason) == (False, 0, second.reason)
    assert "spread of the references, forgotten accuracy" in [figure.name for figure in first.figures]
    assert (taken.chosen, found.method) == (True, RETRAIN)


def test_a_retrain_that_was_trained_before_is_taken_as_it_is(
    champion: UnlearnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = searched(champion, RETRAIN).product
    monkeypatch.setattr(Retrain, "unlearn", _diverge)
    found = searched(champion, RETRAIN, shelf=Shelf(retrained=lambda: trained))
    assert found.product == Product(trained.state, trained.heard)
    (decision,) = found.decisions
    assert decision.reason.startswith("Trained before as a reference; released as it is.")
    assert (decision.chosen, decision.steps) == (True, 0)
    assert [figure.name for figure in decision.figures] == ["retained accuracy lost"]


def test_a_method_that_diverges_is_left_and_the_way_out_ends_the_search(
    champion: UnlearnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Finetune, "unlearn", _diverge)
    left, taken = searched(champion, *BOTH).decisions
    assert left.reason == "The training diverged."
    assert taken.chosen
    monkeypatch.setattr(Retrain, "unlearn", _diverge)
    with pytest.raises(RefusedError, match="diverged"):
        searched(champion, *BOTH)


def test_weights_that_the_witness_never_heard_of_end_the_search(
    champion: UnlearnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Finetune, "unlearn", lambda method, request: _forget_for_once(method, _unwatched(request)))
    with pytest.raises(RefusedError, match="no training under its witness"):
        searched(champion, *BOTH)


def test_what_is_not_eligible_is_left_with_every_reason(champion: UnlearnRequest) -> None:
    suppressed = tuple(row.ref for row in ROWS if row.role is Role.SUPPRESSED)
    manifest = replace(champion.manifest, learned=(*champion.manifest.learned, *suppressed))
    left, taken = searched(replace(champion, manifest=manifest), *BOTH).decisions
    assert "learned from 6 cases that may no longer be used" in left.reason
    assert taken.chosen
    with pytest.raises(InputError, match=r"No method of the plan can be used\. finetune: .*no recipe.* retrain: "):
        searched(replace(champion, spec=TOY.spec()), *BOTH)


def test_the_budget_is_shared_and_the_way_out_is_kept_affordable(champion: UnlearnRequest) -> None:
    enough = RETRAIN_STEPS + FINETUNE_STEPS
    assert [one.steps for one in searched(replace(champion, budget_steps=enough), *BOTH).decisions] == [8, 56]
    left, taken = searched(replace(champion, budget_steps=enough - 1), *BOTH).decisions
    assert "takes 8 steps; the budget is 7" in left.reason
    assert taken.chosen
    with pytest.raises(InputError, match="takes 56 steps; the budget is 55"):
        searched(replace(champion, budget_steps=RETRAIN_STEPS - 1), RETRAIN)


def test_combinations_of_one_method_are_tried_one_after_the_other(champion: UnlearnRequest, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    kept = replace(champion, checkpoints=tmp_path)
    first, second, last = searched(kept, *GRID, RETRAIN, told=told).decisions
    assert [one.told for one in (first, second, last)] == ["finetune (epochs 1)", "finetune (epochs 2)", "retrain"]
    assert [one.steps for one in (first, second, last)] == [4, 8, RETRAIN_STEPS]
    assert [name for name, _, _ in told[:3]] == ["finetune (epochs 1)", *["finetune (epochs 2)"] * 2]
    again = searched(kept, *GRID, RETRAIN)
    assert again.decisions == (first, second, last)


def test_each_combination_is_paid_for(champion: UnlearnRequest) -> None:
    enough = 4 + 8 + RETRAIN_STEPS
    assert [one.steps for one in searched(replace(champion, budget_steps=enough), *GRID, RETRAIN).decisions] == [
        4,
        8,
        RETRAIN_STEPS,
    ]
    _, left, taken = searched(replace(champion, budget_steps=enough - 1), *GRID, RETRAIN).decisions
    assert "takes 8 steps; the budget is 7" in left.reason
    assert taken.chosen


def test_the_combination_that_goes_on_has_its_own_options(
    champion: UnlearnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Finetune.unlearn

    def second_time(method: Finetune, request: UnlearnRequest) -> Unlearned:
        return (_forget_for_once if request.options == GRID[1].options else plain)(method, request)

    monkeypatch.setattr(Finetune, "unlearn", second_time)
    found = searched(champion, *GRID, RETRAIN)
    assert found.method == GRID[1]
    assert [one.label for one in found.decisions] == ["blind", "tuned"]


def test_weights_that_validation_chose_are_tuned_and_others_blind(
    champion: UnlearnRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = replace(champion, checkpoints=tmp_path)
    looked = MethodRequest("random-label", (Setting("steps", 10),))
    for _ in range(2):
        left, also, taken = searched(kept, looked, FINETUNE, RETRAIN).decisions
        assert [one.label for one in (left, also, taken)] == ["tuned", "tuned", "blind"]
    monkeypatch.setattr(Finetune, "unlearn", _forget_for_once)
    assert [one.label for one in searched(champion, *BOTH).decisions] == ["blind"]
    never = searched(champion, *BOTH, claim=Claim.NEVER_SAW).decisions
    assert [one.label for one in never] == ["", "blind"]


def test_without_validation_cases_only_the_way_out_goes_on(champion: UnlearnRequest) -> None:
    rows = tuple(row for row in ROWS if row.role is not Role.VALIDATION)
    left, taken = searched(replace(champion, roles=RoleTable(rows)), *BOTH).decisions
    assert "no validation cases" in left.reason
    assert (taken.chosen, taken.figures) == (True, ())


def test_a_search_that_is_repeated_decides_the_same(champion: UnlearnRequest, tmp_path: Path) -> None:
    first = searched(champion, *BOTH)
    kept = replace(champion, checkpoints=tmp_path)
    again, resumed = searched(kept, *BOTH), searched(kept, *BOTH)
    assert first.decisions == again.decisions == resumed.decisions
    assert first.product.heard == again.product.heard == resumed.product.heard
    assert codec.encode(first.decisions[0])["figures"]


# --- private ---------------------------------------------------------------------------------------


def _forget_for_once(method: object, request: UnlearnRequest) -> Unlearned:
    """What no fine-tune does: weights that never saw the forget set."""
    rows: tuple[PlannedCase, ...] = request.roles.of(Role.RETAIN)
    cases = TOY.blueprint.loader_cases(rows, Role.RETAIN)
    return Unlearned(train(TOY.blueprint, RECIPE, cases, TOY.pixels, witness=request.witness).state)


def _unwatched(request: UnlearnRequest) -> UnlearnRequest:
    return replace(request, witness=Witness())


def _diverge(method: object, request: UnlearnRequest) -> Unlearned:
    raise RefusedError("The training diverged.", remedy="Lower the rate.")
