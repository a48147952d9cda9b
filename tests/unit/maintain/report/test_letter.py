"""The editions of a letter: nothing is believed that it is handed, and both say the same."""

from __future__ import annotations

import re

from maintain.report import BLANKS, Letter, LetterPart, LetterTable, render_letter_html, render_letter_markdown


def letter(word: str = "word", *, late: str | None = None) -> Letter:
    return Letter(
        request=f"R-{word}",
        title=f"title {word}",
        day=f"day {word}",
        lead=f"lead {word}",
        facts=((f"name {word}", f"value {word}"),),
        late=late,
        parts=(LetterPart(f"part {word}", (f"block {word}", (f"point {word}",), BLANKS["reach"])),),
        rights=LetterPart(f"rights {word}", (f"right {word}",)),
        tables=(
            LetterTable(f"table {word}", ("head word",), ((f"cell {word}",),), ""),
            LetterTable("none", ("head",), (), f"empty {word}"),
        ),
        notes=(f"note {word}",),
    )


def test_tags_and_markup_are_escaped_in_both() -> None:
    html = render_letter_html(letter("<b>", late="<b>"))
    assert "<b>" not in html.replace("<b>lead", "").replace("<b>&lt;b&gt;</b>", "")
    text = render_letter_markdown(letter("[x](y) <b> | #", late="<i>"))
    assert not re.search(r"(?<!\\)(<b>|<i>|\[x\])", text)


def test_it_fetches_nothing() -> None:
    html = render_letter_html(letter())
    for word in ("<script", "http", "url(", "@import", "<link"):
        assert word not in html


def test_both_editions_say_the_same_and_leave_the_same_blanks() -> None:
    html, text = render_letter_html(letter(late="late word")), render_letter_markdown(letter(late="late word"))
    said = ("title", "day", "lead", "value", "late", "block", "point", "right", "cell", "head", "empty", "note")
    for edition in (html, text):
        places = [edition.index(f"{one} word") for one in ("title", "lead", "block", "right", "note", "cell")]
        assert places == sorted(places)
        assert all(f"{one} word" in edition for one in said)
        for name in ("sender", "person", "greeting", "late", "reach", "check", "signature"):
            assert edition.count(BLANKS[name]) == 1
    assert text.endswith("\n")


def test_who_is_in_time_need_not_say_why_not() -> None:
    for edition in (render_letter_html(letter()), render_letter_markdown(letter())):
        assert BLANKS["late"] not in edition
