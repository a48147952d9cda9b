from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import InputError, RefusedError
from maintain_registry.signing import (
    PublicKey,
    Signer,
    create_signing_key,
    load_public_key,
    load_signer,
    pre_authentication,
    public_key_path,
    verify_envelope,
)

TYPE = "application/vnd.test+json"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "ledger.pem"
    create_signing_key(key)
    before = key.read_bytes()
    with pytest.raises(InputError, match="not overwritten"):
        create_signing_key(key)
    key.unlink()
    with pytest.raises(InputError, match=r"ledger\.pub\.pem"):
        create_signing_key(key)
    assert before.startswith(b"-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "ledger.pem"
    create_signing_key(key)
    key.chmod(mode)
    with pytest.raises(InputError) as caught:
        load_signer(key)
    assert "chmod 600" in caught.value.remedy


def test_the_mode_is_private_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    really = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        seen.append((flags & (os.O_CREAT | os.O_EXCL), mode))
        return really(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", watched)
    previous = os.umask(0)
    try:
        create_signing_key(tmp_path / "ledger.pem")
    finally:
        os.umask(previous)
    assert seen[0] == (os.O_CREAT | os.O_EXCL, 0o600)
    assert stat.S_IMODE((tmp_path / "ledger.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("load", [load_signer, load_public_key])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, load: Callable[[Path], object]) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "absent.pem")
    broken = tmp_path / "broken.pem"
    broken.write_bytes(b"-----BEGIN")
    broken.chmod(0o600)
    with pytest.raises(InputError, match="does not hold a key"):
        load(broken)


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    secret, locked, shown = tmp_path / "ec.pem", tmp_path / "locked.pem", tmp_path / "ec.pub.pem"
    pem, pkcs8 = form.Encoding.PEM, form.PrivateFormat.PKCS8
    secret.write_bytes(other.private_bytes(pem, pkcs8, form.NoEncryption()))
    locked.write_bytes(Ed25519PrivateKey.generate().private_bytes(pem, pkcs8, form.BestAvailableEncryption(b"word")))
    shown.write_bytes(other.public_key().public_bytes(pem, form.PublicFormat.SubjectPublicKeyInfo))
    for path in (secret, locked):
        path.chmod(0o600)
        with pytest.raises(InputError, match="kind that is wanted"):
            load_signer(path)
    with pytest.raises(InputError, match="Ed25519"):
        load_public_key(shown)


def test_the_public_file_is_the_public_half(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "ledger.pem")
    loaded = load_signer(tmp_path / "ledger.pem")
    assert public_key_path(tmp_path / "ledger.pem") == tmp_path / "ledger.pub.pem"
    assert load_public_key(tmp_path / "ledger.pub.pem") == loaded.public
    assert loaded.key_id == loaded.public.key_id
    assert len(loaded.key_id) == 16
    assert "key" not in repr(loaded)


def test_pre_authentication_is_that_of_the_protocol() -> None:
    """The example of the DSSE protocol page."""
    said = pre_authentication("http://example.com/HelloWorld", b"hello world")
    assert said == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(payload=st.binary(max_size=200))
def test_what_was_signed_comes_back(signer: Signer, payload: bytes) -> None:
    envelope = signer.sign(TYPE, payload)
    assert verify_envelope(envelope, [signer.public], payload_type=TYPE) == payload
    raw = base64.b64decode(envelope["signatures"][0]["sig"])
    signer.key.public_key().verify(raw, pre_authentication(TYPE, payload))


BREAKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another payload": lambda e: e.update(payload=base64.b64encode(b"other").decode()),
    "no base64": lambda e: e.update(payload="***"),
    "base64 with a line break": lambda e: e.update(payload=e["payload"] + "\n"),
    "payload is a number": lambda e: e.update(payload=1),
    "another type": lambda e: e.update(payloadType="text/plain"),
    "no signatures": lambda e: e.update(signatures=[]),
    "signatures are no list": lambda e: e.update(signatures={}),
    "a signature without a key": lambda e: e["signatures"][0].pop("keyid"),
    "a key that is a number": lambda e: e["signatures"][0].update(keyid=1),
    "an unknown key": lambda e: e["signatures"][0].update(keyid="0" * 16),
    "an empty signature": lambda e: e["signatures"][0].update(sig=""),
    "a zero signature": lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode()),
    "a second signature that is bad": lambda e: e["signatures"].append(
        {"keyid": e["signatures"][0]["keyid"], "sig": base64.b64encode(bytes(64)).decode()}
    ),
    "one more key": lambda e: e.update(extra=1),
    "one key less": lambda e: e.pop("payload"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_anything_wrong_with_an_envelope_is_refused(signer: Signer, broken: str) -> None:
    envelope = signer.sign(TYPE, b"payload")
    BREAKS[broken](envelope)
    with pytest.raises(RefusedError):
        verify_envelope(envelope, [signer.public], payload_type=TYPE)


def test_without_keys_nothing_is_verified(signer: Signer) -> None:
    with pytest.raises(RefusedError, match="not known"):
        verify_envelope(signer.sign(TYPE, b"x"), [], payload_type=TYPE)


def test_another_key_under_the_same_name_does_not_help(signer: Signer) -> None:
    forger = Signer(Ed25519PrivateKey.generate())
    envelope = forger.sign(TYPE, b"x")
    envelope["signatures"][0]["keyid"] = signer.key_id
    with pytest.raises(RefusedError, match="not of its payload"):
        verify_envelope(envelope, [signer.public, PublicKey(bytes(32))], payload_type=TYPE)
