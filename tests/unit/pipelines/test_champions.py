"""The versions that weights go back to, as the registry has them."""

from __future__ import annotations

from dataclasses import replace

from helpers.evidence import INITIAL, honest_evidence
from helpers.registering import safetensors
from maintain import codec
from maintain.hashing import digest_bytes
from maintain.records import ModelVersion, Origin
from maintain.vocabulary import OriginKind
from maintain_pipelines.champions import Champion, ancestors_of, read_version
from maintain_registry import MemoryStore

FRESH = Origin(OriginKind.INITIALISATION, INITIAL)


def put(store: MemoryStore, number: int, origin: Origin, *, salt: int | None = None) -> Champion:
    """Store a version of that origin; every other value is the same for all."""
    honest = honest_evidence()
    manifest = replace(honest.champion_manifest, origin=origin)
    weights = safetensors(bytes([number if salt is None else salt]) * 8)
    texts = {"spec.json": honest.champion_spec, "manifest.json": manifest, "loader-log.jsonl": honest.log}
    files = {"weights.safetensors": weights} | {name: codec.to_text(record).encode() for name, record in texts.items()}
    version = ModelVersion(
        model="triage",
        version=number,
        weights=digest_bytes(weights),
        spec=codec.digest_of(honest.champion_spec),
        manifest=codec.digest_of(manifest),
        loader_log=codec.digest_of(honest.log),
        parent=None,
        method="train",
        seed=7,
        code="0.1.0",
    )
    store.put(version, files)
    return read_version(store, "triage", number)


def from_(parent: Champion) -> Origin:
    return Origin(OriginKind.CHECKPOINT, parent.version.weights, parent.version.manifest)


def test_a_link_that_the_registry_does_not_have_ends_the_walk() -> None:
    store = MemoryStore()
    lost = Origin(OriginKind.CHECKPOINT, digest_bytes(b"lost"), digest_bytes(b"nobody"))
    first = put(store, 1, lost)
    assert ancestors_of(store, first) == ()
    assert ancestors_of(store, put(store, 2, from_(first))) == (first,)


def test_a_version_of_new_weights_has_no_ancestors() -> None:
    store = MemoryStore()
    put(store, 1, FRESH)
    assert ancestors_of(store, put(store, 2, replace(FRESH, weights=digest_bytes(b"other seed")))) == ()


def test_the_walk_goes_back_to_new_weights_nearest_first() -> None:
    store = MemoryStore()
    first = put(store, 1, FRESH)
    second = put(store, 2, from_(first))
    third = put(store, 3, from_(second))
    assert ancestors_of(store, third) == (second, first)


def test_two_versions_of_one_manifest_are_told_apart_by_their_weights() -> None:
    store = MemoryStore()
    first = put(store, 1, FRESH)
    second = put(store, 2, from_(first), salt=20)
    twin = put(store, 3, from_(first), salt=30)
    assert second.version.manifest == twin.version.manifest
    assert ancestors_of(store, put(store, 4, from_(second)))[0] == second
    assert ancestors_of(store, put(store, 5, from_(twin)))[0] == twin
