"""What scheduled work did, sent to one address and signed, so that the receiver knows who spoke and when.

Signed as Standard Webhooks has it (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, for which
libraries exist in most languages. A receiver that is away never stops or fails the work.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import secrets
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maintain import __version__
from maintain.errors import InputError
from maintain.hashing import canonical_json
from maintain_pipelines.context import Context
from maintain_pipelines.jobs.heartbeat import document
from maintain_pipelines.jobs.told import Night

#: What a key begins with, and how many bytes it may have, by the standard.
KEY_PREFIX, SHORTEST_KEY, LONGEST_KEY = "whsec_", 24, 64

#: Seconds that the receiver may take for one answer.
ANSWER_SECONDS = 10.0

#: Seconds before each further attempt; the same message keeps its id, so a receiver can tell that it came twice.
WAITS = (1.0, 4.0)

#: How the sending went, in the words of the heartbeat.
TOLD = "told"


def tell_webhook(night: Night, context: Context, *, wait: Callable[[float], None] = time.sleep) -> str | None:
    """Send what a night did. Returns how that went, for the heartbeat; None where no address is set.

    Whatever goes wrong is said, here and in the heartbeat, and raised nowhere.
    """
    address = context.workspace.settings.jobs.webhook
    if not address:
        return None
    try:
        key = read_key(context.workspace.webhook_key)
    except InputError as error:
        went = f"not sent: {error.message}"
    else:
        went = _send(address, canonical_json(document(night)).encode(), key, context, wait)
    if went != TOLD:
        context.talk.say(f"The webhook was {went}")
    return went


def read_key(path: Path) -> bytes:
    """The signing key. Raises `InputError` where it is absent, open to others, or no key of the standard's form."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = stream.read(4 * LONGEST_KEY).decode("ascii", "replace").strip()
    except OSError as error:
        raise InputError(
            f"The key of the webhook, {path.name}, cannot be read ({error.strerror}).",
            remedy=f'Make one: (umask 077; echo "{KEY_PREFIX}$(openssl rand -base64 32)" > {path.name})',
        ) from error
    if mode & 0o077:
        raise InputError(
            f"The key of the webhook, {path.name}, is open to other users (mode {mode:04o}).",
            remedy="Take their rights away (chmod 600), and make a new one where somebody may have read it.",
        )
    try:
        key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(KEY_PREFIX) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise InputError(
            f"{path.name} does not hold a webhook key.",
            remedy=f"That is {KEY_PREFIX} and {SHORTEST_KEY} to {LONGEST_KEY} bytes in base64: take the one that the "
            "receiver gave you, or make one and give it to the receiver.",
        )
    return key


def sign(key: bytes, message: str, sent: int, body: bytes) -> str:
    """The signature over id, time and body, as its header has it."""
    content = f"{message}.{sent}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


# --- private ---------------------------------------------------------------------------------------


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What was signed for one address is not carried to another."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _send(address: str, body: bytes, key: bytes, context: Context, wait: Callable[[float], None]) -> str:
    message = f"msg_{secrets.token_hex(12)}"
    went = ""
    for pause in (0.0, *WAITS):
        if pause:
            wait(pause)
        sent = int(context.clock.now().timestamp())
        went = _attempt(address, body, message, sent, sign(key, message, sent, body))
        if went == TOLD or context.stop():
            break
    return went


def _attempt(address: str, body: bytes, message: str, sent: int, signature: str) -> str:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"maintain/{__version__}",
        "webhook-id": message,
        "webhook-timestamp": str(sent),
        "webhook-signature": signature,
    }
    asked = urllib.request.Request(address, data=body, headers=headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirects).open(asked, timeout=ANSWER_SECONDS):
            return TOLD
    except urllib.error.HTTPError as error:
        with error:
            return f"refused by its receiver (HTTP {error.code})."
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"not delivered ({type(reason).__name__})."
