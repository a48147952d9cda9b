"""How a cell of the table of methods is made: the stories that are told, and one method tried on one champion.

Figures hang on this module and on the code that a cell names; counting, ranking and writing are elsewhere, so that a
table is written otherwise without a training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evidence import code_of

from maintain.errors import MaintainError
from maintain.records import Setting
from maintain.unlearn import METHODS, resolve_options
from maintain.vocabulary import Claim, Outcome
from maintain_pipelines.bench import (
    EXAMPLES,
    GROUP,
    Attempt,
    Desk,
    Model,
    Problem,
    Story,
    attempt,
    behaviour_of,
    hospital,
    never_seen_accuracy,
    short_retrain,
    whole_label,
)

#: The row that stops the recipe's own schedule early, which no method of the table is.
SHORT = "retrain, a fifth of the epochs"
#: The figures of the gate `membership`.
AUC, CHAMPION_AUC = "attack on the candidate, AUC", "attack on the champion, AUC"


@dataclass(frozen=True, slots=True)
class Told:
    """A story as the table tells it: how its problem and its plan are made, and whether references are needed."""

    title: str
    doc: str
    claim: Claim
    problem: Callable[[int], Problem]
    story: Callable[[Problem], Story]
    referred: bool = False


#: Twice the patients where a label is retired: `zero` bounds a share by patients, and of the half nothing at all
#: among 270 patients of a label is bounded at .021, above the limit of .02, for a retrain as for anybody.
TOLD: Mapping[str, Told] = {
    "examples": Told(
        "Variant anatomy, claim `examples`",
        "A fifth of the patients have a variant anatomy; their cases shall be no better known than cases never seen.",
        Claim.EXAMPLES,
        hospital,
        lambda _: EXAMPLES,
    ),
    "group": Told(
        "Camera withdrawn, claim `group`",
        "Every case of one camera goes; the candidate is held against three models that never saw that camera.",
        Claim.GROUP,
        hospital,
        lambda _: GROUP,
        referred=True,
    ),
    "whole-label": Told(
        "Diagnosis retired, claim `group`",
        "Every case of one diagnosis goes, and with it the answer; judged by `zero`, in hospitals of 2,600 patients.",
        Claim.GROUP,
        lambda seed: hospital(seed, times=2),
        whole_label,
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a story's table: a method with options, and which run of it.

    `measured` names an option that is given the champion's accuracy on never-seen validation cases of the group.
    """

    name: str
    method: str
    options: tuple[Setting, ...] = ()
    run: int = 0
    measured: str = ""

    @property
    def resolved(self) -> dict[str, Any]:
        """Every option with its value."""
        return {setting.name: setting.value for setting in resolve_options(METHODS[self.method], self.options)}


def cell_of(desk: Desk, story: Story, row: Row, yardsticks: tuple[Model, ...]) -> dict[str, Any]:
    """One method on one champion; a method that refuses says why."""
    made: dict[str, Any] = {"method": row.method, "options": row.resolved, "code": code_of(row.method)}
    options = row.options
    if row.measured:
        made["measured"] = {row.measured: round(never_seen_accuracy(desk, story), _DECIMALS)}
        options += tuple(Setting(name, value) for name, value in made["measured"].items())
    try:
        if row.name == SHORT:
            tried = short_retrain(desk, story, references=yardsticks)
        else:
            tried = attempt(desk, story, row.method, options, references=yardsticks, run=row.run)
    except MaintainError as error:
        return made | {"refused": error.message}
    return made | _measured(desk, story, tried)


# --- private ---------------------------------------------------------------------------------------

#: Decimals of a figure in a cell.
_DECIMALS = 5


def _measured(desk: Desk, story: Story, tried: Attempt) -> dict[str, Any]:
    figures = {figure.name: figure.value for result in tried.judged.gates for figure in result.figures}
    behaviour = asdict(behaviour_of(desk, story, tried.state))
    return {
        "screened": tried.screened.passed,
        "screen": tried.screened.reason,
        "outcome": tried.judged.outcome.value,
        "gates": {result.gate: result.outcome.value for result in tried.judged.gates},
        "reasons": {result.gate: result.reason for result in tried.judged.gates if result.outcome is not Outcome.PASS},
        "behaviour": {name: round(value, _DECIMALS) for name, value in behaviour.items()},
        "auc": _rounded(figures.get(AUC)),
        "champion_auc": _rounded(figures.get(CHAMPION_AUC)),
        "gradients": tried.cost.gradients,
        "seconds": round(tried.cost.seconds, 2),
        "looking": round(tried.cost.looking, 2),
        "steps": tried.heard.steps,
        "spent": tried.heard.spent,
        "looks": [[None if look.score == float("inf") else round(look.score, 4), look.reached] for look in tried.looks],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
