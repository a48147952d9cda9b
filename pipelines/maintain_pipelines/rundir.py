"""The folder of a run: each value is a file, written when it is made.

A run always leaves its folder, also when it fails, so that whoever comes after can see what was
planned, what was made and why it ended. Files hold values; the journal holds only state and the
digest of the last value, and both must agree before a step counts as done.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from maintain import codec
from maintain.clock import Clock, timestamp
from maintain.errors import DamagedError, ErasedError
from maintain.hashing import Digest, digest_file, short
from maintain.records import Erased

T = TypeVar("T")

POLICY = "00-policy.json"
PLAN = "01-plan.json"
CANDIDATE = "02-candidate.json"
VERDICT = "03-verdict.json"
REGISTRATION = "04-registration.json"
REPORT = "05-report.html"
REPORT_MARKDOWN = "05-report.md"
REPORT_JSON = "05-report.json"
REPORT_WITH_IMAGES = "05-report-with-images.html"
WEIGHTS = "weights.safetensors"
LOG = "run.log"
CHECKPOINTS = "checkpoints"

#: What stands behind the name of a file that was erased: the record that says for which request.
ERASED = ".erased.json"

#: Values of which each slot has its own.
SLOT_VALUES = ("02", "03")


def _anybody() -> None:
    """No guard: for reading, and for whoever writes where nobody else can."""


#: The first line of `run.log`.
LOG_HEAD = {"schema": "maintain.run-log", "version": 1}


def refuse_erased(path: Path) -> None:
    """Raise `ErasedError` where a file was erased for a person's request."""
    tombstone = path.with_name(path.name + ERASED)
    if not path.exists() and tombstone.is_file():
        said = codec.read(tombstone, Erased)
        raise ErasedError(path.name, request=said.request, entry=said.entry)


def refuse_erased_lists(folder: Path) -> None:
    """Raise `ErasedError` where any file of a run was erased for a person's request."""
    for tombstone in sorted(folder.glob(f"*{ERASED}")):
        refuse_erased(tombstone.with_name(tombstone.name.removesuffix(ERASED)))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One folder below `runs/`. The second slot's values carry a `b` behind their number.

    `guard` is asked before each write and raises where another process has taken the run over.
    """

    path: Path
    slot: int = 1
    guard: Callable[[], None] = field(default=_anybody, repr=False, compare=False)

    @property
    def checkpoints(self) -> Path:
        """Where an unfinished training keeps its checkpoint."""
        return self.path / CHECKPOINTS

    def create(self) -> None:
        """Make the folder, readable by its owner alone."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def file(self, name: str) -> Path:
        """Where a value of this slot lies."""
        again = self.slot > 1 and name.startswith(SLOT_VALUES)
        return self.path / (f"{name[:2]}b{name[2:]}" if again else name)

    def write(self, name: str, record: object) -> Digest:
        """Write a value of this slot and return its digest."""
        self.guard()
        return codec.write(self.file(name), record)

    def read(self, name: str, kind: type[T], *, expected: Digest | None = None) -> T:
        """Read a value of this slot back, checked against its digest. Raises `ErasedError` for one that was erased."""
        refuse_erased(self.file(name))
        return codec.read(self.file(name), kind, expected=expected)

    def kept(self, name: str, kind: type[T], *, expected: Digest | None = None) -> T:
        """A value that the journal says was written. Raises `DamagedError` when it is not there."""
        return codec.read(self.require(name), kind, expected=expected)

    def write_table(self, kind: str, record: object) -> Digest:
        """Write a long table named by its digest."""
        self.guard()
        digest = codec.digest_of(record)
        path = self.table(kind, digest)
        if not path.is_file():
            codec.write_bytes(path, codec.to_text(record).encode())
        return digest

    def read_table(self, kind: str, digest: Digest, record: type[T]) -> T:
        """Read a long table back, checked against the digest in its name."""
        return codec.read(self._present(self.table(kind, digest)), record, expected=digest)

    def table(self, kind: str, digest: Digest) -> Path:
        """Where a long table lies."""
        return self.path / f"{kind}-{short(digest)}.jsonl"

    def weights(self, digest: Digest) -> Path:
        """Where weights lie."""
        return self.path / f"{short(digest)}.{WEIGHTS}"

    def digest(self, path: Path) -> Digest | None:
        """The digest of a file of this folder, or None when it is not there."""
        return digest_file(path) if path.is_file() else None

    def log(self, clock: Clock, event: str, **facts: str | int | float | bool | None) -> None:
        """Append one JSON line to `run.log`. Facts are counts, digests and names, never identifiers."""
        self.guard()
        line = json.dumps({"at": timestamp(clock.now()), "event": event, **facts}, sort_keys=True)
        descriptor = os.open(self.path / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            head = "" if os.fstat(descriptor).st_size else json.dumps(LOG_HEAD, sort_keys=True) + "\n"
            stream.write(f"{head}{line}\n")

    def clear_checkpoints(self) -> None:
        """Remove what an unfinished training left; it holds weights, and none of it is needed any more."""
        self.guard()
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def require(self, name: str) -> Path:
        """The path of a value that must be there. Raises `DamagedError` when it is not."""
        return self._present(self.file(name))

    def require_parts(self, *paths: Path) -> None:
        """Raise `DamagedError` unless each of these files is there."""
        for path in paths:
            self._present(path)

    def _present(self, path: Path) -> Path:
        refuse_erased(path)
        if not path.is_file():
            raise DamagedError(
                f"The run folder has no {path.name}, but the journal says it was written.",
                remedy="Restore the run folder from a backup, or begin a new run.",
            )
        return path
