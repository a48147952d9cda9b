"""The table of unlearning methods: names, claims, typed options; read without torch.

The policy loader, the command line and the documentation derive from this table, so a method that
is not in it does not exist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from maintain.errors import InputError, UnknownNameError
from maintain.records import Scalar, Setting
from maintain.vocabulary import Claim


class OptionKind(StrEnum):
    """What values an option takes, in the words of JSON Schema."""

    INTEGER = "integer"
    """A whole number."""
    NUMBER = "number"
    """A number; whole numbers are numbers too."""
    BOOLEAN = "boolean"
    """True or false."""
    STRING = "string"
    """Text."""


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One option of a method, with its default and its range."""

    name: str
    kind: OptionKind
    default: Scalar
    minimum: float | None
    maximum: float | None
    doc: str


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """One method: what it may claim, what it needs, and where it is (`module:class`).

    `consumes_forget` says whether the loader must have handed out every forget case, or none.
    """

    name: str
    doc: str
    claims: tuple[Claim, ...]
    citation: str
    options: tuple[OptionInfo, ...]
    target: str
    consumes_forget: bool


#: Passes over the retained cases: enough to settle, a tenth of the default recipe's thirty.
FINETUNE_EPOCHS = 3
#: Of the recipe's peak rate. Above the peak it is a warm restart, another method with other results.
FINETUNE_SHARE = 0.2

_INFOS = (
    MethodInfo(
        name="finetune",
        doc="A control, not a way to forget: the champion goes on learning on the retained cases alone. In the "
        "feasibility study it passed the forgetting gates not once and left the champion's leak as it was (attack "
        "AUC 0.80 before and after); use it to see that the search and the gates refuse what does "
        "not forget. Forget cases are never loaded.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020 (fine-tuning as a baseline)",
        options=(
            OptionInfo("epochs", OptionKind.INTEGER, FINETUNE_EPOCHS, 1, 100, "Passes over the retained cases."),
            OptionInfo(
                "learning_rate_share",
                OptionKind.NUMBER,
                FINETUNE_SHARE,
                0.001,
                1.0,
                "Peak learning rate as a share of the recipe's own.",
            ),
            OptionInfo(
                "freeze_norms",
                OptionKind.BOOLEAN,
                True,
                None,
                None,
                "Whether the running statistics of batch normalisation stay the champion's.",
            ),
        ),
        target="maintain.unlearn.finetune:Finetune",
        consumes_forget=False,
    ),
    MethodInfo(
        name="retrain",
        doc="Repeats the model's own recipe from new weights on the retained cases only. Forget cases are "
        "never loaded, so every claim holds by construction; it costs a full training.",
        claims=(Claim.NEVER_SAW, Claim.EXAMPLES, Claim.GROUP),
        citation="Bourtoule et al., Machine Unlearning, IEEE Symposium on Security and Privacy 2021 "
        "(retraining as the exact reference)",
        options=(),
        target="maintain.unlearn.retrain:Retrain",
        consumes_forget=False,
    ),
)

METHODS: Mapping[str, MethodInfo] = {info.name: info for info in _INFOS}


def method_info(name: str) -> MethodInfo:
    """The row of that name. Raises `UnknownNameError` with the known ones."""
    if name not in METHODS:
        raise UnknownNameError("unlearning method", name, METHODS)
    return METHODS[name]


def resolve_options(info: MethodInfo, given: Sequence[Setting]) -> tuple[Setting, ...]:
    """Every option of the method, in the table's order: the given value, else the default.

    Raises:
        InputError: An option is unknown, given twice, of the wrong kind, or out of its range.
    """
    known = {option.name: option for option in info.options}
    values: dict[str, Scalar] = {}
    for setting in given:
        if setting.name not in known:
            raise UnknownNameError(f"option of {info.name}", setting.name, known)
        if setting.name in values:
            raise InputError(f"The option {setting.name} of {info.name} is given twice.", remedy="Give it once.")
        values[setting.name] = _checked(info.name, known[setting.name], setting.value)
    return tuple(Setting(option.name, values.get(option.name, option.default)) for option in info.options)


# --- private ---------------------------------------------------------------------------------------

_KINDS: Mapping[OptionKind, tuple[type, ...]] = {
    OptionKind.INTEGER: (int,),
    OptionKind.NUMBER: (int, float),
    OptionKind.BOOLEAN: (bool,),
    OptionKind.STRING: (str,),
}


def _checked(method: str, option: OptionInfo, value: Scalar) -> Scalar:
    if type(value) not in _KINDS[option.kind]:
        raise _wrong(method, option, value, f"of the kind {option.kind.value}")
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise _wrong(method, option, value, "finite")
    if option.minimum is not None and value < option.minimum:
        raise _wrong(method, option, value, f"at least {option.minimum}")
    if option.maximum is not None and value > option.maximum:
        raise _wrong(method, option, value, f"at most {option.maximum}")
    return float(value) if option.kind is OptionKind.NUMBER else value


def _wrong(method: str, option: OptionInfo, value: Scalar, allowed: str) -> InputError:
    return InputError(
        f"The option {option.name} of {method} cannot be {value!r}.",
        remedy=f"{option.doc} It must be {allowed}.",
    )
