"""Identifiers become keyed pseudonyms here, and nothing but pseudonyms leaves this room.

A pseudonym is HMAC-SHA256 under the workspace's key, cut to 16 bytes, with the kind of identifier
inside the message so that equal texts of different kinds never meet. This is pseudonymisation
(GDPR art. 4(5)), not anonymisation: whoever has the key can ask for one patient again.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maintain.errors import DamagedError, InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

#: Bytes of a key: the block that SHA-256 offers in security.
KEY_BYTES = 32

#: Bytes of a pseudonym: 128 bits, so that a hospital's identifiers never collide.
PSEUDONYM_BYTES = 16

#: Bytes of the key's own mark: enough to notice another key, too few to help anybody guess.
KEY_ID_BYTES = 4

#: Hexadecimal characters of a site code: few sites, and people must be able to type it.
SITE_CHARACTERS = 8

#: Bytes before a sealed text: the nonce of ChaCha20-Poly1305 (RFC 8439, 2.8), drawn for each text anew.
NONCE_BYTES = 12

#: Between the fields of a message; control characters never survive `clean`.
_SEPARATOR = "\x1f"

#: PatientID texts that name nobody, case-folded, letters and digits only (archives that were anonymised).
GENERIC_PATIENT_IDS = frozenset(
    (
        "anon",
        "anonym",
        "anonymised",
        "anonymized",
        "anonymous",
        "anonymouspatient",
        "dummy",
        "empty",
        "na",
        "nil",
        "nobody",
        "noid",
        "noname",
        "none",
        "null",
        "patient",
        "patientid",
        "removed",
        "test",
        "unknown",
        "unknownpatient",
        "unnamed",
        "xxx",
    )
)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The one way from an identifier to a pseudonym. The key never shows."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """A short mark of the key, so that two keys are never mixed in one database."""
        return self._digest("key-id")[: 2 * KEY_ID_BYTES]

    def patient(self, patient_id: str | None, issuer: str | None) -> str | None:
        """The pseudonym of a patient of an issuer, or None when the identifier names nobody."""
        if names_nobody(patient_id):
            return None
        return self._digest("patient", clean(issuer or ""), clean(patient_id or ""))

    def unlinked_patient(self, study_uid: str) -> str:
        """Who is meant where the PatientID names nobody: one patient a study, never one for all of them."""
        return self._digest("patient-of-study", clean(study_uid))

    def uid(self, kind: str, uid: str) -> str:
        """The pseudonym of a DICOM UID; `kind` is instance, study or series."""
        return self._digest("uid", kind, clean(uid))

    def accession(self, number: str | None, issuer: str | None) -> str | None:
        """The pseudonym of an accession number of an issuer, or None when it is empty or a placeholder."""
        if names_nobody(number):
            return None
        return self._digest("accession", clean(issuer or ""), clean(number or ""))

    def device(self, kind: str, text: str) -> str:
        """The pseudonym of a serial number or a station name."""
        return self._digest("device", kind, clean(text))

    def site(self, institution: str) -> str:
        """The short code of an institution; blanks and letter case do not matter."""
        return self._digest("site", clean(institution).casefold())[:SITE_CHARACTERS]

    def place(self, location: str) -> str:
        """The mark of a folder or file that was read from: its own name may hold a patient's."""
        return self._digest("place", location)

    def file(self, place: str) -> str:
        """The mark of a file's place below its source: folders are named after patients, too."""
        return self._digest("file", place)

    def contents(self, digest: str) -> str:
        """The mark of what a table holds: a bare digest would tell a short one to whoever guesses its rows."""
        return self._digest("contents", digest)

    def barred(self, patient: str) -> str:
        """The mark of a pseudonym: tells again who asked to be forgotten once the pseudonym itself is erased."""
        return self._digest("barred", patient)

    def issuer(self, text: str) -> str:
        """The mark of an issuer of PatientIDs: the same for every spelling that gives the same patients."""
        return self._digest("issuer", clean(text))

    def seal(self, text: str) -> bytes:
        """The text encrypted and authenticated (ChaCha20-Poly1305, RFC 8439); only this key opens it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, text.encode("utf-8", "surrogatepass"), None)

    def unseal(self, sealed: bytes) -> str:
        """The text that was sealed. Raises `DamagedError` when it was changed, or sealed under another key."""
        from cryptography.exceptions import InvalidTag

        try:
            text = self._cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:  # a nonce that is cut short is a ValueError
            raise DamagedError(
                "A sealed text does not open under this workspace's pseudonym key.",
                remedy="Restore the key, or the database, from the backup that it was made with.",
            ) from error
        return text.decode("utf-8", "surrogatepass")

    def _cipher(self) -> ChaCha20Poly1305:
        """The cipher under a key of its own: HMAC-SHA256 as a key derivation (NIST SP 800-108r1, one block)."""
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        return ChaCha20Poly1305(hmac.digest(self.key, b"sealing", "sha256"))

    def _digest(self, *message: str) -> str:
        text = _SEPARATOR.join(message).encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, text, "sha256")[:PSEUDONYM_BYTES].hex()


def create_key(path: Path, *, key: bytes | None = None) -> None:
    """Write a new key, random unless given, readable by this user only from its first moment.

    Raises `InputError` when there is a key already, or the one given is not of the right length.
    """
    if key is not None and len(key) != KEY_BYTES:
        raise InputError(f"A pseudonym key has {KEY_BYTES} bytes.", remedy="Give none; a random one is drawn.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as stream:
            stream.write((key or secrets.token_bytes(KEY_BYTES)).hex() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(partial, path)
    except FileExistsError as error:
        raise InputError(
            f"There is a pseudonym key already ({path.name}); a new one would cut every patient in two.",
            remedy="Keep it. To start anew, make a new workspace.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def load_pseudonyms(path: Path) -> Pseudonyms:
    """Read the key; there is no default. Raises `InputError` when it is absent, open to others, or no key."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            text = stream.read(4 * KEY_BYTES)
    except OSError as error:
        raise InputError(
            f"The pseudonym key {path.name} cannot be read ({error.strerror}).",
            remedy="Restore it from its backup; a workspace without its key can take no more data.",
        ) from error
    if mode & 0o077:
        raise InputError(
            f"The pseudonym key {path.name} is open to other users (mode {mode:04o}).",
            remedy="Take their rights away (chmod 600), and ask whether anybody has copied it.",
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InputError(
            f"{path.name} does not hold a pseudonym key ({KEY_BYTES} bytes in hexadecimal).",
            remedy="Restore it from its backup.",
        )
    return Pseudonyms(key)


def clean(text: str) -> str:
    """An identifier as it is compared: NFC, without control characters and outer blanks."""
    normal = unicodedata.normalize("NFC", text)
    return "".join(character for character in normal if character.isprintable()).strip()


def names_nobody(patient_id: str | None) -> bool:
    """Whether a PatientID is missing, empty, all zeros, or a word that stands for nobody."""
    core = "".join(character for character in clean(patient_id or "").casefold() if character.isalnum())
    return not core.strip("0") or core in GENERIC_PATIENT_IDS
