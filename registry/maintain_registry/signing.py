"""Signatures that anybody can check offline: Ed25519 in DSSE v1 envelopes.

Only `cryptography` is used, and the envelope is a public format, so that an inspector does not
need this program. https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maintain.errors import InputError, RefusedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Characters of a key's name: 64 bits of the SHA-256 of the raw public key tell a few keys apart.
KEY_ID_CHARACTERS = 16

#: A signing key is readable by its owner and by nobody else.
PRIVATE_MODE = 0o600

#: A public key may be read by everybody.
PUBLIC_MODE = 0o644


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The raw 32 bytes of an Ed25519 public key."""

    raw: bytes

    @property
    def key_id(self) -> str:
        """The name of the key: the first characters of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:KEY_ID_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Signer:
    """A loaded signing key."""

    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """What others need to check this key's signatures."""
        return PublicKey(self.key.public_key().public_bytes_raw())

    @property
    def key_id(self) -> str:
        """The name of the key."""
        return self.public.key_id

    def sign(self, payload_type: str, payload: bytes) -> dict[str, Any]:
        """The DSSE envelope of a payload."""
        signature = self.key.sign(pre_authentication(payload_type, payload))
        return {
            "payloadType": payload_type,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(signature).decode()}],
        }


def create_signing_key(path: Path) -> None:
    """Make a key pair: PKCS8 PEM, mode 0600 from its first byte, and `<name>.pub.pem` beside it.

    Raises `InputError` when either file exists: a key that signed entries must never be lost.
    """
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = public_key_path(path)
    for taken in (path, public):
        if taken.is_symlink() or taken.exists():
            raise _exists(taken)
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    shown = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_new(path, secret, PRIVATE_MODE)
    _write_new(public, shown, PUBLIC_MODE)


def public_key_path(path: Path) -> Path:
    """Where the public half of a signing key lies."""
    return path.with_name(f"{path.stem}.pub.pem")


def load_signer(path: Path) -> Signer:
    """Load a signing key. Raises `InputError` when others can read it or it is no Ed25519 key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read_private(path)
    try:
        key = load_pem_private_key(data, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key(path, "PKCS8 PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path, "Ed25519")
    return Signer(key)


def load_public_key(path: Path) -> PublicKey:
    """Load a public key. Raises `InputError` when the file does not hold one."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key(path, "PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key(path, "Ed25519")
    return PublicKey(key.public_bytes_raw())


def verify_envelope(envelope: Mapping[str, Any], public_keys: Iterable[PublicKey], *, payload_type: str) -> bytes:
    """The payload of an envelope, after every signature on it was found good and by a known key.

    Raises `RefusedError` for anything else: an unknown key, another type, a missing signature.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = {key.key_id: key for key in public_keys}
    payload, signatures = _parts(envelope, payload_type)
    signed = pre_authentication(payload_type, payload)
    for key_id, signature in signatures:
        if key_id not in known:
            raise _refused(f"is signed by a key that is not known here ({key_id!r})")
        try:
            Ed25519PublicKey.from_public_bytes(known[key_id].raw).verify(signature, signed)
        except (InvalidSignature, ValueError) as error:
            raise _refused("carries a signature that is not of its payload") from error
    return payload


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: what is really signed, so that type and payload cannot be shifted into each other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


# --- private ---------------------------------------------------------------------------------------


def _parts(envelope: Mapping[str, Any], payload_type: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    if not isinstance(envelope, Mapping) or set(envelope) != {"payloadType", "payload", "signatures"}:
        raise _refused("is not a DSSE envelope")
    if envelope["payloadType"] != payload_type:
        raise _refused("holds another type of payload")
    given = envelope["signatures"]
    if not isinstance(given, list) or not given:
        raise _refused("carries no signature")
    signatures: list[tuple[str, bytes]] = []
    for item in given:
        if not isinstance(item, Mapping) or set(item) != {"keyid", "sig"}:
            raise _refused("carries a malformed signature")
        if not isinstance(item["keyid"], str):
            raise _refused("carries a malformed signature")
        signatures.append((item["keyid"], _decoded(item["sig"])))
    return _decoded(envelope["payload"]), signatures


def _decoded(text: object) -> bytes:
    if not isinstance(text, str):
        raise _refused("is not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _refused("is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise _refused("is not canonical base64")
    return data


def _read_private(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if stat.S_IMODE(mode) & ~stat.S_IRWXU:
                raise InputError(
                    f"The signing key {path.name} can be read or changed by others.",
                    remedy=f"Say `chmod 600 {path.name}`, and ask who could have copied the key.",
                )
            return stream.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _write_new(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError as error:
        raise _exists(path) from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _exists(path: Path) -> InputError:
    return InputError(
        f"There is a key already ({path.name}); it was not overwritten.",
        remedy="Entries that it signed can only be checked while it is kept; move it away yourself.",
    )


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"The key {path.name} cannot be read ({error.strerror}).",
        remedy="Restore it from a backup, or name another in `[keys] signing`.",
    )


def _not_a_key(path: Path, wanted: str) -> InputError:
    return InputError(
        f"{path.name} does not hold a key of the kind that is wanted ({wanted}).",
        remedy="Restore it from a backup; `maintain init` makes a new pair in a new workspace.",
    )


def _refused(what: str) -> RefusedError:
    return RefusedError(f"The envelope {what}.", remedy="Ask whoever gave it for the original.")
