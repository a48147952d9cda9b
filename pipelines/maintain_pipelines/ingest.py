"""Sources -> cohort: DICOM folders, label tables, consent registers.

Every 500 files are committed on their own: an intake that is killed loses little, and said again it
reads only what is new. The ledger's entry is written with the last of them. The issuers of patients'
numbers are sealed here, under the key that the cohort does not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from maintain import __version__
from maintain.arrays import ArrayStore
from maintain.clock import Clock
from maintain.cohort import (
    Arrival,
    CohortStore,
    ConsentFact,
    Count,
    FileOutcome,
    KnownFile,
    LabelCounts,
    LabelFact,
    PersonFact,
    keep_issuers,
)
from maintain.database import UnitOfWork
from maintain.errors import InputError, UnknownNameError
from maintain.intake import (
    FoundFile,
    MappedTable,
    Pseudonyms,
    Reading,
    Rejection,
    describe_lines,
    find_files,
    load_pseudonyms,
    read_consents,
    read_dicom,
    read_labels,
)
from maintain.vocabulary import FileStatus
from maintain_pipelines.context import Context
from maintain_pipelines.joining import join_labels, read_joinable
from maintain_registry import Event, EventKind

#: Opens a writing unit of work.
Begin: TypeAlias = Callable[[], AbstractContextManager[UnitOfWork]]

#: Told how many of how many files are done.
Progress: TypeAlias = Callable[[int, int], None]

#: What can be read.
KINDS = ("dicom", "consent", "labels")

#: Files of one transaction: what a kill may cost.
BATCH_FILES = 500


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an intake did, in counts only: nothing in it names a file or a patient.

    `contents` is the keyed mark of a table of labels, as the history of a label shows it; `remarks` are for people.
    """

    kind: str
    counts: tuple[Count, ...]
    rejected: tuple[Count, ...] = ()
    contents: str | None = None
    remarks: tuple[str, ...] = ()

    def count(self, name: str) -> int:
        """One of the counts; 0 when nothing was counted under that name."""
        return next((count.count for count in self.counts if count.name == name), 0)

    def lines(self) -> tuple[str, ...]:
        """The report for people."""
        said = ", ".join(f"{count.count} {count.name}" for count in self.counts)
        why = [f"  rejected {count.name}: {count.count}" for count in self.rejected]
        return (f"{self.kind}: {said}", *why, *(f"  {remark}" for remark in self.remarks))

    def document(self) -> dict[str, object]:
        """The report for `--json` and for the ledger."""
        counts = {count.name: count.count for count in self.counts}
        found: dict[str, object] = {
            "kind": self.kind,
            "counts": counts,
            "rejected": {c.name: c.count for c in self.rejected},
        }
        return found if self.contents is None else {**found, "contents": self.contents}


#: Writes the ledger's entry inside the last transaction.
Record: TypeAlias = Callable[[UnitOfWork, IngestReport], None]


