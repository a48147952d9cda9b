"""What `model adopt` was asked for, refused where it could not be honoured whatever the weights are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maintain.errors import InputError
from maintain.imaging.adopting import KeyMap
from maintain.records import Network
from maintain.vocabulary import Head

#: Where the largest of two probabilities changes: the one threshold that a softmax head decides at.
ARGMAX_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionOrder:
    """A model to adopt: whose weights, in which network, fed how, answering what, and what is known of it.

    Raises:
        InputError: Preprocessing is said in no way or in two, or the threshold cannot be honoured.
    """

    model: str
    weights: Path
    network: Network
    head: Head
    label_name: str
    label_order: tuple[str, ...]
    keys: KeyMap
    preprocessing: Path | None
    arrays: Path | None
    threshold: float | None
    expect: Path | None
    tolerance: float
    trained_on: Path | None
    allow_absent: bool
    recipe: Path | None

    def __post_init__(self) -> None:
        """Refuse what would be half obeyed."""
        if self.preprocessing is None and self.arrays is None:
            raise InputError(
                "Nobody says how pictures become what the network reads.",
                remedy="Give --preprocessing FILE, a list of MONAI transforms, or --arrays DIR with their results.",
            )
        if not 0 < self.tolerance < 1:
            raise InputError(
                f"Outputs cannot be compared to {self.tolerance:g}.", remedy="Give a tolerance between 0 and 1."
            )
        if self.threshold is not None and (len(self.label_order), self.threshold) != (2, ARGMAX_THRESHOLD):
            raise InputError(
                f"A model with the head {self.head.value} decides for its most probable label here; "
                f"a threshold of {self.threshold:g} would be neither judged nor served.",
                remedy="Leave --threshold out if production decides so too (0.5 for two labels is the same). "
                "A model that decides otherwise cannot be adopted yet.",
            )


def label_order_of(words: str) -> tuple[str, tuple[str, ...]]:
    """`NAME=a,b,c` as a label and its values in the order of the outputs. Raises `InputError` for anything else."""
    name, equals, listed = words.partition("=")
    values = tuple(value.strip() for value in listed.split(","))
    if not (equals and name.strip() and all(values)):
        raise InputError(
            f"{words!r} names no label with its values.",
            remedy="Say --labels NAME=FIRST,SECOND in the order of the network's outputs.",
        )
    if len({value.casefold() for value in values}) != len(values) or len(values) < 2:
        raise InputError(
            "The labels cannot be told apart.", remedy="Name at least two, each once, in the order of the outputs."
        )
    return name.strip(), values
