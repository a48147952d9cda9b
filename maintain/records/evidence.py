"""What gates are shown beside answers: how difficult cases are, which groups they are in, which references exist."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.hashing import Digest


@dataclass(frozen=True, slots=True)
class CaseDifficulty:
    """What is known of one case without the model that is judged.

    `log_probability` and `probability` are the proxy's for the case's own label, `right` whether it decides for it;
    `brightness` and `contrast` are the mean and the spread of the pixels, from 0 to 1.
    """

    case_id: str
    log_probability: float
    probability: float
    right: bool
    brightness: float
    contrast: float


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A proxy for difficulty, fitted on so many retained cases and nothing else, asked about other cases."""

    proxy: str
    fitted_on: int
    rows: tuple[CaseDifficulty, ...]


@dataclass(frozen=True, slots=True)
class Stratum:
    """The value that a held-out case has in one declared field, or product of fields."""

    by: str
    value: str
    case_id: str


@dataclass(frozen=True, slots=True)
class Strata:
    """Which declared groups the held-out cases are in, fixed when the plan is made."""

    rows: tuple[Stratum, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A model trained from an initialisation without a forget group, and the digests that prove it.

    `key` names what it was trained by: recipe, seed, and the retained cases.
    """

    key: Digest
    model: str
    seed: int
    weights: Digest
    spec: Digest
    manifest: Digest
    loader_log: Digest
    steps: int