def ingest_source(kind: str, source: Path, context: Context, *, mapping: Path | None = None) -> IngestReport:
    """Read one source of a kind into the workspace, with its ledger entry; `mapping` is the map of a table of labels.

    Raises `UnknownNameError` for another kind, and `InputError` for a source that cannot be read.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of source", kind, KINDS)
    if mapping is not None and kind != "labels":
        raise InputError("Only a table of labels has a map.", remedy="Say `--kind labels`, or leave --map out.")
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    actor = context.ledger.actor
    event = EventKind.CONSENT_RECORDED if kind == "consent" else EventKind.COHORT_INGESTED

    def begin() -> AbstractContextManager[UnitOfWork]:
        return context.ledger.begin(context.database)

    def record(unit: UnitOfWork, report: IngestReport) -> None:
        context.ledger.append(unit, Event(event, subject="cohort", body=report.document()))

    if kind == "dicom":
        return ingest_dicom(
            source,
            begin=begin,
            arrays=context.arrays,
            pseudonyms=pseudonyms,
            clock=context.clock,
            progress=lambda done, total: context.talk.progress("reading", done, total),
            record=record,
            actor=actor,
        )
    reader = ingest_consents if kind == "consent" else partial(ingest_labels, mapping=mapping)
    return reader(source, begin=begin, pseudonyms=pseudonyms, clock=context.clock, record=record, actor=actor)


def ingest_dicom(
    folder: Path,
    *,
    begin: Begin,
    arrays: ArrayStore,
    pseudonyms: Pseudonyms,
    clock: Clock,
    progress: Progress = lambda _done, _total: None,
    record: Record = lambda _unit, _report: None,
    actor: str | None = None,
) -> IngestReport:
    """Read every DICOM file below a folder that is new or has changed. Pixels are kept before their rows."""
    found = find_files(folder, pseudonyms)
    with begin() as unit:
        store = CohortStore(unit)
        source = store.source("dicom", pseudonyms.place(str(folder.resolve())), key_id=pseudonyms.key_id)
        ingest = store.begin_ingest(source, code=__version__, now=clock.now(), actor=actor)
        known = store.known_files(source)
    fresh = [file for file in found if _is_fresh(file, known.get(file.path), arrays)]
    tally = Counter({"found": len(found), "unchanged": len(found) - len(fresh)})
    rejected: Counter[str] = Counter()
    done = 0
    people = _People(pseudonyms, {})
    for batch in _batches(fresh):
        readings = [_read(file, pseudonyms) for file in batch]
        with begin() as unit:
            arrivals = [_arrival(file, reading, people) for file, reading in zip(batch, readings, strict=True)]
            outcomes = CohortStore(unit).add(source, arrivals)
            _keep_pixels(arrays, readings, outcomes)
        _count(tally, rejected, readings, outcomes)
        done += len(batch)
        progress(done, len(fresh))
    report = _report("dicom", tally, rejected)
    with begin() as unit:
        CohortStore(unit).finish_ingest(ingest, {**tally, **rejected}, now=clock.now())
        record(unit, report)
    return report


def ingest_labels(
    path: Path,
    *,
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record = lambda _unit, _report: None,
    actor: str | None = None,
    mapping: Path | None = None,
) -> IngestReport:
    """Read a table of labels, by its map if it has one; all of it or nothing.

    Answers about unknown images are counted, not stored. With a map, images that no row is about are counted, too.
    """
    if mapping is not None:
        return _ingest_mapped(path, read_joinable(path, mapping, pseudonyms), begin, pseudonyms, clock, record, actor)
    table = read_labels(path, pseudonyms)
    facts = [LabelFact(row.case_id, row.name, row.value) for row in table.rows]

    def write(store: CohortStore, ingest: int) -> IngestReport:
        counts = store.record_labels(facts, now=clock.now(), ingest=ingest)
        return _told("labels", {**_recorded(counts), "unknown": counts.unknown}, contents=table.contents)

    return _ingest_table("labels", path, write, begin, pseudonyms, clock, record, actor, table.contents)


def ingest_consents(
    path: Path,
    *,
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record = lambda _unit, _report: None,
    actor: str | None = None,
) -> IngestReport:
    """Read a consent register; all of it or nothing.

    Unknown patients are counted; kept are only withdrawals, which count from the day on which images come.
    """
    table = read_consents(path, pseudonyms)
    facts = [ConsentFact(row.patient, row.status, row.date, pseudonyms.barred(row.patient)) for row in table.rows]

    def write(store: CohortStore, _ingest: int) -> IngestReport:
        counts = store.record_consents(facts)
        said = {
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "outdated": counts.outdated,
            "unknown": counts.unknown,
        }
        return _told("consent", said)

    return _ingest_table("consent", path, write, begin, pseudonyms, clock, record, actor, issuers=table.issuers)


# --- private ---------------------------------------------------------------------------------------


def _ingest_mapped(
    path: Path,
    table: MappedTable,
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record,
    actor: str | None,
) -> IngestReport:
    def write(store: CohortStore, ingest: int) -> IngestReport:
        joined = join_labels(table, store)
        said = _recorded(store.record_labels(joined.facts, now=clock.now(), ingest=ingest))
        said |= {"rows-without-image": len(joined.strangers), "images-without-row": joined.images_without_row}
        remarks = [f"rows that match no image: {describe_lines(joined.strangers)}"] if joined.strangers else []
        return _told("labels", said, contents=table.contents, remarks=remarks)

    kept = table.contents, table.issuers
    return _ingest_table("labels", path, write, begin, pseudonyms, clock, record, actor, *kept)


def _recorded(counts: LabelCounts) -> dict[str, int]:
    return {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged}


def _told(
    kind: str, counts: Mapping[str, int], *, contents: str | None = None, remarks: Sequence[str] = ()
) -> IngestReport:
    found = tuple(Count(name, count) for name, count in counts.items())
    return IngestReport(kind, found, contents=contents, remarks=tuple(remarks))


def _ingest_table(
    kind: str,
    path: Path,
    write: Callable[[CohortStore, int], IngestReport],
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record,
    actor: str | None,
    contents: str | None = None,
    issuers: Sequence[str] = (),
) -> IngestReport:
    people = _People(pseudonyms, {})
    with begin() as unit:
        store = CohortStore(unit)
        source = store.source(kind, pseudonyms.place(str(path.resolve())), key_id=pseudonyms.key_id)
        ingest = store.begin_ingest(source, code=__version__, now=clock.now(), actor=actor, contents=contents)
        keep_issuers(unit, dict(issuer for text in issuers if (issuer := people.issuer(text)) is not None))
        report = write(store, ingest)
        store.finish_ingest(ingest, {count.name: count.count for count in report.counts}, now=clock.now())
        record(unit, report)
    return report


def _is_fresh(file: FoundFile, known: KnownFile | None, arrays: ArrayStore) -> bool:
    """Whether a file must be read: new, changed, or its pixels are gone from the store."""
    if known is None or (known.size, known.mtime_ns) != (file.size, file.mtime_ns):
        return True
    return known.pixels is not None and not arrays.has(known.pixels)


def _read(file: FoundFile, pseudonyms: Pseudonyms) -> Reading | Rejection:
    if file.refused is not None:
        return Rejection(file.refused)
    return read_dicom(file.location, pseudonyms)


@dataclass(frozen=True, slots=True)
class _People:
    """What the cohort is told of people; each issuer is sealed once an intake, however many files name it."""

    pseudonyms: Pseudonyms
    sealed: dict[str, tuple[str, bytes] | None]

    def of(self, reading: Reading) -> PersonFact:
        """The facts of one reading's patient."""
        return PersonFact(self.pseudonyms.barred(reading.case.patient), reading.linked, self.issuer(reading.issuer))

    def issuer(self, text: str) -> tuple[str, bytes] | None:
        """Mark and sealed text of an issuer; None for the empty one, which is always tried."""
        if text not in self.sealed:
            mark = self.pseudonyms.issuer(text)
            empty = mark == self.pseudonyms.issuer("")
            self.sealed[text] = None if empty else (mark, self.pseudonyms.seal(text))
        return self.sealed[text]


