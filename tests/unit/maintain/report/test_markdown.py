"""The Markdown edition: nothing it is given becomes markup, and it says what the page says."""

from __future__ import annotations

import re
from dataclasses import replace

from helpers.reporting import HOSTILE, reported, shown
from maintain.report import render_markdown
from maintain.report.shown import nothing_shown
from maintain.vocabulary import Outcome, RunState


def test_whatever_it_is_given_is_escaped() -> None:
    report = reported(RunState.REJECTED, Outcome.FAIL, error=HOSTILE, parts=shown(wish=HOSTILE, told=HOSTILE))
    text = render_markdown(replace(report, plan=replace(report.plan, policy_name=HOSTILE)))
    assert "<script" not in text.replace("\\<script", "")
    assert "[link](" not in text.replace("\\[link\\](", "")
    assert "**bold**" not in text


def test_a_run_without_any_value_says_why_everywhere() -> None:
    text = render_markdown(replace(reported(parts=nothing_shown("No verdict.")), gates=(), candidate=None))
    assert text.count("No verdict.") == 6
    assert "No gate ran, so nothing is shown." in text


def test_every_row_of_a_table_has_its_columns() -> None:
    width = 0
    for line in render_markdown(reported(parts=shown(told=HOSTILE))).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, width) or not width, line
        width = cells


def test_verdict_first_then_cautions_then_everything_in_the_order_of_the_page() -> None:
    text = render_markdown(reported())
    order = (
        "# The revised version is registered.",
        "not trained on the excluded cases",
        "What may not be concluded",
        "## Who and why",
        "## Gates",
        "## Old against new",
        "## Per class",
        "## Per camera",
        "## Membership attack",
        "## Beside what else could be released",
        "## Search",
        "## Provenance",
    )
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_cases_are_not_named() -> None:
    report = reported()
    assert not any(row.case_id in render_markdown(report) for row in report.excluded)
