"""What the cohort's rows hold of a person: found under every key that they have, erased, and looked for again.

Whatever keeps rows of a person is asked through `Marks`, so that what is erased and what is looked for afterwards
are the same. The list of what nobody may use keeps their images, and with them the answer to whoever asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, String, Table, and_, delete, func, or_, select, update

from maintain import codec
from maintain.cohort.filing import PERSONAL
from maintain.cohort.snapshots import read_members
from maintain.cohort.where import listed
from maintain.database import UnitOfWork, tables
from maintain.hashing import Digest
from maintain.records import Snapshot
from maintain.vocabulary import FileStatus, Reason, listed_as

#: Tables that go on naming the images of a person who was erased: they are how nobody takes them in again.
KEEPING = ("suppression", "barred_person")


#: Bytes of the shortest mark that is looked for in binary, too: those of a pseudonym. Fewer would occur by chance.
LEAST_BYTES = 16

#: Rows whose texts are searched together.
SEARCHED_TOGETHER = 2_000


@dataclass(frozen=True, slots=True)
class Marks:
    """Every key of people in a workspace: pseudonyms of them and of their visits, their images, and what these show."""

    patients: frozenset[str] = frozenset()
    studies: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    pixels: frozenset[Digest] = frozenset()

    def within(self, data: bytes) -> frozenset[str]:
        """The kinds of marks that occur in these bytes, as text, or as the bytes that hexadecimal digits stand for."""
        return frozenset(
            item.name
            for item in fields(self)
            if any(form in data for mark in getattr(self, item.name) for form in _forms(mark))
        )


@dataclass(frozen=True, slots=True)
class Remains:
    """A snapshot that lost rows: the digest that is its name, what its rows gave before, and what they give now."""

    name: str
    digest: Digest
    before: Digest
    rest: Digest
    rows: int


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """How many rows went of each table, and what became of snapshots."""

    counts: Mapping[str, int]
    snapshots: tuple[Remains, ...]


def marks_of(unit: UnitOfWork, *, patients: Iterable[str], cases: Iterable[str], pixels: Iterable[Digest]) -> Marks:
    """Every mark of these people and images, every image that shows exactly one of their pictures included.

    Visits of other people are in it where nothing is left of them.
    """
    people, own, shown = frozenset(patients), set(cases), set(pixels)
    image, series, study, member = tables.image_case, tables.series, tables.study, tables.snapshot_member
    theirs = unit.rows(
        select(image.c.case_id)
        .join(series, series.c.series == image.c.series)
        .join(study, study.c.study == series.c.study)
        .where(listed(study.c.patient, people))
    )
    own |= {row.case_id for row in theirs}
    own |= {row.case_id for row in unit.rows(select(member.c.case_id).where(listed(member.c.patient, people)))}
    known = -1
    while known != len(own) + len(shown):
        known = len(own) + len(shown)
        for table in (image, member):
            either = or_(listed(table.c.case_id, own), listed(table.c.pixels, shown))
            for row in unit.rows(select(table.c.case_id, table.c.pixels).where(either)):
                own.add(row.case_id)
                shown.add(row.pixels)
    visits = _visits(unit, people, own)
    return Marks(people, *visits, frozenset(own), frozenset(shown))


def erase_rows(unit: UnitOfWork, marks: Marks, reason: Reason) -> ErasedRows:
    """Delete what the cohort's tables hold under these marks, in this transaction.

    Files of a source stay known as refused, so that nothing reads them in again for news.
    """
    t, cases = tables, marks.cases
    refused = {"status": FileStatus.REJECTED.value, "reason": PERSONAL[reason].value, "case_id": None}
    snapshots = tuple(_cut(unit, marks))
    counts = {
        "snapshot_member": sum(item.rows for item in snapshots),
        "score": unit.execute(delete(t.score).where(listed(t.score.c.case_id, cases))),
        "label": unit.execute(delete(t.label).where(listed(t.label.c.case_id, cases))),
        "file": unit.execute(update(t.file).where(listed(t.file.c.case_id, cases)).values(refused)),
        "image_case": unit.execute(delete(t.image_case).where(listed(t.image_case.c.case_id, cases))),
        "series": unit.execute(delete(t.series).where(listed(t.series.c.series, marks.series))),
        "study": unit.execute(delete(t.study).where(listed(t.study.c.study, marks.studies))),
        "lineage_split": unit.execute(delete(t.lineage_split).where(listed(t.lineage_split.c.patient, marks.patients))),
        "look_patient": unit.execute(delete(t.look_patient).where(listed(t.look_patient.c.patient, marks.patients))),
        "patient": unit.execute(delete(t.patient).where(listed(t.patient.c.patient, marks.patients))),
    }
    return ErasedRows(counts, snapshots)


def barred_cases(unit: UnitOfWork, mark: str) -> frozenset[str]:
    """The images that requests barred of whoever has this mark, erased ones included; none for an unknown mark."""
    person, barred = tables.barred_person, tables.suppression
    requests = unit.rows(select(person.c.request).where(person.c.mark == mark))
    policies = [listed_as(row.request) for row in requests]
    return frozenset(
        row.case_id for row in unit.rows(select(barred.c.case_id).where(listed(barred.c.policy, policies)))
    )


def left_in_rows(unit: UnitOfWork, marks: Marks, *, besides: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The columns of the whole database in which a mark still stands, but for what must keep naming the images.

    `besides` names rows that are left out: for a table, the requests whose rows they are.
    """
    names = [table for table in tables.metadata.sorted_tables if table.name not in KEEPING]
    return tuple(place for table in names for place in _left_in(unit, table, marks, besides.get(table.name)))


