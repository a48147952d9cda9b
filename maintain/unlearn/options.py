"""The table of unlearning methods: names, claims, typed options; read without torch.

The policy loader, the command line and the documentation derive from this table, so a method that
is not in it does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maintain.errors import UnknownNameError
from maintain.options import Option, fill_in
from maintain.records import Setting
from maintain.vocabulary import Claim, Head


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """One method: what it may claim, what it needs, and where it is (`module:class`).

    `consumes_forget` says whether the loader must have handed out every forget case, or none; `heads` are those
    that its losses are defined for.
    """

    name: str
    doc: str
    claims: tuple[Claim, ...]
    citation: str
    options: tuple[Option, ...]
    target: str
    consumes_forget: bool
    heads: tuple[Head, ...] = (Head.SOFTMAX,)


#: Passes over the retained cases: enough to settle, a tenth of the default recipe's thirty.
FINETUNE_EPOCHS = 3
#: Of the recipe's peak rate. Above the peak it is a warm restart, another method with other results.
FINETUNE_SHARE = 0.2

_INFOS = (
    MethodInfo(
        name="finetune",
        doc="A control, not a way to forget: the champion goes on learning on the retained cases alone. Measured, it "
        "leaves the champion's leak as it was (benchmarks/results/finetune_control.md), and in the feasibility "
        "study it passed the forgetting gates not once. Use it to see that the search and the gates refuse what "
        "does not forget. Forget cases are never loaded.",
        claims=(Claim.EXAMPLES, Claim.GROUP),
        citation="Golatkar et al., Eternal Sunshine of the Spotless Net, CVPR 2020 (fine-tuning as a baseline)",
        options=(
            Option(
                name="epochs",
                kind="integer",
                default=FINETUNE_EPOCHS,
                minimum=1,
                maximum=100,
                doc="Passes over the retained cases.",
            ),
            Option(
                name="learning_rate_share",
                kind="number",
                default=FINETUNE_SHARE,
                minimum=0.001,
                maximum=1.0,
                doc="Peak learning rate as a share of the recipe's own.",
            ),
            Option(
                name="freeze_norms",
                kind="boolean",
                default=True,
                doc="Whether the running statistics of batch normalisation stay the champion's.",
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
    return fill_in(info.name, info.options, given)
