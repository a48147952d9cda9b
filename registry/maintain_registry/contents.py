"""Which files a version has, and proof that they are the ones its record names.

A version without its weights, its manifest or the log of what its training consumed could not be
audited, and weights that are not safetensors could run code when loaded; both are refused here,
before any store keeps them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from maintain.errors import InputError, RefusedError
from maintain.hashing import Digest, canonical_json, digest_bytes, digest_file
from maintain.records import ModelVersion
from maintain_registry.port import Content

WEIGHTS_FILE = "weights.safetensors"

#: Left among the files of a version whose weights were erased; written before they go. Schema name and version.
ERASED_FILE = "erased.json"
ERASED_SCHEMA = ("maintain.version-erased", 1)

#: File of a version -> the field of its record that holds the digest of the file's bytes.
DIGEST_FIELDS: Mapping[str, str] = {
    WEIGHTS_FILE: "weights",
    "spec.json": "spec",
    "manifest.json": "manifest",
    "loader-log.jsonl": "loader_log",
    "plan.json": "plan",
    "verdict.json": "verdict",
}

#: What a version answered about synthetic pictures when it was registered.
OUTPUTS_FILE = "outputs.json"

#: Files that a version may have and its record does not name, because versions made before have none; the ledger's
#: entry holds their digests.
BESIDE_FILES = frozenset({OUTPUTS_FILE})

#: Largest header that the safetensors format allows. https://github.com/huggingface/safetensors#format
HEADER_BYTES_LIMIT = 100_000_000

#: A safetensors file begins with the length of its header: eight bytes, little-endian.
LENGTH_BYTES = 8

#: Longest model name; it becomes the name of a folder.
NAME_CHARACTERS = 64


def check_model_name(model: str) -> str:
    """The name, if it is kebab-case letters, digits and dots. Raises `InputError` otherwise."""
    if not is_model_name(model):
        raise InputError(
            "The name of a model is not one that a registry can keep.",
            remedy="Use small letters, digits, hyphens and dots, for example fundus-triage.",
        )
    return model


def is_model_name(name: str) -> bool:
    """Whether a model may be called so; folders called otherwise are none of ours."""
    return len(name) <= NAME_CHARACTERS and _NAME.fullmatch(name) is not None


def expected_files(version: ModelVersion) -> dict[str, Digest]:
    """The files a version must have, with the digests that its record names for them."""
    named = {file: getattr(version, field) for file, field in DIGEST_FIELDS.items()}
    return {file: digest for file, digest in named.items() if digest is not None}


def check(version: ModelVersion, files: Mapping[str, Content]) -> None:
    """Raise unless these are the files of this version, each with the digest it names, and none but those allowed.

    Raises `InputError` for missing, unknown or unsafe files and `RefusedError` for other bytes.
    """
    check_model_name(version.model)
    if version.version < 1:
        raise InputError("Versions are numbered from 1.", remedy="Let `register` choose the number.")
    wanted = expected_files(version)
    odd = ", ".join(sorted(set(files) - BESIDE_FILES ^ set(wanted)))
    if odd:
        raise InputError(
            f"The files of a version must match its record; missing or not named by it: {odd}.",
            remedy="Give exactly one file for every digest in the record.",
        )
    for name, digest in wanted.items():
        if digest_of_content(files[name]) != digest:
            raise RefusedError(
                f"{name} is not the file that the record of the version names.",
                remedy="Make the record from the file that is to be stored, and try again.",
            )
    _check_weights(files[WEIGHTS_FILE])


def digest_of_content(content: Content) -> Digest:
    """SHA-256 of a file's bytes, wherever they are. Raises `InputError` when it cannot be read."""
    if isinstance(content, bytes):
        return digest_bytes(content)
    try:
        return digest_file(content)
    except OSError as error:
        raise InputError(
            f"The file {content.name} cannot be read ({error.strerror}).",
            remedy="Make it again with the step that writes it.",
        ) from error


def erased_marker(version: ModelVersion) -> bytes:
    """What `ERASED_FILE` says: which file is gone, and the digest that it had."""
    name, number = ERASED_SCHEMA
    body = {"file": WEIGHTS_FILE, "sha256": version.weights}
    return f"{canonical_json({'schema': name, 'version': number, 'body': body})}\n".encode()


# --- private ---------------------------------------------------------------------------------------

_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


def _check_weights(content: Content) -> None:
    if isinstance(content, bytes):
        header, rest = _header_of_bytes(content)
    else:
        with content.open("rb") as stream:
            header, rest = _header_of_stream(stream, content.stat().st_size)
    if not header.startswith(b"{"):
        raise _unsafe("has no header")
    try:
        document = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise _unsafe("has a header that is not JSON") from error
    if _tensor_bytes(document) != rest:
        raise _unsafe("holds bytes that its header does not describe")


def _header_of_bytes(data: bytes) -> tuple[bytes, int]:
    length = _header_length(data[:LENGTH_BYTES], len(data))
    return data[LENGTH_BYTES : LENGTH_BYTES + length], len(data) - LENGTH_BYTES - length


def _header_of_stream(stream: BinaryIO, size: int) -> tuple[bytes, int]:
    length = _header_length(stream.read(LENGTH_BYTES), size)
    return stream.read(length), size - LENGTH_BYTES - length


def _header_length(start: bytes, size: int) -> int:
    length = int.from_bytes(start, "little")
    if len(start) < LENGTH_BYTES or length > min(HEADER_BYTES_LIMIT, size - LENGTH_BYTES):
        raise _unsafe("does not begin with the length of its header")
    return length


def _tensor_bytes(document: dict[str, Any]) -> int:
    """Bytes that the header describes; its tensors must lie end to end, without holes."""
    end = 0
    try:
        tensors = [value["data_offsets"] for name, value in document.items() if name != "__metadata__"]
        for start, stop in sorted(tensors):
            if start != end or stop < start:
                raise _unsafe("has holes between its tensors")
            end = stop
    except (KeyError, TypeError, ValueError) as error:
        raise _unsafe("has a header that describes no tensors") from error
    return end


def _unsafe(what: str) -> InputError:
    return InputError(
        f"{WEIGHTS_FILE} {what}: it is not a safetensors file.",
        remedy="Nothing pickled is ever stored; write the weights with safetensors.",
    )
