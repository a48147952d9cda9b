"""Small versions to register, and a program that registers one and is killed at a named place."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain import codec
from maintain.clock import FrozenClock
from maintain.database import UnitOfWork, open_database
from maintain.hashing import digest_bytes
from maintain.records import GateResult, ModelSpec, ModelVersion, Network, Origin, Step, TrainingManifest, Verdict
from maintain.vocabulary import Alias, Head, ManifestStatus, OriginKind, Outcome
from maintain_registry.events import Event, EventKind
from maintain_registry.folder import FolderStore
from maintain_registry.intents import UNNUMBERED, Intent, register
from maintain_registry.ledger import Ledger
from maintain_registry.port import Content
from maintain_registry.signing import load_signer

MODEL = "fundus-triage"

_MANIFEST = TrainingManifest(
    MODEL, ManifestStatus.PROVEN, Origin(OriginKind.INITIALISATION, digest_bytes(b"initial")), (), (), ()
)
_SPEC = ModelSpec(
    model=MODEL,
    network=Network("small-bn"),
    input_shape=(3, 16, 16),
    head=Head.SOFTMAX,
    label_name="diagnosis",
    label_order=("glaucoma", "normal"),
    operating_threshold=None,
    preprocessing=(Step("to-float", 1),),
    recipe=None,
    manifest=codec.digest_of(_MANIFEST),
)

#: Where a registration can die, in order, and whether its entry is committed by then.
PLACES = {
    "before-put": False,
    "after-put": False,
    "in-transaction": False,
    "before-alias": True,
    "after-alias": True,
}


def safetensors(data: bytes) -> bytes:
    """A safetensors file with one tensor of these bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    return len(header).to_bytes(8, "little") + header + data


def verdict_of(candidate: str = "c" * 64, slot: int = 1) -> Verdict:
    """A verdict that passed, over one gate that decides and one that only reports."""
    gates = (
        GateResult("retention", Outcome.PASS, True, "no worse than the margin"),
        GateResult("equivalence", Outcome.NOT_EVALUATED, False, "too few cases"),
    )
    return Verdict(candidate, slot, Outcome.PASS, "every gate that decides passed", gates, "d" * 64, 1)


def make_version(
    *, model: str = MODEL, number: int = UNNUMBERED, salt: int = 0, revised: bool = False
) -> tuple[ModelVersion, dict[str, bytes]]:
    """A version and its files; `salt` changes the weights."""
    files = {
        "weights.safetensors": safetensors(bytes([salt % 256]) * 8),
        "spec.json": codec.to_text(_SPEC).encode(),
        "manifest.json": codec.to_text(_MANIFEST).encode(),
        "loader-log.jsonl": b'{"log":1}\n',
    }
    if revised:
        files |= {"plan.json": b'{"plan":1}\n', "verdict.json": codec.to_text(verdict_of()).encode()}
    digests = {name: digest_bytes(data) for name, data in files.items()}
    version = ModelVersion(
        model=model,
        version=number,
        weights=digests["weights.safetensors"],
        spec=digests["spec.json"],
        manifest=digests["manifest.json"],
        loader_log=digests["loader-log.jsonl"],
        parent=None,
        method="train",
        seed=7,
        code="0.1.0",
        plan=digests.get("plan.json"),
        verdict=digests.get("verdict.json"),
    )
    return version, files


def make_intent(
    identity: str = "run-1", *, salt: int = 0, alias: Alias = Alias.CHAMPION, champion: int | None = None
) -> Intent:
    """The first champion of a lineage, or with another alias a candidate beside it."""
    first = alias is Alias.CHAMPION
    kind = EventKind.MODEL_INSTALLED if first else EventKind.VERSION_REGISTERED
    version, files = make_version(salt=salt, revised=not first)
    return Intent(identity, version, files, alias, Event(kind, MODEL, {"look": 1}), champion)


@dataclass(frozen=True, slots=True)
class DyingStore(FolderStore):
    """A folder registry whose process is killed at one place."""

    place: str

    def put(self, version: ModelVersion, files: Mapping[str, Content]) -> None:
        """Store, or die before or after."""
        self.die("before-put")
        FolderStore.put(self, version, files)
        self.die("after-put")

    def set_alias(self, model: str, alias: Alias, version: int, *, expected: int | None) -> None:
        """Set, or die before or after."""
        self.die("before-alias")
        FolderStore.set_alias(self, model, alias, version, expected=expected)
        self.die("after-alias")

    def die(self, place: str) -> None:
        """End this process as `kill -9` does, if this is the place."""
        if place == self.place:
            os.kill(os.getpid(), signal.SIGKILL)


def main(place: str, folder: Path) -> None:
    """Register in the workspace of this folder, and be killed at that place."""
    ledger = Ledger(FrozenClock(), load_signer(folder / "ledger.pem"), "tests", folder / "ledger.heads")
    store = DyingStore(folder / "registry", place)

    def also(unit: UnitOfWork) -> None:
        store.die("in-transaction")

    register(open_database(folder / "maintain.db"), ledger, store, make_intent(), also=also)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
