"""The letter: it says what is known and no more, names nobody, and the ledger has its digest once."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from helpers.cohorts import arrive, make_case
from helpers.letters import images_of, name_of, patient_id, wish
from helpers.lineage import MODEL, add_candidate, install, manifest_of
from maintain.clock import FrozenClock
from maintain.cohort import CohortStore
from maintain.database import tables
from maintain.errors import BrokenChainError, InputError, UnknownNameError
from maintain.hashing import digest_bytes
from maintain.vocabulary import ManifestStatus, Reason
from maintain_pipelines.context import Context
from maintain_pipelines.destroy import destroy
from maintain_pipelines.erasing import close_request
from maintain_pipelines.promote import promote
from maintain_pipelines.replying import Edition, reply
from maintain_pipelines.replying.letter import compose
from maintain_pipelines.replying.told import tell_request
from maintain_pipelines.requests import settle, standing_of, withdraw_request
from maintain_pipelines.retire import retire
from maintain_registry import EventKind

FIRST = "R-2026-0001"


def text(context: Context, name: str = FIRST) -> str:
    return reply(name, context, policies=()).text


def page(context: Context, name: str = FIRST) -> str:
    """What the person reads."""
    return text(context, name).partition("technical page for the file")[0]


def letters(context: Context) -> int:
    with context.database.read() as unit:
        found = context.ledger.entries(unit)
    return sum(1 for entry in found if entry.event is EventKind.REQUEST_REPLIED)


def later(context: Context, month: int, day: int) -> Context:
    clock = FrozenClock(datetime(2026, month, day, 12, tzinfo=UTC))
    return replace(context, clock=clock, ledger=replace(context.ledger, clock=clock))


def learned(context: Context) -> None:
    install(context, manifest_of(images_of(1, 2, 3), selected=images_of(4)))


def answered(context: Context, *people: int) -> None:
    learned(context)
    wish(context, *people)
    add_candidate(context, 1, manifest_of(images_of(2, 3), selected=()), salt=1)
    settle(context)


def closed(context: Context) -> None:
    answered(context, 1)
    promote(MODEL, None, context)
    destroy(MODEL, 1, context, reason="ticket 4711")
    close_request(FIRST, context)


def test_a_name_that_is_none_is_refused_with_the_nearest(context: Context) -> None:
    wish(context, 1)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'R-2026-0001'"):
        reply("R-2026-001", context)
    assert letters(context) == 0


def test_no_letter_is_written_over_another_file_or_into_the_workspace(context: Context, tmp_path: Path) -> None:
    wish(context, 1)
    taken, dangling = tmp_path / "taken.md", tmp_path / "dangling.md"
    taken.write_text("mine", encoding="utf-8")
    dangling.symlink_to(tmp_path / "nowhere.md")
    inside = context.workspace.root / "policies" / "letter.md"
    for path in (taken, dangling, inside, tmp_path / "no-folder" / "letter.md"):
        with pytest.raises(InputError):
            reply(FIRST, context, output=path)
    assert taken.read_text(encoding="utf-8") == "mine"
    assert not inside.exists()
    assert not (tmp_path / "nowhere.md").exists()
    assert letters(context) == 0


def test_an_entry_that_nobody_signed_makes_no_letter(context: Context, tmp_path: Path) -> None:
    filed = wish(context, 1)
    with context.database.begin() as unit:
        ledger = tables.ledger
        unit.connection.exec_driver_sql("drop trigger ledger_no_update")
        body = unit.scalar(select(ledger.c.body).where(ledger.c.number == filed.entry))
        mine = update(ledger).where(ledger.c.number == filed.entry)
        unit.execute(mine.values(body=str(body).replace('"images":2', '"images":9')))
    with pytest.raises(BrokenChainError):
        reply(FIRST, context, output=tmp_path / "letter.md")
    assert not (tmp_path / "letter.md").exists()


def test_a_file_is_for_its_owner_alone_and_goes_where_no_entry_is_written(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(context, 1)
    path = tmp_path / "letter.html"
    done = reply(FIRST, context, edition=Edition.HTML, output=path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert digest_bytes(path.read_bytes()) == done.digest
    monkeypatch.setattr("maintain_pipelines.replying.letter.entries_of", lambda *_: os._exit)
    with pytest.raises(TypeError):
        reply(FIRST, context, output=tmp_path / "second.md")
    assert not (tmp_path / "second.md").exists()


def test_the_same_text_is_one_entry_and_another_text_another(context: Context) -> None:
    wish(context, 1)
    first, again = reply(FIRST, context), reply(FIRST, context)
    assert (first.again, again.again) == (False, True)
    assert (first.text, first.entry) == (again.text, again.entry)
    assert reply(FIRST, context, edition=Edition.HTML).entry != first.entry
    assert reply(FIRST, later(context, 1, 2)).entry != first.entry
    assert letters(context) == 3
    with context.database.read() as unit:
        entry = context.ledger.entry(unit, first.entry)
    wanted = {"request": FIRST, "state": "answered", "letter": digest_bytes(first.text.encode()), "format": "markdown"}
    assert dict(entry.body) == wanted
    replied = standing_of(FIRST, context).replied
    assert replied is not None
    assert replied.number > first.entry


def test_it_names_nobody(context: Context) -> None:
    answered(context, 1, 4)
    for edition in Edition:
        said = reply(FIRST, context, edition=edition).text
        people = standing_of(FIRST, context).people
        marks = [person.commitment for person in people if person.commitment]
        assert len(marks) == 2
        for secret in (patient_id(1), patient_id(4), name_of(1), name_of(4), "case-0001", *marks):
            assert secret not in said


def test_an_open_request_is_told_what_is_missing_and_that_it_is_late(context: Context) -> None:
    learned(context)
    install(context, manifest_of((), status=ManifestStatus.UNKNOWN, model="second-model", selected=()), salt=7)
    wish(context, 1, policies=())
    assert "overdue" not in page(context)
    late = later(context, 2, 1)
    said = page(late)
    assert "it was due on 31 January 2026, 1 day ago." in said
    assert "There is no version of second-model without your images yet. Our program cannot make one by itself." in said
    assert "Nobody can show what version 1 was trained on" in said
    assert "Version 1 of triage can still be loaded and is in service until there is another" in said
    assert "nobody knows what version 1 of second-model was trained on" in text(late)


def test_an_answered_request_is_told_who_answers_and_what_is_left(context: Context) -> None:
    answered(context, 1, 4)
    said = page(context)
    assert "Person 1 of 2: we hold 2 images." in said
    assert "Version 2 was made without their images." in said
    assert (
        "by the retraining run-1. It is not in service yet: until a member of staff puts it there, version 1 is."
        in said
    )
    assert "2 of these images only helped to choose or to judge" in said
    promote(MODEL, None, context)
    assert "It has been in service since 1 January 2026." in page(context)
    assert "though it is not in service. A member of staff still has to destroy it." in page(context)
    destroy(MODEL, 1, context, reason="ticket 4711")
    said = page(context)
    assert "What it had learned was destroyed on 1 January 2026 (log entry" in said
    assert "can still be loaded" not in said
    assert "until a member of staff closes the request" in said


def test_who_answered_once_and_is_gone_is_not_told_as_an_answer(context: Context) -> None:
    answered(context, 1)
    retire(MODEL, 2, context, reason="ticket 4711")
    said = page(context)
    assert "in progress" in said
    assert "Version 2" not in said
    assert "in service until there is another to take its place" in said


def test_a_closed_request_is_told_what_was_erased_and_what_is_out_of_reach(context: Context) -> None:
    closed(context)
    said = page(later(context, 3, 1))
    assert "We held 2 images of you" in said
    assert "we erased 2 entries about images" in said
    assert "which ones they were was erased with them" in said
    assert "What it had learned was destroyed" in said
    assert "finished" in said
    assert "overdue" not in said
    assert "the image archive of the hospital" in said
    assert "the PACS" in text(context)


def test_an_erasure_that_was_cut_short_once_does_not_say_that_its_counts_are_all(context: Context) -> None:
    closed(context)
    whole = tell_request("R-2026-0001", context)
    said = str(compose(replace(whole, resumed=True, erased={})).parts)
    assert "we erased what was left" in said
    assert "before an interruption is not counted" in said


def test_who_is_not_there_is_told_so_only_when_that_is_sure(context: Context) -> None:
    wish(context, 77)
    assert "We hold no images of you" in page(context)
    assert "cannot exclude" not in page(context)
    with context.database.begin() as unit:
        unit.execute(update(tables.patient).where(tables.patient.c.patient == name_of(9)).values(linked=False))
    wish(context, 78)
    said = page(context, "R-2026-0002")
    assert "We cannot exclude that we hold images, for this reason:" in said
    assert "1 examination in the collection carries neither a name nor a number" in said
    assert "We hold no" not in said
    wish(context, 80, 81)
    assert "We found no images of the people whom your letter names." in page(context, "R-2026-0003")
    wish(context, 1, 79)
    both = page(context, "R-2026-0004")
    assert "Person 1 of 2: we hold 2 images." in both
    assert "Person 2 of 2: we found none, and cannot exclude that we hold some." in both


def test_copies_under_another_number_are_told_in_one_and_in_many(context: Context) -> None:
    with context.database.begin() as unit:
        CohortStore(unit).add(1, [arrive(make_case(90, patient="somebody", pixels=digest_bytes(b"pixels 5")))])
    wish(context, 3)
    assert "We also hold 1 exact copy of these images under another number; it is treated" in page(context)
    assert "none of our models was trained on them" in page(context)


def test_who_took_it_back_is_told_what_that_means(context: Context) -> None:
    wish(context, 1, reason=Reason.DATA_SUBJECT)
    withdraw_request(FIRST, context)
    said = page(later(context, 6, 1))
    assert "You took the request back on 1 January 2026." in said
    assert "overdue" not in said
    assert "What we have done" not in said
