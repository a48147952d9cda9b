"""The key and the pseudonyms: no default, nobody else's eyes, no two meanings in one pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import DamagedError, InputError
from maintain.intake.identity import Pseudonyms, create_key, load_pseudonyms, names_nobody

KEY = bytes(range(32))
PSEUDONYMS = Pseudonyms(KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(InputError, match="open to other users"):
        load_pseudonyms(path)


def test_a_missing_key_is_refused_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_pseudonyms(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "é" * 32, "00" * 64])
def test_what_is_no_key_is_refused_without_printing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        load_pseudonyms(path)
    assert not text or text[:8] not in str(caught.value)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="already"):
        create_key(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_given_key_must_have_its_length(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        create_key(tmp_path / "key", key=b"short")
    create_key(tmp_path / "key", key=KEY)
    assert load_pseudonyms(tmp_path / "key") == PSEUDONYMS


def test_a_new_key_is_random_and_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_key(tmp_path / "deep" / "one")
        create_key(tmp_path / "two")
    finally:
        os.umask(before)
    one, two = tmp_path / "deep" / "one", tmp_path / "two"
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert len(bytes.fromhex(one.read_text())) == 32
    assert load_pseudonyms(one).key_id != load_pseudonyms(two).key_id


def test_the_key_never_shows() -> None:
    assert KEY.hex() not in repr(PSEUDONYMS)
    assert repr(KEY) not in repr(PSEUDONYMS)
    assert pickle.loads(pickle.dumps(PSEUDONYMS)) == PSEUDONYMS  # worker processes need it


@pytest.mark.parametrize(
    "nobody", [None, "", "  ", "0", "000000", "ANONYMOUS", "Anonymous^Patient", "unknown", "N/A", "--", "\x00", "no id"]
)
def test_identifiers_that_name_nobody_give_no_patient(nobody: str | None) -> None:
    assert names_nobody(nobody)
    assert PSEUDONYMS.patient(nobody, "CLINIC") is None


@pytest.mark.parametrize("number", [None, "", " ", "0", "N/A", "\x00", "REMOVED"])
def test_an_accession_number_that_is_a_placeholder_names_no_study(number: str | None) -> None:
    assert PSEUDONYMS.accession(number, "RIS") is None


@pytest.mark.parametrize("somebody", ["1", "000001", "SYN-000000-1", "P0", "王", "anonymous-17"])
def test_identifiers_that_name_somebody_do(somebody: str) -> None:
    assert PSEUDONYMS.patient(somebody, None) is not None


def test_the_formula_is_the_documented_one() -> None:
    message = b"patient\x1fCLINIC\x1fP0001"
    expected = hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]
    assert PSEUDONYMS.patient("  P0001 ", "CLINIC") == expected
    assert PSEUDONYMS.key_id == hmac.new(KEY, b"key-id", hashlib.sha256).hexdigest()[:8]


def test_kinds_and_issuers_never_meet() -> None:
    pseudonyms = [
        PSEUDONYMS.patient("1.2.3", None),
        PSEUDONYMS.patient("1.2.3", "CLINIC"),
        PSEUDONYMS.patient("CLINIC", "1.2.3"),
        PSEUDONYMS.unlinked_patient("1.2.3"),
        PSEUDONYMS.accession("1.2.3", None),
        PSEUDONYMS.accession("1.2.3", "CLINIC"),
        PSEUDONYMS.accession("CLINIC", "1.2.3"),
        PSEUDONYMS.uid("study", "1.2.3"),
        PSEUDONYMS.uid("series", "1.2.3"),
        PSEUDONYMS.uid("instance", "1.2.3"),
        PSEUDONYMS.device("serial", "1.2.3"),
        PSEUDONYMS.device("station", "1.2.3"),
        PSEUDONYMS.place("1.2.3"),
        PSEUDONYMS.barred("1.2.3"),
        PSEUDONYMS.issuer("1.2.3"),
        Pseudonyms(bytes(32)).uid("study", "1.2.3"),
    ]
    assert len(set(pseudonyms)) == len(pseudonyms)
    assert all(pseudonym and len(pseudonym) == 32 for pseudonym in pseudonyms)


def test_separators_inside_a_text_move_nothing_to_another_field() -> None:
    assert PSEUDONYMS.patient("C", "A\x1fB") != PSEUDONYMS.patient("B\x1fC", "A")


def test_composed_and_decomposed_letters_are_one_patient() -> None:
    assert PSEUDONYMS.patient("Mu\u0308ller-1", None) == PSEUDONYMS.patient("M\u00fcller-1", None)


def test_a_site_code_is_short_and_forgives_blanks_and_case() -> None:
    assert PSEUDONYMS.site(" Elmford Eye Clinic") == PSEUDONYMS.site("ELMFORD EYE CLINIC ")
    assert len(PSEUDONYMS.site("Elmford Eye Clinic")) == 8


@given(text=st.text(min_size=4, max_size=20).filter(lambda text: text.isalnum()))
def test_no_identifier_shines_through(text: str) -> None:
    assert text not in (PSEUDONYMS.patient(text, text) or "")
    assert len({PSEUDONYMS.uid("study", text), PSEUDONYMS.uid("study", text)}) == 1


@given(text=st.text(max_size=70), place=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_sealed_text_that_was_changed_does_not_open(text: str, place: int, bit: int) -> None:
    sealed = bytearray(PSEUDONYMS.seal(text))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(DamagedError, match="does not open"):
        PSEUDONYMS.unseal(bytes(sealed))


@pytest.mark.parametrize("length", [0, 11, 12, 27, -1])
def test_a_sealed_text_that_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(DamagedError, match="does not open"):
        PSEUDONYMS.unseal(PSEUDONYMS.seal("")[:length])


def test_another_key_opens_nothing_and_says_nothing_of_it() -> None:
    sealed = PSEUDONYMS.seal("Elmford Eye Clinic")
    with pytest.raises(DamagedError) as caught:
        Pseudonyms(bytes(32)).unseal(sealed)
    assert "Elmford" not in f"{caught.value} {caught.value.remedy}"


@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=70))
def test_what_was_sealed_opens_again_and_two_seals_of_it_differ(text: str) -> None:
    one, two = PSEUDONYMS.seal(text), PSEUDONYMS.seal(text)
    assert PSEUDONYMS.unseal(one) == PSEUDONYMS.unseal(two) == text
    assert one != two


def test_an_issuer_has_one_mark_where_it_gives_the_same_patients() -> None:
    assert PSEUDONYMS.issuer(" Mu\u0308nster\x00 ") == PSEUDONYMS.issuer("M\u00fcnster")
    assert PSEUDONYMS.issuer("CLINIC") != PSEUDONYMS.issuer("clinic")  # two issuers give two patients, too


def test_reading_the_key_leaves_the_cipher_alone() -> None:
    """Most commands seal nothing; they must not wait for the library that could."""
    code = "import sys, maintain.intake as i; i.Pseudonyms(bytes(32)).barred('p'); print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
