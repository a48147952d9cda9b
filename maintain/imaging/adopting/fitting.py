"""Whether foreign tensors are the weights of a network: every name, every shape, nothing left over.

Loading is strict because a layer that is silently left at random still answers, and often well enough to be missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from maintain.errors import InputError
from maintain.imaging.blueprint import Blueprint
from maintain.imaging.weights import State

#: Names of each kind that a message lists.
LISTED = 3


@dataclass(frozen=True, slots=True)
class Fitted:
    """The weights as the network holds them; `converted` names tensors that came as float16, float64 or the like."""

    state: State
    converted: tuple[str, ...]


def fit_state(state: Mapping[str, Tensor], blueprint: Blueprint, *, source: str) -> Fitted:
    """The state in the network's own order and types. Raises `InputError` naming what is missing, odd or misshapen."""
    wanted = blueprint.build(seed=0).state_dict()
    missing = [name for name in wanted if name not in state]
    odd = sorted(set(state) - set(wanted))
    shared = [name for name in wanted if name in state]
    shapes = [_shapes(name, state[name], wanted[name]) for name in shared if state[name].shape != wanted[name].shape]
    kinds = [name for name in shared if state[name].is_floating_point() != wanted[name].is_floating_point()]
    said = [
        *_listed("missing", missing),
        *_listed("not in the network", odd),
        *_listed("of another shape", shapes),
        *_listed("of another kind of number", kinds),
    ]
    if said:
        raise InputError(
            f"{source} does not fit the network {blueprint.network.name!r} with "
            f"{len(blueprint.label_order)} labels and an input of {_times(blueprint.input_shape)}: {'; '.join(said)}.",
            remedy=_remedy(missing, odd, shapes),
        )
    converted = tuple(name for name in wanted if state[name].dtype != wanted[name].dtype)
    return Fitted({name: state[name].to(wanted[name].dtype) for name in wanted}, converted)


# --- private ---------------------------------------------------------------------------------------


def _shapes(name: str, found: Tensor, wanted: Tensor) -> str:
    return f"{name} is {_times(found.shape)}, not {_times(wanted.shape)}"


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _listed(what: str, names: list[str]) -> list[str]:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return [f"{what}: {', '.join(names[:LISTED])}{more}"] if names else []


def _remedy(missing: list[str], odd: list[str], shapes: list[str]) -> str:
    prefix = _prefix(missing, odd)
    if prefix:
        return f"The names differ by a prefix: say --strip-prefix {prefix}"
    if missing or odd:
        return "Name the --network and --network-option it was built with, or map names with --rename OLD=NEW."
    if shapes:
        return "Look at --labels (one output a label), --network-option, and the size that preprocessing ends with."
    return "Save the weights as the network holds them."


def _prefix(missing: list[str], odd: list[str]) -> str:
    """What stands before at least half of the odd names, where their rest is missing; the most common such thing."""
    wanted = set(missing)
    starts = (name[: place + 1] for name in odd for place in _dots(name) if name[place + 1 :] in wanted)
    counted = Counter(starts).most_common(1)
    return counted[0][0] if counted and 2 * counted[0][1] >= len(odd) else ""


def _dots(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter == "."]
