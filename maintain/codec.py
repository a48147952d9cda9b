"""Records to JSON and back, with a schema name and a version on everything that is written.

A file that is broken, foreign or of an unknown version is refused with a `RecordError`; unknown
and missing keys are errors, so a record never silently loses a field. `UPGRADES` holds the
reader for version n-1 once a schema has had one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from maintain import records
from maintain.errors import DamagedError, RecordError
from maintain.hashing import Digest, canonical_json, digest_bytes, digest_lines

T = TypeVar("T")

#: The mode of a file that is for its owner alone.
PRIVATE_MODE = 0o600

#: Schema name and version of every record that is written on its own.
SCHEMAS: Mapping[type, tuple[str, int]] = {
    records.Candidate: ("maintain.candidate", 2),
    records.Difficulty: ("maintain.difficulty", 1),
    records.Erased: ("maintain.erased", 1),
    records.LoaderLog: ("maintain.loader-log", 1),
    records.MatchTable: ("maintain.match-table", 1),
    records.Measurements: ("maintain.measurements", 1),
    records.ModelSpec: ("maintain.model-spec", 1),
    records.ModelVersion: ("maintain.model-version", 1),
    records.Plan: ("maintain.plan", 3),
    records.Reference: ("maintain.reference", 1),
    records.Registration: ("maintain.registration", 1),
    records.RoleTable: ("maintain.role-table", 1),
    records.Snapshot: ("maintain.snapshot", 1),
    records.Strata: ("maintain.strata", 1),
    records.SyntheticAnswers: ("maintain.synthetic-answers", 1),
    records.TrainingManifest: ("maintain.training-manifest", 1),
    records.Verdict: ("maintain.verdict", 2),
}

#: (schema name, version) -> what turns the body of that version into one of the next.
UPGRADES: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("maintain.candidate", 1): lambda body: {
        **body,
        "decisions": [{**decision, "differing": [], "tuned": None} for decision in body["decisions"]],
    },
    ("maintain.plan", 1): lambda body: {**body, "strata": None},
    ("maintain.plan", 2): lambda body: {**body, "environment": {**body["environment"], "precision": "fp32"}},
    ("maintain.verdict", 1): lambda body: {**body, "difficulty": None, "references": []},
}

#: Records whose `rows` are written one a line, after a line with everything else.
TABLES: frozenset[type] = frozenset(
    {
        records.Difficulty,
        records.LoaderLog,
        records.MatchTable,
        records.Measurements,
        records.RoleTable,
        records.Strata,
    }
)


def digest_of(record: object) -> Digest:
    """The digest by which the next value names this record: that of its file's bytes."""
    return digest_lines(_lines(record))


def to_text(record: object) -> str:
    """The file of a record: one JSON line, or for tables a head line and a line a row."""
    return "".join(line + "\n" for line in _lines(record))


def to_document(record: object) -> dict[str, Any]:
    """The record as one JSON document with its schema, for `--json` and for people's tools."""
    name, version = _schema(type(record))
    return {"schema": name, "version": version, "body": encode(record)}


def from_text(kind: type[T], text: str, *, source: str = "record") -> T:
    """Read a record back. Raises `RecordError` for anything that is not exactly one."""
    lines = [line for line in text.split("\n") if line]
    try:
        document = json.loads(lines[0]) if lines else None
        rows = [json.loads(line) for line in lines[1:]]
    except json.JSONDecodeError as error:
        raise _refused(source, f"is not JSON (line {error.lineno}, column {error.colno})") from error
    body = _body(kind, document, source)
    if kind in TABLES:
        body["rows"] = rows
    elif rows:
        raise _refused(source, "has more than one line")
    try:
        decoded: T = decode(kind, body)
    except (TypeError, ValueError) as error:
        raise _refused(source, str(error)) from error
    return decoded


