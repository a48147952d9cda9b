"""The contact sheet: where it is never written, who is never on it, and what stands in which row."""

from __future__ import annotations

import base64
import errno
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers.lineage import make_workspace, opened
from maintain.cohort import read_standings
from maintain.errors import InputError
from maintain.hashing import short
from maintain.scoring import FAR, POOR, histogram
from maintain.vocabulary import Reason, ScoreKind
from maintain_pipelines.context import Context
from maintain_pipelines.score import Scored, ScoredCase
from maintain_pipelines.score_sheet import IN_A_ROW, LONGEST_SIDE, check_sheet, write_sheet
from maintain_pipelines.suppress import suppress_by_hand


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(make_workspace(tmp_path / "workspace")) as found:
        yield found


def scored(context: Context, values: np.ndarray, *, kind: ScoreKind = ScoreKind.OUTLIER, side: int = 4) -> Scored:
    """Scores of the cohort's cases in their order, each with a picture of its own."""
    with context.database.read() as unit:
        cases = read_standings(unit, "")[: len(values)]
    each = []
    for number, (case, value) in enumerate(zip(cases, values, strict=True)):
        picture = np.full((side, side, 3), number, dtype=np.uint8)
        each.append(ScoredCase(case.case_id, context.arrays.put(picture), float(value)))
    cut = FAR if kind is ScoreKind.OUTLIER else POOR
    return Scored(kind, "by <hand>", 1, len(each), 0, histogram(values, cut=cut), tuple(each))


def rows_of(page: str) -> list[list[str]]:
    """The cases of each row, as the page has them."""
    return [re.findall(r"<code>([^<]+)</code>", section) for section in page.split("<section>")[1:]]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("sheet.png", "does not end in .html"),
        ("nowhere/sheet.html", "no such folder"),
        ("workspace/sheet.html", "a workspace keeps none"),
        ("workspace/runs/sheet.html", "a workspace keeps none"),
        ("workspace/registry/../sheet.html", "a workspace keeps none"),
        ("inside/sheet.html", "a workspace keeps none"),
        ("there.html", "left as it is"),
        ("dangling.html", "left as it is"),
    ],
)
def test_where_no_sheet_is_written(context: Context, tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "there.html").write_text("mine", encoding="utf-8")
    (tmp_path / "dangling.html").symlink_to(tmp_path / "workspace" / "sheet.html")
    (tmp_path / "inside").symlink_to(tmp_path / "workspace" / "runs")
    (tmp_path / "workspace" / "runs").mkdir(exist_ok=True)
    found = scored(context, np.linspace(0.0, 9.0, 40))
    with pytest.raises(InputError, match=said):
        check_sheet(tmp_path / place, context)
    with pytest.raises(InputError, match=said):
        write_sheet(found, tmp_path / place, context)
    assert (tmp_path / "there.html").read_text(encoding="utf-8") == "mine"
    assert not list((tmp_path / "workspace").rglob("*.html"))


def test_whoever_was_suppressed_after_the_scores_is_not_on_it(context: Context, tmp_path: Path) -> None:
    found = scored(context, np.linspace(9.0, 0.0, 40))
    gone = found.each[0].case_id
    suppress_by_hand((gone,), None, reason=Reason.DATA_SUBJECT, model=None, context=context)
    write_sheet(found, tmp_path / "sheet.html", context)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert gone not in page
    assert short(found.each[1].case_id) in page


def test_only_its_owner_reads_it_and_it_says_what_it_holds(context: Context, tmp_path: Path) -> None:
    write_sheet(scored(context, np.linspace(0.0, 9.0, 40)), tmp_path / "sheet.html", context)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "sheet.html").stat().st_mode) == 0o600
    assert "This file holds pictures of patients" in page
    assert "by &lt;hand&gt; (version 1)" in page
    assert "<script" not in page
    assert "http" not in page


def test_a_write_that_fails_leaves_nothing(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("maintain.codec.os.fdopen", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_sheet(scored(context, np.linspace(0.0, 9.0, 40)), tmp_path / "sheet.html", context)
    assert not (tmp_path / "sheet.html").exists()


@pytest.mark.parametrize("kind", ScoreKind)
def test_rows_are_the_ends_and_both_sides_of_the_cut(context: Context, tmp_path: Path, kind: ScoreKind) -> None:
    sign = 1.0 if kind is ScoreKind.OUTLIER else -1.0
    values = sign * (FAR + np.arange(20.0, -20.0, -1.0) - 0.5)
    found = scored(context, values, kind=kind)
    write_sheet(found, tmp_path / "sheet.html", context)
    ids = [short(case.case_id) for case in found.each]
    assert rows_of((tmp_path / "sheet.html").read_text(encoding="utf-8")) == [
        ids[:IN_A_ROW],
        ids[20 - IN_A_ROW : 20],
        ids[20 : 20 + IN_A_ROW],
        ids[-IN_A_ROW:],
    ]


def test_few_cases_stand_in_one_row_only_and_copies_once(context: Context, tmp_path: Path) -> None:
    found = scored(context, np.array([5.0, 4.0, 1.0]))
    copies = tuple(replace(case, pixels=found.each[0].pixels) for case in found.each[:1])
    write_sheet(replace(found, each=(*found.each, *copies)), tmp_path / "sheet.html", context)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    ids = [short(case.case_id) for case in found.each]
    assert rows_of(page) == [[], ids[:2], ids[2:], []]
    assert page.count("All that lie there are in the row beside the cut.") == 2


def test_a_cut_that_nothing_lies_beyond_is_said_so(context: Context, tmp_path: Path) -> None:
    write_sheet(scored(context, np.zeros(40)), tmp_path / "sheet.html", context)
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert page.count("No image lies there.") == 2


def test_large_pictures_are_shrunk_and_other_channels_shown_grey(context: Context, tmp_path: Path) -> None:
    found = scored(context, np.array([5.0, 1.0]), side=LONGEST_SIDE + 1)
    odd = context.arrays.put(np.full((1, 3 * LONGEST_SIDE, 2), 7, dtype=np.uint8))
    write_sheet(
        replace(found, each=(found.each[0], replace(found.each[1], pixels=odd))), tmp_path / "sheet.html", context
    )
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    large, small = (base64.b64decode(png) for png in re.findall(r"base64,([^\"]+)\"", page))
    assert int.from_bytes(large[16:20], "big") == (LONGEST_SIDE + 1) // 2
    assert (int.from_bytes(small[16:20], "big"), int.from_bytes(small[20:24], "big")) == (LONGEST_SIDE, 1)
    data = small[small.index(b"IDAT") + 4 : small.index(b"IEND") - 8]
    assert set(zlib.decompress(data)) == {0, 7}
