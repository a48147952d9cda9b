"""Names of foreign tensors -> names of our networks: a prefix taken off, parts called otherwise.

Every rule must do something: one that fits no name was meant for another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from maintain.errors import InputError, UnknownNameError


@dataclass(frozen=True, slots=True)
class KeyMap:
    """Rules in their order: the prefix first, then each (old, new) for names that are `old` or begin with `old.`."""

    strip_prefix: str = ""
    renames: tuple[tuple[str, str], ...] = ()

    def apply(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors under the new names. Raises `InputError` for a rule that fits none, or for two that meet."""
        names = {name: name for name in state}
        if self.strip_prefix:
            if not any(name.startswith(self.strip_prefix) for name in names):
                raise _unfit("--strip-prefix", self.strip_prefix, state)
            names = {name: name.removeprefix(self.strip_prefix) for name in names}
        for old, new in self.renames:
            renamed = {name: _renamed(now, old, new) for name, now in names.items()}
            if renamed == names and old != new:
                raise _unfit("--rename", old, names.values())
            names = renamed
        if len(set(names.values())) != len(names):
            raise InputError(
                "Two tensors come out under one name.", remedy="Look at --strip-prefix and --rename; one is too wide."
            )
        return {names[name]: tensor for name, tensor in state.items()}


def key_map(strip_prefix: str, renames: tuple[str, ...]) -> KeyMap:
    """The rules as a command line says them, `OLD=NEW` each. Raises `InputError` for a word that is none."""
    pairs = []
    for word in renames:
        old, equals, new = word.partition("=")
        if not (equals and old and new):
            raise InputError(f"{word!r} renames nothing.", remedy="Say --rename OLD=NEW, for example classifier=head.")
        pairs.append((old.removesuffix("."), new.removesuffix(".")))
    return KeyMap(strip_prefix, tuple(pairs))


# --- private ---------------------------------------------------------------------------------------

#: First parts of names that a message lists.
_LISTED = 12


def _renamed(name: str, old: str, new: str) -> str:
    return new + name[len(old) :] if name == old or name.startswith(f"{old}.") else name


def _unfit(rule: str, word: str, names: Iterable[str]) -> InputError:
    known = sorted({name.split(".")[0] for name in names})[:_LISTED]
    return UnknownNameError(f"part of a name for {rule}", word, known)
