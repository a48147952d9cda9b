"""A webhook is signed, tried again, and never stops the work."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.lineage import make_workspace, opened
from maintain.clock import FrozenClock
from maintain.errors import InputError
from maintain.settings import JobSettings
from maintain.vocabulary import JobOutcome
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.jobs import Night, RequestsTold, TurnTold, beat, tell_webhook
from maintain_pipelines.jobs.webhook import read_key, sign
from maintain_registry import MemoryStore

NIGHT = Night(
    began="2026-01-01T03:00:00Z",
    ended="2026-01-01T03:10:00Z",
    turns=(TurnTold("retire-cirrus", "2026-01-01T03:00:00Z", 2, JobOutcome.REFUSED, "run-1", "held-out failed"),),
    elsewhere=("other",),
    requests=RequestsTold(2, ("R-2026-0001",), (), ()),
    following="2026-01-02T03:00:00Z",
)

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("template") / "workspace")


@pytest.fixture
def context(tmp_path: Path, template: Path) -> Iterator[Context]:
    with opened(Path(shutil.copytree(template, tmp_path / "workspace")), MemoryStore()) as found:
        yield replace(found, clock=FrozenClock())


@dataclass
class Receiver:
    """A server that answers with these codes, then with 204, and keeps what it was told."""

    codes: list[int]
    address: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiver(*codes: int, location: str = "") -> Iterator[Receiver]:
    kept = Receiver(list(codes))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.codes.pop(0) if kept.codes else 204)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"http://127.0.0.1:{server.server_port}/night"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def telling(context: Context, address: str) -> tuple[Context, list[str]]:
    """The context with this address, a key, and what is said on the way."""
    said: list[str] = []
    settings = replace(context.workspace.settings, jobs=JobSettings(webhook=address))
    workspace = replace(context.workspace, settings=settings)
    workspace.webhook_key.parent.mkdir(exist_ok=True)
    workspace.webhook_key.write_text(f"whsec_{base64.b64encode(KEY).decode()}\n")
    workspace.webhook_key.chmod(0o600)
    return replace(context, workspace=workspace, talk=Talk(said.append, lambda *_: None)), said


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0o600, "cannot be read"),
        ("whsec_" + base64.b64encode(KEY).decode(), 0o640, "open to other users"),
        (base64.b64encode(KEY).decode(), 0o600, "does not hold a webhook key"),
        ("whsec_" + base64.b64encode(KEY[:8]).decode(), 0o600, "does not hold a webhook key"),
        ("whsec_not base64!", 0o600, "does not hold a webhook key"),
        ("", 0o600, "does not hold a webhook key"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str | None, mode: int, said: str) -> None:
    path = tmp_path / "webhook.key"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(InputError, match=said) as caught:
        read_key(path)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://monitor.example/x", "https://me:secret@monitor.example", "monitor.example", "ftp://localhost"]
)
def test_an_address_that_others_could_read_is_refused(address: str) -> None:
    with pytest.raises(InputError) as caught:
        JobSettings(webhook=address)
    assert "secret" not in f"{caught.value} {caught.value.remedy}"


def test_where_no_address_is_set_nothing_is_sent(context: Context) -> None:
    assert tell_webhook(NIGHT, context) is None


def test_a_missing_key_is_told_and_stops_nothing(context: Context) -> None:
    told, said = telling(context, "https://monitor.invalid/x")
    told.workspace.webhook_key.unlink()
    assert str(tell_webhook(NIGHT, told)).startswith("not sent: The key of the webhook")
    assert "webhook.key" in said[0]


def test_a_receiver_can_verify_who_spoke(context: Context) -> None:
    with receiver() as kept:
        told, said = telling(context, kept.address)
        assert tell_webhook(NIGHT, told) == "told"
    assert said == []
    [(headers, body)] = kept.heard
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(told.clock.now().timestamp()))
    document = json.loads(body)
    assert (document["schema"], document["outcomes"]) == ("maintain.night", {"refused": 1})
    assert document["requests"]["overdue"] == ["R-2026-0001"]


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the standard's own page."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    assert sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_it_is_tried_again_with_the_same_id(context: Context) -> None:
    waited: list[float] = []
    with receiver(500, 503) as kept:
        told, _ = telling(context, kept.address)
        assert tell_webhook(NIGHT, told, wait=waited.append) == "told"
    assert waited == [1.0, 4.0]
    assert len({headers["webhook-id"] for headers, _ in kept.heard}) == 1


def test_a_receiver_that_says_no_is_told_of(context: Context) -> None:
    with receiver(410, 410, 410) as kept:
        told, said = telling(context, kept.address)
        assert tell_webhook(NIGHT, told, wait=lambda _: None) == "refused by its receiver (HTTP 410)."
    assert said == ["The webhook was refused by its receiver (HTTP 410)."]


def test_a_redirection_is_not_followed(context: Context) -> None:
    with receiver() as other, receiver(307, 307, 307, location=other.address) as kept:
        told, _ = telling(context, kept.address)
        assert "HTTP 307" in str(tell_webhook(NIGHT, told, wait=lambda _: None))
    assert other.heard == []


def test_a_receiver_that_is_away_is_told_of(context: Context) -> None:
    with receiver() as kept:
        address = kept.address
    told, _ = telling(context, address)
    assert tell_webhook(NIGHT, told, wait=lambda _: None) == "not delivered (ConnectionRefusedError)."


def test_whoever_is_told_to_stop_does_not_try_again(context: Context) -> None:
    with receiver(500) as kept:
        told, _ = telling(context, kept.address)
        assert "HTTP 500" in str(tell_webhook(NIGHT, replace(told, stop=lambda: True), wait=lambda _: None))
    assert len(kept.heard) == 1


def test_the_heartbeat_says_how_the_night_went(context: Context) -> None:
    beat(NIGHT, context, webhook="told")
    left = json.loads(context.workspace.heartbeat.read_text())
    assert (left["ended"], left["webhook"], left["turns"][0]["missed"]) == ("2026-01-01T03:10:00Z", "told", 2)
    beat(replace(NIGHT, ended=None), context)
    assert json.loads(context.workspace.heartbeat.read_text())["ended"] is None
    assert [path.name for path in context.workspace.root.glob("*.partial")] == []


def test_a_heartbeat_that_cannot_be_written_stops_nothing(context: Context) -> None:
    context.workspace.heartbeat.mkdir()
    said: list[str] = []
    beat(NIGHT, replace(context, talk=Talk(said.append, lambda *_: None)))
    assert said == ["The heartbeat file could not be written (Is a directory)."]