def _arrival(file: FoundFile, reading: Reading | Rejection, people: _People) -> Arrival:
    seen = file.path, file.size, file.mtime_ns
    if isinstance(reading, Rejection):
        return Arrival(*seen, None, reason=reading.reason.value)
    return Arrival(
        *seen, reading.case, reading.height, reading.width, person=people.of(reading), accession=reading.accession
    )


def _keep_pixels(arrays: ArrayStore, readings: Sequence[Reading | Rejection], outcomes: Sequence[FileOutcome]) -> None:
    for reading, outcome in zip(readings, outcomes, strict=True):
        if isinstance(reading, Reading) and outcome.status is FileStatus.ACCEPTED:
            arrays.put(reading.pixels)


def _count(
    tally: Counter[str],
    rejected: Counter[str],
    readings: Sequence[Reading | Rejection],
    outcomes: Sequence[FileOutcome],
) -> None:
    for reading, outcome in zip(readings, outcomes, strict=True):
        tally[outcome.status.value] += 1
        if outcome.reason is not None:
            rejected[outcome.reason] += 1
        elif isinstance(reading, Reading):
            tally.update(flag.value for flag in reading.flags)


def _report(kind: str, tally: Mapping[str, int], rejected: Mapping[str, int]) -> IngestReport:
    return IngestReport(
        kind,
        tuple(Count(name, count) for name, count in tally.items()),
        tuple(Count(name, count) for name, count in sorted(rejected.items())),
    )


def _batches(files: Sequence[FoundFile]) -> Iterator[Sequence[FoundFile]]:
    remaining = iter(files)
    while batch := list(islice(remaining, BATCH_FILES)):
        yield batch
