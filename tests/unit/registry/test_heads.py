from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import BrokenChainError, WorkspaceError
from maintain_registry.heads import Head, behind, complete, head_line, read_heads

CHAIN: list[Head] = [(number, f"{number:064x}") for number in range(1, 6)]
WHOLE = b"".join(head_line(head) for head in CHAIN)


@pytest.mark.parametrize(
    ("found", "entry"),
    [
        (WHOLE + head_line((6, "f" * 64)), 6),
        (WHOLE + b"\n", 6),
        (b"\n" + WHOLE, 1),
        (WHOLE.replace(b"\n", b"\r\n"), 1),
        (head_line(CHAIN[0]) + head_line(CHAIN[2]), 2),
        (head_line(CHAIN[0]) + head_line((2, "f" * 64)), 2),
        (head_line(CHAIN[0]) + b"2 what is this\n", 2),
        (head_line(CHAIN[0]) + head_line(CHAIN[0]), 2),
        (b"\xff", 1),
    ],
)
def test_the_first_line_that_disagrees_is_named(tmp_path: Path, found: bytes, entry: int) -> None:
    path = tmp_path / "ledger.heads"
    path.write_bytes(found)
    with pytest.raises(BrokenChainError) as caught:
        complete(path, lambda: CHAIN)
    assert caught.value.entry == entry
    assert path.read_bytes() == found


def test_a_head_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.heads").mkdir()
    for attempt in (lambda path: complete(path, lambda: CHAIN), read_heads):
        with pytest.raises(WorkspaceError, match="cannot be used"):
            attempt(tmp_path / "ledger.heads")


@given(st.integers(0, len(WHOLE)))
def test_whatever_a_crash_left_is_completed(length: int) -> None:
    assert WHOLE[:length] + behind(WHOLE[:length], CHAIN) == WHOLE


def test_completing_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.heads"
    assert read_heads(path) is None
    complete(path, lambda: CHAIN[:3])
    complete(path, lambda: CHAIN)
    complete(path, lambda: CHAIN)
    assert read_heads(path) == WHOLE
