"""The serving version of a model, read from the registry with every digest checked.

A plan, a candidate and a verdict all lean on the champion's own spec and manifest; reading them is
one thing done in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain import codec
from maintain.errors import DamagedError, InputError, UnknownNameError
from maintain.hashing import digest_bytes
from maintain.records import ChampionRef, ModelSpec, ModelVersion, TrainingManifest
from maintain.vocabulary import Alias
from maintain_pipelines.context import Context
from maintain_registry import ModelStore, require_not_retired

WEIGHTS_FILE = "weights.safetensors"
SPEC_FILE = "spec.json"
MANIFEST_FILE = "manifest.json"
LOADER_LOG_FILE = "loader-log.jsonl"


@dataclass(frozen=True, slots=True)
class Champion:
    """A registered version with its spec and its training manifest."""

    version: ModelVersion
    spec: ModelSpec
    manifest: TrainingManifest

    @property
    def ref(self) -> ChampionRef:
        """What a plan writes down of it."""
        version = self.version
        return ChampionRef(version.version, version.weights, version.spec, version.manifest)


def load_champion(context: Context, model: str) -> Champion:
    """The version behind the alias `champion`. Raises `InputError` when there is none."""
    store = context.store
    if model not in store.models():
        raise UnknownNameError("model", model, store.models())
    number = store.alias(model, Alias.CHAMPION)
    if number is None:
        raise InputError(
            f"The model {model!r} has no champion: no version of it serves.",
            remedy="Train one with `maintain model train`. Where it was suspended, `maintain registry promote` lets a "
            "candidate of it serve, and `maintain registry rollback --to VERSION` one that served before.",
        )
    found = load_version(context, model, number)
    store.get(model, number).read(WEIGHTS_FILE)  # damaged weights are found before work, not after hours of it
    return found


def load_version(context: Context, model: str, number: int) -> Champion:
    """One registered version that may be used. Raises `RetiredError` for one that was withdrawn."""
    with context.database.read() as unit:
        require_not_retired(unit, model, number)
    return read_version(context.store, model, number)


def read_version(store: ModelStore, model: str, number: int) -> Champion:
    """What a store says of a version, retired or not: to look at it, or at what came from it, never to use it.

    Each file is checked against the digest that the version names.
    """
    stored = store.get(model, number)
    version = stored.record
    spec_bytes, manifest_bytes = stored.read(SPEC_FILE), stored.read(MANIFEST_FILE)
    for data, expected, name in (
        (spec_bytes, version.spec, SPEC_FILE),
        (manifest_bytes, version.manifest, MANIFEST_FILE),
    ):
        if digest_bytes(data) != expected:
            raise DamagedError(
                f"{name} of {model} version {number} is not the file that was registered.",
                remedy="Restore the registry folder from a backup; nothing was done with it.",
            )
    return Champion(
        version=version,
        spec=codec.from_text(ModelSpec, spec_bytes.decode(), source=SPEC_FILE),
        manifest=codec.from_text(TrainingManifest, manifest_bytes.decode(), source=MANIFEST_FILE),
    )


def ancestors_of(store: ModelStore, champion: Champion) -> tuple[Champion, ...]:
    """The registered versions that a champion's weights go back to, nearest first, as far as there are any.

    A link that the registry does not have ends the walk; the gate says what that proves.
    """
    model = champion.version.model
    records = {number: store.get(model, number).record for number in store.versions(model)}
    by_name = {(record.weights, record.manifest): number for number, record in records.items()}
    found: list[Champion] = []
    origin = champion.manifest.origin
    while origin.manifest is not None and (number := by_name.pop((origin.weights, origin.manifest), None)) is not None:
        found.append(read_version(store, model, number))
        origin = found[-1].manifest.origin
    return tuple(found)


def first_of(store: ModelStore, champion: Champion) -> Champion | None:
    """The version that a champion's lineage began with; None where the champion itself is the first.

    Where its weights were destroyed, the earliest version after it that still has some: a loss before that one can
    no longer be measured by anybody. Raises `DamagedError` for a parent that the registry does not have.
    """
    model, record = champion.version.model, champion.version
    if record.parent is None:
        return None
    known, earliest = set(store.versions(model)), None
    while record.parent is not None:
        if record.parent not in known:
            raise DamagedError(
                f"Version {record.parent} of {model}, from which version {record.version} descends, is not there.",
                remedy="Restore the registry folder from a backup; losses over the lineage are judged by it.",
            )
        known -= {record.parent}
        stored = store.get(model, record.parent)
        record = stored.record
        if WEIGHTS_FILE in stored.files:
            earliest = record.version
    return None if earliest is None else read_version(store, model, earliest)
