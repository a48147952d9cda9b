"""The page of a contact sheet: nothing is believed that it is handed, and the cut stands between its sides."""

from __future__ import annotations

from maintain.report import Picture, Sheet, SheetRow, render_sheet


def page(*rows: SheetRow) -> str:
    return render_sheet(
        Sheet(score="<b>", method="<i>", cut=-3.5, side="below", beyond=2, cases=12_345, rows=rows or four())
    )


def four() -> tuple[SheetRow, ...]:
    return tuple(
        SheetRow(f"row {number}", (Picture(f"case-{number}-with-a-long-name", f"{number}.000", b"png"),), "nobody")
        for number in range(4)
    )


def test_names_and_captions_are_escaped() -> None:
    row = SheetRow("<u>", (Picture("<s>", "<em>", b"png"),), "")
    text = page(row, SheetRow("empty", (), "<q>"))
    for tag in ("<b></h1>", "<i>", "<u>", "<s>", "<em>", "<q>"):
        assert tag not in text


def test_it_fetches_nothing_and_says_what_it_holds() -> None:
    text = page()
    for word in ("<script", "http", "url(", "@import", "<link"):
        assert word not in text
    assert "This file holds pictures of patients" in text
    assert "data:image/png;base64,cG5n" in text


def test_the_cut_stands_between_what_is_beyond_it_and_what_is_not() -> None:
    text = page()
    places = [text.index(word) for word in ("row 0", "row 1", "the cut, -3.5", "row 2", "row 3")]
    assert places == sorted(places)
    assert "lie below the cut" in text
    assert "nobody" not in text


def test_an_empty_row_says_why() -> None:
    assert "nobody" in page(SheetRow("row", (), "nobody"))
