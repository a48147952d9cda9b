"""`auto` follows what was measured: who passed more than half of a story, most passes first, of equals the cheapest."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import DamagedError
from maintain.unlearn.table.measured import Ranked, measured_choices, ranked
from maintain.vocabulary import Situation


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"group": 3}'])
def test_without_its_file_auto_means_nothing_and_says_so(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DamagedError, match=r"`unlearn\.methods: auto` means cannot be read") as caught:
        measured_choices(path)
    assert "measured.json" in caught.value.remedy


def test_nobody_who_passed_half_or_less_is_tried() -> None:
    assert ranked([Ranked("one", 1, 3, 0.1), Ranked("half", 2, 4, 0.1), Ranked("retrain", 3, 3, 1.0)]) == ("retrain",)


def test_the_last_resort_stands_last_however_often_others_pass() -> None:
    assert ranked([Ranked("retrain", 3, 3, 1.0), Ranked("a", 2, 3, 0.2)]) == ("a", "retrain")
    assert ranked([]) == ("retrain",)


def test_passes_come_before_cost_and_cost_before_names() -> None:
    runs = [Ranked("b", 3, 3, 0.02), Ranked("a", 3, 3, 0.03), Ranked("c", 2, 3, 0.01), Ranked("d", 3, 3, 0.02)]
    assert ranked(runs) == ("b", "d", "a", "c", "retrain")


def test_a_method_worth_trying_on_one_story_counts_its_passes_on_all() -> None:
    runs = [Ranked("a", 3, 3, 0.1), Ranked("a", 0, 3, 0.1), Ranked("b", 2, 3, 0.1), Ranked("b", 2, 3, 0.1)]
    assert ranked(runs) == ("b", "a", "retrain")


def test_a_search_costs_at_most_half_of_what_it_may_save() -> None:
    runs = [Ranked("a", 3, 3, 0.2), Ranked("b", 3, 3, 0.3), Ranked("c", 3, 3, 0.31), Ranked("d", 2, 3, 0.01)]
    assert ranked(runs) == ("a", "b", "retrain")
    assert ranked([Ranked("a", 3, 3, 0.6)]) == ("retrain",)


def test_every_situation_but_the_one_that_only_a_retrain_mends_was_measured() -> None:
    found = measured_choices()
    assert set(found) == set(Situation) - {Situation.NEVER_SAW}
    assert all(names[-1] == "retrain" and len(set(names)) == len(names) for names in found.values())
