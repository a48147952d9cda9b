"""Our words in MLflow's: the tags of a version, and the card that people read.

Tags are for finding and for reading; nothing is believed because a tag says so. Counts and digests only:
neither tag nor card holds a case.
"""

from __future__ import annotations

from collections.abc import Mapping

from maintain import codec
from maintain.hashing import short
from maintain.records import GateResult, ModelSpec, ModelVersion, TrainingManifest, Verdict

#: Marks everything that this store made; its value is the version of this mapping.
SCHEMA, SCHEMA_VERSION = "maintain.schema", "1"

#: Our number, the digest of the record, the digest of the list of files, and the LoggedModel with the files.
NUMBER, RECORD, FILES, HOLDER = "maintain.version", "maintain.record", "maintain.files", "maintain.logged_model"

#: The digest of the weights, by which all versions are found that have the same.
WEIGHTS = "maintain.weights"
#: The outcome of the verdict, and before the name of a gate what it found.
OUTCOME, GATE = "maintain.outcome", "maintain.gate."

#: Fields of a record that are tags under the same name.
_TAGGED = (
    "weights",
    "spec",
    "manifest",
    "loader_log",
    "parent",
    "method",
    "seed",
    "code",
    "run",
    "policy",
    "plan",
    "candidate",
    "verdict",
    "forget_set",
)


def tags_of(record: ModelVersion, verdict: Verdict | None) -> dict[str, str]:
    """The tags by which a version is found and read, in MLflow's own interface too. None of them ever changes."""
    told = {f"maintain.{name}": getattr(record, name) for name in _TAGGED}
    named = {name: str(value) for name, value in told.items() if value is not None}
    return {**identity(record), **named, **({} if verdict is None else _judged(verdict))}


def identity(record: ModelVersion) -> dict[str, str]:
    """The tags that say which version something belongs to; a killed writer's leftovers are found by them."""
    return {SCHEMA: SCHEMA_VERSION, NUMBER: str(record.version), RECORD: codec.digest_of(record)}


def number_of(tags: Mapping[str, str]) -> int | None:
    """Our number in the tags of a version of MLflow; None where we did not make it."""
    text = tags.get(NUMBER, "")
    ours = tags.get(SCHEMA) == SCHEMA_VERSION and text.isascii() and text.isdecimal() and not text.startswith("0")
    return int(text) if ours else None


def card(record: ModelVersion, spec: ModelSpec, manifest: TrainingManifest, verdict: Verdict | None) -> str:
    """What a person reads who finds the version in MLflow."""
    threshold = "argmax" if spec.operating_threshold is None else str(spec.operating_threshold)
    parent = "none (first of its lineage)" if record.parent is None else f"version {record.parent}"
    lines = (
        f"**{record.model}, version {record.version}** of the ledger (MLflow's own number may differ).",
        "",
        f"- Made by `{record.method}` from {parent}, seed {record.seed}, `maintain` {record.code}.",
        f"- Network `{spec.network.name}`, input {'x'.join(map(str, spec.input_shape))}, head {spec.head.value}.",
        f"- Labels in order: {', '.join(spec.label_order)}. Operating threshold: {threshold}.",
        f"- Learned from {len(manifest.learned)} cases ({manifest.status.value}), {len(manifest.unlearned)} unlearned, "
        f"selected with {len(manifest.selected_with)}.",
        f"- Weights `{short(record.weights)}`, manifest `{short(record.manifest)}`.",
        *_gates(verdict),
        "",
        "A version counts as registered only by its ledger entry, and `maintain registry` alone moves its aliases:",
        "`maintain audit verify` and `maintain doctor` name what was changed here by hand.",
    )
    return "\n".join(lines)


# --- private ---------------------------------------------------------------------------------------


def _judged(verdict: Verdict) -> dict[str, str]:
    """The outcome of each gate; of one that was asked more than once, all of them."""
    found: dict[str, list[str]] = {}
    for result in verdict.gates:
        found.setdefault(f"{GATE}{result.gate}", []).append(_outcome(result))
    return {OUTCOME: verdict.outcome.value, **{name: ", ".join(outcomes) for name, outcomes in found.items()}}


def _gates(verdict: Verdict | None) -> tuple[str, ...]:
    if verdict is None:
        return ("- Gates: none; a first version is not judged against a champion.",)
    each = ", ".join(f"{result.gate} {_outcome(result)}" for result in verdict.gates)
    return (f"- Gates: {verdict.outcome.value} at look {verdict.look} of the holdout: {each}.",)


def _outcome(result: GateResult) -> str:
    return result.outcome.value if result.decisive else f"{result.outcome.value} (reported)"
