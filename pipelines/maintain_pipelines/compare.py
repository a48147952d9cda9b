"""What differs between two registered versions, aspect by aspect.

Read from the versions' own files, each against its digest. Manifests are compared in both directions:
what one lists and the other does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maintain import codec
from maintain.errors import DamagedError
from maintain.records import Verdict
from maintain_pipelines.champions import Champion, load_version
from maintain_pipelines.context import Context
from maintain_registry import entry_of_version

#: The file in which a version keeps the verdict that let it be registered.
VERDICT_FILE = "verdict.json"


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing as each of the two has it, as text."""

    name: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        """Whether the two have it otherwise."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class ListDifference:
    """One list of the manifests: how many cases each has, and how many only that one."""

    name: str
    first: int
    second: int
    only_first: int
    only_second: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side."""

    model: str
    first: int
    second: int
    aspects: tuple[Aspect, ...]
    lists: tuple[ListDifference, ...]
    gates: tuple[Aspect, ...]


def compare(model: str, first: int, second: int, context: Context) -> Comparison:
    """Hold two registered versions against each other. Raises `UnknownNameError` for one that is not registered."""
    with context.database.read() as unit:
        for number in (first, second):
            entry_of_version(unit, context.ledger, model, number)
    one, other = (load_version(context, model, number) for number in (first, second))
    return Comparison(
        model=model,
        first=first,
        second=second,
        aspects=_side_by_side(_facts(one), _facts(other)),
        lists=tuple(_lists(one, other)),
        gates=_side_by_side(_gates(model, first, context), _gates(model, second, context)),
    )


def verdict_of(model: str, number: int, context: Context) -> Verdict | None:
    """The verdict that a version keeps; a first champion has none. Raises `DamagedError` for a file that is none."""
    stored = context.store.get(model, number)
    if VERDICT_FILE not in stored.files:
        return None
    try:
        text = stored.read(VERDICT_FILE).decode()
    except UnicodeDecodeError as error:
        raise DamagedError(
            f"{VERDICT_FILE} of {model} version {number} is not text.", remedy="Restore it from a backup."
        ) from error
    return codec.from_text(Verdict, text, source=VERDICT_FILE)


# --- private ---------------------------------------------------------------------------------------

#: Stands for a gate that a version was not judged by, or a value that it does not have.
_ABSENT = "-"


def _side_by_side(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Aspect, ...]:
    names = {**first, **second}
    return tuple(Aspect(name, first.get(name, _ABSENT), second.get(name, _ABSENT)) for name in names)


def _facts(version: Champion) -> dict[str, str]:
    record, spec, manifest = version.version, version.spec, version.manifest
    recipe = spec.recipe
    facts: dict[str, object] = {
        "method": record.method,
        "parent": record.parent,
        "run": record.run,
        "policy": record.policy,
        "forget set": record.forget_set,
        "code": record.code,
        "weights": record.weights,
        "origin": f"{manifest.origin.kind} {manifest.origin.weights}",
        "manifest status": manifest.status.value,
        "snapshot": manifest.snapshot,
        "network": codec.encode(spec.network),
        "input": "x".join(map(str, spec.input_shape)),
        "labels": f"{spec.label_name}: {', '.join(spec.label_order)}",
        "threshold": spec.operating_threshold,
        "preprocessing": "; ".join(
            f"{step.name}@{step.version} {codec.encode(step.options)}" for step in spec.preprocessing
        ),
    }
    if recipe is not None:
        facts |= {f"recipe {name.replace('_', ' ')}": value for name, value in codec.encode(recipe).items()}
    return {name: _ABSENT if value is None else str(value) for name, value in facts.items()}


def _lists(one: Champion, other: Champion) -> list[ListDifference]:
    found = []
    for name in ("learned", "unlearned", "selected_with"):
        first, second = set(getattr(one.manifest, name)), set(getattr(other.manifest, name))
        found.append(ListDifference(name, len(first), len(second), len(first - second), len(second - first)))
    return found


def _gates(model: str, number: int, context: Context) -> dict[str, str]:
    verdict = verdict_of(model, number, context)
    return {} if verdict is None else {result.gate: result.outcome.value for result in verdict.gates}
