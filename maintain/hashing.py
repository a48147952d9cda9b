"""Canonical JSON and SHA-256: the only place where digests are made.

Every value of the path names the digest of the one before it, so two machines must agree on the
bytes of a value: keys sorted, no spaces, UTF-8, no NaN.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

Digest: TypeAlias = str

#: Bytes read at a time when a file is hashed; large enough that Python costs nothing beside SHA-256.
CHUNK_BYTES = 1 << 20

#: Characters of a digest that people are shown; 48 bits are enough to tell values of one hospital apart.
SHORT = 12


def canonical_json(value: object) -> str:
    """The one JSON text of a value. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_bytes(data: bytes | memoryview) -> Digest:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Mapping[str, object] | list[object]) -> Digest:
    """SHA-256 of the canonical JSON of a value."""
    return digest_bytes(canonical_json(value).encode())


def digest_lines(lines: Iterable[str]) -> Digest:
    """SHA-256 of lines, each ended by a newline: the digest of a JSONL file with these lines."""
    running = hashlib.sha256()
    for line in lines:
        running.update(line.encode() + b"\n")
    return running.hexdigest()


def digest_file(path: Path) -> Digest:
    """SHA-256 of a file, read in chunks."""
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            running.update(chunk)
    return running.hexdigest()


def short(digest: Digest) -> str:
    """The first characters of a digest, for people."""
    return digest[:SHORT]