def write(path: Path, record: object) -> Digest:
    """Write a record and return its digest. The file appears whole or not at all."""
    data = to_text(record).encode()
    write_bytes(path, data)
    return digest_bytes(data)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its place, flush it to the disk, and move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that was not there, for its owner alone, or leave nothing. Raises `OSError` where it is there."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_MODE)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read(path: Path, kind: type[T], *, expected: Digest | None = None) -> T:
    """Read a record. With `expected`, raises `DamagedError` unless the bytes have that digest."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refused(path.name, f"cannot be read ({error.strerror})") from error
    if expected is not None and digest_bytes(data) != expected:
        raise DamagedError(
            f"{path.name} has changed since it was written.",
            remedy="Restore the file from a backup; nothing was done with its content.",
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _refused(path.name, "is not UTF-8 text") from error
    return from_text(kind, text, source=path.name)


def encode(value: Any) -> Any:
    """A record, or any value inside one, as plain JSON values."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: Any, value: Any) -> Any:
    """Plain JSON values as a value of that type. Raises TypeError or ValueError with the place."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value)
    if origin is tuple:
        item = get_args(kind)[0]
        if not isinstance(value, list):
            raise TypeError(f"expected a list, found {type(value).__name__}")
        return tuple(decode(item, element) for element in value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_record(kind, value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"expected {getattr(kind, '__name__', kind)}, found {type(value).__name__}")
    return value


# --- private ---------------------------------------------------------------------------------------


def _lines(record: object) -> Iterator[str]:
    document = to_document(record) if type(record) not in TABLES else _table_head(record)
    yield canonical_json(document)
    if type(record) in TABLES:
        rows: Iterable[object] = record.rows  # type: ignore[attr-defined]  # every table has rows
        for row in rows:
            yield canonical_json(encode(row))


def _table_head(record: object) -> dict[str, Any]:
    name, version = _schema(type(record))
    body = {field: encode(getattr(record, field)) for field in _fields(type(record)) if field != "rows"}
    return {"schema": name, "version": version, "body": body}


def _schema(kind: type) -> tuple[str, int]:
    if kind not in SCHEMAS:
        raise TypeError(f"{kind.__name__} is not a record that is written on its own")
    return SCHEMAS[kind]


def _body(kind: type, document: Any, source: str) -> dict[str, Any]:
    name, version = _schema(kind)
    if not isinstance(document, dict) or set(document) != {"schema", "version", "body"}:
        raise _refused(source, "is not one of our records")
    if document["schema"] != name:
        raise _refused(source, f"holds {document['schema']!r}, not {name!r}")
    found, body = document["version"], document["body"]
    while found != version:
        upgrade = UPGRADES.get((name, found))
        if upgrade is None:
            raise _refused(source, f"is {name} version {found}; this program reads version {version}")
        body, found = upgrade(body), found + 1
    if not isinstance(body, dict):
        raise _refused(source, "has no body")
    return body


def _decode_record(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{kind.__name__}: expected an object, found {type(value).__name__}")
    hints = _fields(kind)
    if set(value) != set(hints):
        odd = sorted(set(value) ^ set(hints))
        raise ValueError(f"{kind.__name__}: unknown or missing keys {', '.join(odd)}")
    decoded = {}
    for name, hint in hints.items():
        try:
            decoded[name] = decode(hint, value[name])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{kind.__name__}.{name}: {error}") from error
    return kind(**decoded)


def _decode_union(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is type(None):
            continue
        try:
            return decode(kind, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"no variant fits {type(value).__name__}")


#: What JSON has itself: most of a table, so asked first.
_PLAIN = frozenset({str, int, float, bool, type(None)})

#: Resolved annotations of each record type; resolving them anew for every row would cost most of the time.
_FIELDS: dict[type, dict[str, Any]] = {}


def _fields(kind: type) -> dict[str, Any]:
    if kind not in _FIELDS:
        hints = get_type_hints(kind)
        _FIELDS[kind] = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return _FIELDS[kind]


def _refused(source: str, what: str) -> RecordError:
    return RecordError(f"{source} {what}.", remedy="Restore the file, or run the step that writes it again.")
