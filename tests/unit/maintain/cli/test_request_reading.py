"""What `maintain request` reads: nothing that cannot be read is repeated, and a terminal shows no identifier."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from maintain.cli import request_reading as reading
from maintain.errors import InputError
from maintain.vocabulary import LegalBasis, Reason

CANARY = "CANARYPID-0815"


def console_of(data: bytes) -> io.TextIOWrapper:
    """Stdin as the C locale has it: what is no UTF-8 becomes surrogates instead of an error."""
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape")


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.message + caught.value.remedy


def test_what_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"1\n" * reading.LARGEST_BYTES)
    (tmp_path / "latin").write_bytes("Zoë".encode("latin-1"))
    told = [
        refused(lambda: reading.identifiers(tmp_path / CANARY)),
        refused(lambda: reading.identifiers(tmp_path / "large")),
        refused(lambda: reading.identifiers(tmp_path / "latin")),
        refused(lambda: reading.choice(LegalBasis, CANARY, "--basis")),
        refused(lambda: reading.choice(Reason, "outlier", "--reason", only=lambda one: one.personal)),
        refused(lambda: reading.day(CANARY, "--due")),
    ]
    assert not [text for text in told if CANARY in text or "Zo" in text]
    assert "consent, data-subject" in told[4]


def test_a_file_or_stdin_names_one_person_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letter.txt").write_bytes(b"\xef\xbb\xbf4711\r\n\r\n4712\r\n4711\r\n")
    assert reading.identifiers(tmp_path / "letter.txt") == ("4711", "4712")
    monkeypatch.setattr("sys.stdin", io.StringIO("4711\n4712"))
    assert reading.identifiers(None) == ("4711", "4712")


@pytest.mark.parametrize("given", ["Zo\xeb".encode("latin-1"), "4711".encode("utf-16"), b"1\n" * reading.LARGEST_BYTES])
def test_stdin_that_a_console_would_mend_is_refused(given: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", console_of(given))
    assert "stdin" in refused(lambda: reading.identifiers(None))


def test_at_a_terminal_it_is_asked_for_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def prompt(text: str, stream: object = None) -> str:
        asked.append(text)
        return CANARY

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", prompt)
    assert reading.identifiers(None) == (CANARY,)
    assert asked == ["PatientID: "]


def test_a_list_that_is_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.csv").write_text(f"PatientID;reason\n{CANARY};consent\n", encoding="utf-8")
    told = refused(lambda: reading.identifiers(tmp_path / "letters.csv"))
    assert "--table" in told
    assert CANARY not in told
