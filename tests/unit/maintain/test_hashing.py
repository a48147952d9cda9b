"""One JSON text a value, and digests that agree with each other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.hashing import canonical_json, digest_bytes, digest_file, digest_json, digest_lines, short


def test_nan_has_no_digest() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_json({"loss": float("nan")})


def test_key_order_does_not_matter() -> None:
    assert canonical_json({"b": 1, "ä": [1, 2]}) == canonical_json({"ä": [1, 2], "b": 1}) == '{"b":1,"ä":[1,2]}'


@given(lines=st.lists(st.text(alphabet="abc ä", max_size=5)))
def test_the_digest_of_lines_is_that_of_their_file(lines: list[str]) -> None:
    assert digest_lines(lines) == digest_bytes("".join(line + "\n" for line in lines).encode())


def test_a_file_is_hashed_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9_000
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()
    assert short("0123456789abcdef") == "0123456789ab"
