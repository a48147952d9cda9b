"""Options of methods and gates: what they are called, what values they take, and how they are filled in.

One table form for everything that a policy may set, so that the loader, the schema and the rooms that
own the tables refuse the same values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from maintain.errors import InputError, UnknownNameError
from maintain.records import Scalar, Setting

#: What values an option takes, in the words of JSON Schema; a whole number is a number too. `fields` is a list of
#: cohort fields, or of products of them, kept as one text: `device.model, patient.sex*image.eye`.
OptionKind: TypeAlias = Literal["integer", "number", "boolean", "string", "fields"]

#: In which direction a value asks for less than the default; None where no direction does.
Looser: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its kind, its default and its bounds, both ends allowed."""

    name: str
    kind: OptionKind
    default: Scalar
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    looser: Looser | None = None
    choices: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """The option as a row of a documented table: its name, its default, what it may be, what it is."""
        default = str(self.default).lower() if isinstance(self.default, bool) else self.default
        return f"| `{self.name}` | {default if default != '' else 'none'} | {self._allowed} | {self.doc} |"

    @property
    def _allowed(self) -> str:
        if self.kind == "fields":
            return "a list of cohort fields"
        if self.choices:
            return ", ".join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:g} to {self.maximum:g}"
        return "true, false" if self.kind == "boolean" else self.kind


#: What stands above such rows.
ROWS_HEAD = "| option | default | allowed | what it is |\n|---|---|---|---|"


def fill_in(owner: str, options: Sequence[Option], given: Iterable[Setting]) -> tuple[Setting, ...]:
    """Every option in the table's order: the given value, else the default.

    Raises:
        InputError: An option is unknown, given twice, of the wrong kind, or out of its range.
    """
    known = {option.name: option for option in options}
    values: dict[str, Scalar] = {}
    for setting in given:
        if setting.name not in known:
            raise UnknownNameError(f"option of {owner}", setting.name, known)
        if setting.name in values:
            raise InputError(f"The option {setting.name} of {owner} is given twice.", remedy="Give it once.")
        values[setting.name] = checked(owner, known[setting.name], setting.value)
    return tuple(Setting(option.name, values.get(option.name, option.default)) for option in options)


def read_settings(owner: str, options: Sequence[Option], words: Iterable[str]) -> tuple[Setting, ...]:
    """Settings said in words, `NAME=VALUE` each, as a command line has them: every option of the table is filled in.

    Raises:
        InputError: A word has no `=`, or an option is refused as `fill_in` refuses it.
    """
    known = {option.name: option for option in options}
    given = []
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise InputError(f"{word!r} gives no option of {owner} a value.", remedy="Say NAME=VALUE.")
        value = _read(owner, known[name], text) if name in known else text
        given.append(Setting(name, value))
    return fill_in(owner, options, given)


def checked(owner: str, option: Option, value: Scalar) -> Scalar:
    """The value, as the kind of the option has it. Raises `InputError` for one that it cannot have."""
    if type(value) not in _TYPES[option.kind]:
        raise _wrong(owner, option, value, f"of the kind {option.kind}")
    if isinstance(value, str):
        if option.choices and value not in option.choices:
            raise _wrong(owner, option, value, f"one of {', '.join(option.choices)}")
        return value
    if not math.isfinite(value):
        raise _wrong(owner, option, value, "finite")
    if option.minimum is not None and value < option.minimum:
        raise _wrong(owner, option, value, f"at least {option.minimum:g}")
    if option.maximum is not None and value > option.maximum:
        raise _wrong(owner, option, value, f"at most {option.maximum:g}")
    return float(value) if option.kind == "number" else value


# --- private ---------------------------------------------------------------------------------------

_TYPES: Mapping[OptionKind, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "fields": (str,),
}


def _read(owner: str, option: Option, text: str) -> Scalar:
    """The value that a word says, in the kind of the option."""
    if option.kind == "boolean":
        if text not in _BOOLEANS:
            raise _wrong(owner, option, text, f"one of {', '.join(_BOOLEANS)}")
        return _BOOLEANS[text]
    if option.kind not in ("integer", "number"):
        return text
    try:
        return int(text) if option.kind == "integer" else float(text)
    except ValueError:
        raise _wrong(owner, option, text, f"of the kind {option.kind}") from None


#: How a word says yes and no.
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def _wrong(owner: str, option: Option, value: Scalar, allowed: str) -> InputError:
    return InputError(
        f"The option {option.name} of {owner} cannot be {value!r}.",
        remedy=f"{option.doc} It must be {allowed}.",
    )
