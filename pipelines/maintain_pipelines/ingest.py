"""Sources -> cohort: DICOM folders, label tables, consent registers.

Every 500 files are committed on their own: an intake that is killed loses little, and said again it
reads only what is new. The ledger's entry is written with the last of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from maintain import __version__
from maintain.arrays import ArrayStore
from maintain.clock import Clock
from maintain.cohort import Arrival, CohortStore, ConsentFact, Count, FileOutcome, KnownFile, LabelFact
from maintain.database import UnitOfWork
from maintain.errors import UnknownNameError
from maintain.intake import (
    FoundFile,
    Pseudonyms,
    Reading,
    Rejection,
    find_files,
    load_pseudonyms,
    read_consents,
    read_dicom,
    read_labels,
)
from maintain.vocabulary import FileStatus
from maintain_pipelines.context import Context
from maintain_registry import Event, EventKind

#: Opens a writing unit of work.
Begin: TypeAlias = Callable[[], AbstractContextManager[UnitOfWork]]

#: Told how many of how many files are done.
Progress: TypeAlias = Callable[[int, int], None]

#: Files of one transaction: what a kill may cost.
BATCH_FILES = 500


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an intake did, in counts only: nothing in it names a file or a patient."""

    kind: str
    counts: tuple[Count, ...]
    rejected: tuple[Count, ...] = ()

    def count(self, name: str) -> int:
        """One of the counts; 0 when nothing was counted under that name."""
        return next((count.count for count in self.counts if count.name == name), 0)

    def lines(self) -> tuple[str, ...]:
        """The report for people."""
        said = ", ".join(f"{count.count} {count.name}" for count in self.counts)
        why = [f"  rejected {count.name}: {count.count}" for count in self.rejected]
        return (f"{self.kind}: {said}", *why)

    def document(self) -> dict[str, object]:
        """The report for `--json` and for the ledger."""
        counts = {count.name: count.count for count in self.counts}
        return {"kind": self.kind, "counts": counts, "rejected": {c.name: c.count for c in self.rejected}}


#: Writes the ledger's entry inside the last transaction.
Record: TypeAlias = Callable[[UnitOfWork, IngestReport], None]


def ingest_source(kind: str, source: Path, context: Context) -> IngestReport:
    """Read one source of a kind into the workspace, with its ledger entry.

    Raises `UnknownNameError` for another kind, and `InputError` for a source that cannot be read.
    """
    readers = {"consent": ingest_consents, "labels": ingest_labels}
    if kind != "dicom" and kind not in readers:
        raise UnknownNameError("kind of source", kind, ["dicom", *readers])
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
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
        )
    return readers[kind](source, begin=begin, pseudonyms=pseudonyms, clock=context.clock, record=record)


def ingest_dicom(
    folder: Path,
    *,
    begin: Begin,
    arrays: ArrayStore,
    pseudonyms: Pseudonyms,
    clock: Clock,
    progress: Progress = lambda _done, _total: None,
    record: Record = lambda _unit, _report: None,
) -> IngestReport:
    """Read every DICOM file below a folder that is new or has changed. Pixels are kept before their rows."""
    found = find_files(folder, pseudonyms)
    with begin() as unit:
        store = CohortStore(unit)
        source = store.source("dicom", pseudonyms.place(str(folder.resolve())), key_id=pseudonyms.key_id)
        ingest = store.begin_ingest(source, code=__version__, now=clock.now())
        known = store.known_files(source)
    fresh = [file for file in found if _is_fresh(file, known.get(file.path), arrays)]
    tally = Counter({"found": len(found), "unchanged": len(found) - len(fresh)})
    rejected: Counter[str] = Counter()
    done = 0
    for batch in _batches(fresh):
        readings = [_read(file, pseudonyms) for file in batch]
        with begin() as unit:
            arrivals = [_arrival(file, reading) for file, reading in zip(batch, readings, strict=True)]
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
) -> IngestReport:
    """Read a table of labels; all of it or nothing. Answers about unknown images are counted, not stored."""
    table = read_labels(path, pseudonyms)
    facts = [LabelFact(row.case_id, row.name, row.value) for row in table.rows]

    def write(store: CohortStore) -> Mapping[str, int]:
        counts = store.record_labels(facts, now=clock.now())
        return {
            "new": counts.new,
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "unknown": counts.unknown,
        }

    return _ingest_table("labels", path, write, begin, pseudonyms, clock, record)


def ingest_consents(
    path: Path,
    *,
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record = lambda _unit, _report: None,
) -> IngestReport:
    """Read a consent register; all of it or nothing. Unknown patients are counted, not stored."""
    table = read_consents(path, pseudonyms)
    facts = [ConsentFact(row.patient, row.status, row.date) for row in table.rows]

    def write(store: CohortStore) -> Mapping[str, int]:
        counts = store.record_consents(facts)
        return {
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "outdated": counts.outdated,
            "unknown": counts.unknown,
        }

    return _ingest_table("consent", path, write, begin, pseudonyms, clock, record)


# --- private ---------------------------------------------------------------------------------------


def _ingest_table(
    kind: str,
    path: Path,
    write: Callable[[CohortStore], Mapping[str, int]],
    begin: Begin,
    pseudonyms: Pseudonyms,
    clock: Clock,
    record: Record,
) -> IngestReport:
    with begin() as unit:
        store = CohortStore(unit)
        source = store.source(kind, pseudonyms.place(str(path.resolve())), key_id=pseudonyms.key_id)
        ingest = store.begin_ingest(source, code=__version__, now=clock.now())
        counts = write(store)
        report = IngestReport(kind, tuple(Count(name, count) for name, count in counts.items()))
        store.finish_ingest(ingest, counts, now=clock.now())
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


def _arrival(file: FoundFile, reading: Reading | Rejection) -> Arrival:
    if isinstance(reading, Rejection):
        return Arrival(file.path, file.size, file.mtime_ns, None, reason=reading.reason.value)
    return Arrival(file.path, file.size, file.mtime_ns, reading.case, reading.height, reading.width)


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
