"""Whom a letter means: the pseudonyms an identifier may stand for, and tables that are refused line by line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain.intake import Pseudonyms, read_identifiers, read_wishes, wanted
from maintain.vocabulary import LegalBasis, Reason

KEYS = Pseudonyms(bytes(range(32)))
ISSUERS = ("EAST", "WEST")
HEAD = "PatientID,IssuerOfPatientID,reason,basis,received,due,request\n"


def table(folder: Path, text: str) -> Path:
    path = folder / "letters.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["", "  ", "0000", "ANONYMOUS", "x" * 300])
def test_what_names_nobody_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InputError) as refused:
        wanted(text, None, KEYS, ISSUERS)
    assert not text.strip() or text not in refused.value.message


def test_without_an_issuer_every_known_one_is_tried() -> None:
    found = wanted(" 4711 ", None, KEYS, ISSUERS)
    assert found.tried == tuple(KEYS.patient("4711", issuer) for issuer in (None, *ISSUERS))
    assert not found.stranger


def test_with_an_issuer_that_one_alone() -> None:
    assert wanted("4711", " EAST ", KEYS, ISSUERS) == wanted("4711", "EAST", KEYS, ISSUERS)
    assert wanted("4711", "EAST", KEYS, ISSUERS).tried == (KEYS.patient("4711", "EAST"),)
    assert wanted("4711", "NORTH", KEYS, ISSUERS).stranger


def test_identifiers_are_lines_and_each_counts_once() -> None:
    assert read_identifiers(["\ufeff4711\r", "", " 4712 ", "4711"]) == ("4711", "4712")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "no request"),
        ("1,,outlier,,,,\n", "line 2: the reason is none of consent, data-subject"),
        ("1,,consent,article 17,,,\n", "line 2: the basis is none of"),
        ("1,,consent,,,,\n2,,consent,,31.3.2026,,\n", "line 3: received is no date"),
        ("1,,consent,,,soon,\n", "line 2: due is no date"),
        ("1,,consent,,,,\nnone,,consent,,,,\n", "line 3: the PatientID names nobody"),
        ("1,,consent,,,,a\n2,,data-subject,,,,a\n", "lines 2 and 3: one request with different"),
    ],
)
def test_a_table_with_a_mistake_is_refused_with_its_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_wishes(table(tmp_path, HEAD + rows), KEYS, ISSUERS)


def test_rows_that_share_a_word_are_one_request(tmp_path: Path) -> None:
    rows = "1,EAST,consent,,,,a\n2,,data-subject,other,2026-01-02,2026-02-01,\n3,,consent,,,,a\n4,,consent,,,,\n"
    first, second, third = read_wishes(table(tmp_path, HEAD + rows), KEYS, ISSUERS)
    assert (first.lines, second.lines, third.lines) == ((2, 4), (3,), (5,))
    assert [one.tried[0] for one in first.wanted] == [KEYS.patient("1", "EAST"), KEYS.patient("3", None)]
    assert (second.reason, second.basis) == (Reason.DATA_SUBJECT, LegalBasis.OTHER)
    assert (second.received, second.due) == (date(2026, 1, 2), date(2026, 2, 1))
    assert (third.basis, third.received, third.due) == (None, None, None)


def test_two_columns_are_enough(tmp_path: Path) -> None:
    (row,) = read_wishes(table(tmp_path, "patientid;Reason\n4711;CONSENT\n"), KEYS, ISSUERS)
    assert (row.reason, len(row.wanted[0].tried)) == (Reason.CONSENT, 3)


@pytest.mark.parametrize(
    "heading", ["recieved", "Due date", "legal basis", "requests", "Issuer Of PatientID", "reasons"]
)
def test_a_column_that_is_nearly_one_of_ours_is_not_passed_over(tmp_path: Path, heading: str) -> None:
    with pytest.raises(InputError, match="nearly called"):
        read_wishes(table(tmp_path, f"PatientID,reason,{heading}\n1,consent,\n"), KEYS, ISSUERS)


def test_columns_of_the_sender_are_left_out(tmp_path: Path) -> None:
    text = "PatientID,reason,name,address,date of birth,remark\n1,consent,a,b,c,d\n"
    assert len(read_wishes(table(tmp_path, text), KEYS, ISSUERS)) == 1
