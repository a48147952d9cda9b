"""What a report shows beside the gates: answers old against new, in groups, under attack, beside references.

Aggregates only, as plain values that any edition can print. Whatever was not measured is a sentence that says why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotShown:
    """Why something is not there. Never empty, and never a zero in its place."""

    why: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or share over cases with its 95 % interval, clustered by patient."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answered:
    """How one version answers: how often it is right, and how probable it calls its own answers on average."""

    accuracy: Estimate
    confidence: Estimate


@dataclass(frozen=True, slots=True)
class OldAndNew:
    """The champion and the candidate on the same cases."""

    champion: Answered
    candidate: Answered


@dataclass(frozen=True, slots=True)
class Panel:
    """One kind of cases of the plan, and how both versions answer them."""

    title: str
    told: str
    cases: int
    patients: int
    answers: OldAndNew | NotShown


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Accuracy in one group of retained held-out cases."""

    value: str
    cases: int
    patients: int
    champion: Estimate
    candidate: Estimate


@dataclass(frozen=True, slots=True)
class Groups:
    """Every retained held-out case in one of these groups; small ones are put together, or left out."""

    rows: tuple[GroupRow, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Curve:
    """An attack on one version: shares of (never-seen, forgotten) cases called remembered, from none to all."""

    points: tuple[tuple[float, float], ...]
    area: Estimate


@dataclass(frozen=True, slots=True)
class Attack:
    """The membership attack on both versions, by the same cases and covariates; its intervals are those of the gate."""

    forgotten: int
    never_seen: int
    champion: Curve
    candidate: Curve


@dataclass(frozen=True, slots=True)
class Contender:
    """What a model cost, how well it does on retained held-out cases, and what a change to it changes there.

    `steps`, `images` and `seconds` are those of making it; None where nobody noted them.
    """

    name: str
    steps: int | None
    images: int | None
    seconds: float | None
    accuracy: Estimate | None
    churn: Estimate | None

    @property
    def made(self) -> bool:
        """Whether there are weights; what a retrain would cost is told without any."""
        return self.accuracy is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate beside the champion and whatever else could have been released."""

    contenders: tuple[Contender, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One image as a PNG file, for a page that was asked to hold images."""

    case_id: str
    label: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, and which cases are meant, in the words of the policy."""

    owner: str
    where: str
    unit: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything a report shows that no record holds."""

    wish: Wish | NotShown
    panels: tuple[Panel, ...]
    by_class: Groups | NotShown
    by_camera: Groups | NotShown
    attack: Attack | NotShown
    beside: Comparison | NotShown


def nothing_shown(why: str) -> Shown:
    """All of it missing for one reason."""
    missing = NotShown(why)
    return Shown(missing, (), missing, missing, missing, missing)
