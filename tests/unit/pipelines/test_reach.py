"""Blast limits count the whole forget set, and shares are of what the champion learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from maintain.cohort import Standing
from maintain.errors import LimitError
from maintain.records import CaseRef, Origin, PlannedCase, RoleTable, TrainingManifest
from maintain.vocabulary import ConsentStatus, ManifestStatus, OriginKind, Role
from maintain_pipelines.reach import Reach, Share, measure_reach, refuse_excess
from maintain_policies import Limits

OPEN = Limits(max_patients=None, max_percent=100, max_percent_of_any_label=None)

#: Number, patient, study, device, label, role. The champion learned 1 to 10; 11 and 12 are held out.
ROWS = (
    (1, "p1", "s1", "Cirrus", "drusen", Role.FORGET),
    (2, "p1", "s1", "Cirrus", "atrophy", Role.FORGET),
    (3, "p2", "s2", "Aurora", "drusen", Role.FORGET),
    (4, "p2", "s3", "Aurora", "drusen", Role.RETAIN),
    (5, "p3", "s4", "Cirrus", "atrophy", Role.RETAIN),
    (6, "p3", "s4", None, "atrophy", Role.RETAIN),
    (7, "p4", "s5", None, "atrophy", Role.RETAIN),
    (8, "p4", "s5", "Cirrus", "atrophy", Role.RETAIN),
    (9, "p5", "s6", "Cirrus", "other", Role.SUPPRESSED),
    (10, "p5", "s6", "Cirrus", "drusen", Role.SUPPRESSED),
    (11, "p6", "s7", "Cirrus", "drusen", Role.NEVER_SEEN),
    (12, "p7", "s8", "Cirrus", "drusen", Role.SUPPRESSED),
)


def reach_of(limits: Limits, rows: tuple[tuple[int, str, str, str | None, str, Role], ...] = ROWS) -> Reach:
    table = RoleTable(
        tuple(PlannedCase(f"c{n}", 1, label, patient, f"{n:064}", role, "-") for n, patient, _, _, label, role in rows)
    )
    manifest = TrainingManifest(
        model="m",
        status=ManifestStatus.PROVEN,
        origin=Origin(OriginKind.INITIALISATION, "0" * 64),
        learned=tuple(CaseRef(f"c{n}", 1) for n in range(1, 11)),
        unlearned=(),
        selected_with=(),
    )
    standings = [
        Standing(f"c{n}", patient, study, device, f"{n:064}", ConsentStatus.UNKNOWN, label, 1)
        for n, patient, study, device, label, _ in rows
    ]
    return measure_reach(table, manifest, standings, limits)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"max_patients": 1}, "2 patients, more than max_patients 1"),
        ({"max_percent": 29.9}, "30.0 % of what the champion learned, more than max_percent 29.9"),
        (
            {"max_percent_of_any_label": 40.0},
            "50.0 % of the label 'drusen', more than max_percent_of_any_label 40",
        ),
    ],
)
def test_each_limit_stops_a_plan_that_goes_beyond_it(limit: dict[str, Any], said: str) -> None:
    with pytest.raises(LimitError) as caught:
        refuse_excess("p", reach_of(replace(OPEN, **limit)))
    assert said in caught.value.message
    assert caught.value.message.count("more than") == 1


def test_every_excess_is_named_at_once() -> None:
    with pytest.raises(LimitError) as caught:
        refuse_excess("p", reach_of(Limits(max_patients=1, max_percent=1, max_percent_of_any_label=1)))
    assert caught.value.message.count("more than") == 4  # patients, percent, and two labels


@pytest.mark.parametrize("limit", [{"max_patients": 2}, {"max_percent": 30}, {"max_percent_of_any_label": 50}])
def test_what_a_limit_allows_may_be_used_up(limit: dict[str, Any]) -> None:
    refuse_excess("p", reach_of(replace(OPEN, **limit)))


def test_shares_are_of_everything_that_was_learned() -> None:
    reach = reach_of(OPEN)
    assert reach.images == Share("images", 3, 10)
    assert reach.patients == Share("patients", 2, 5)
    assert reach.studies == Share("studies", 2, 6)
    assert reach.devices == (Share("Aurora", 1, 2), Share("Cirrus", 2, 6))
    assert reach.labels == (Share("atrophy", 1, 5), Share("drusen", 2, 4))
    assert reach.left_out == 2
    assert reach.labels[1].percent == 50


def test_without_a_limit_the_label_most_touched_is_shown() -> None:
    assert [(use.of, use.most) for use in reach_of(OPEN).limits[2:]] == [("% of the label 'drusen'", None)]


def test_a_champion_that_learned_nothing_has_no_share_of_it() -> None:
    reach = reach_of(OPEN, ())
    assert (reach.images.percent, reach.labels, reach.left_out) == (0.0, (), 0)
    refuse_excess("p", reach)