# --- private ---------------------------------------------------------------------------------------


def _forms(mark: str) -> Iterator[bytes]:
    yield mark.encode()
    try:
        raw = bytes.fromhex(mark)
    except ValueError:
        return
    if len(raw) >= LEAST_BYTES:
        yield raw


def _visits(unit: UnitOfWork, people: frozenset[str], cases: set[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The studies and series of these people, and those of others in which no other image is left."""
    image, series, study = tables.image_case, tables.series, tables.study
    rows = unit.rows(
        select(study.c.study, study.c.patient, series.c.series, image.c.case_id)
        .join(series, series.c.study == study.c.study, isouter=True)
        .join(image, image.c.series == series.c.series, isouter=True)
    )
    going_studies, going_series = set[str](), set[str]()
    kept_studies, kept_series = set[str](), set[str]()
    for row in rows:
        mine = row.patient in people
        if mine or row.case_id in cases:
            going_studies.add(row.study)
            going_series |= {row.series} if row.series is not None else set()
        if not mine and row.case_id not in cases:
            kept_studies.add(row.study)
            kept_series.add(row.series)
    return frozenset(going_studies - kept_studies), frozenset(going_series - kept_series)


def _cut(unit: UnitOfWork, marks: Marks) -> Iterator[Remains]:
    """Take the members out of every snapshot; its own digest stays its name, the rest is held to another."""
    head, member = tables.snapshot, tables.snapshot_member
    either = or_(listed(member.c.case_id, marks.cases), listed(member.c.patient, marks.patients))
    names = [row.name for row in unit.rows(select(member.c.name).where(either).distinct().order_by(member.c.name))]
    for name in names:
        row = unit.row(select(head).where(head.c.name == name))
        assert row is not None, "a foreign key holds members to their snapshot"
        gone = unit.execute(delete(member).where(and_(member.c.name == name, either)))
        rest = codec.digest_of(Snapshot(row.name, row.model, row.label_name, read_members(unit, name)))
        changed = {"erased": (row.erased or 0) + gone, "rest": rest}
        unit.execute(update(head).where(head.c.name == name).values(changed))
        yield Remains(name, row.digest, row.rest or row.digest, rest, gone)


def _left_in(unit: UnitOfWork, table: Table, marks: Marks, besides: frozenset[str] | None) -> Iterator[str]:
    for column in table.columns:
        if not isinstance(column.type, String | JSON | LargeBinary):
            continue
        texts = _texts(unit, column, besides)
        batches = (texts[at : at + SEARCHED_TOGETHER] for at in range(0, len(texts), SEARCHED_TOGETHER))
        if any(marks.within(b"\n".join(batch)) for batch in batches):
            yield f"the column {column.name} of the table {table.name}"


def _texts(unit: UnitOfWork, column: Column[Any], besides: frozenset[str] | None) -> list[bytes]:
    query = select(func.json(column) if isinstance(column.type, JSON) else column).where(column.is_not(None))
    if besides is not None:
        query = query.where(column.table.c.request.not_in(besides))
    values = [row[0] for row in unit.rows(query)]
    return [value if isinstance(value, bytes) else str(value).encode() for value in values]
