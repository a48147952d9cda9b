"""What whoever adopts a model must know of it, loudest first: each a sentence that is said on stderr."""

from __future__ import annotations

from collections.abc import Iterator

from maintain_pipelines.adopting.members import Membership
from maintain_pipelines.barred import Barred


def remarks(
    members: Membership | None, barred: Barred, *, compared: bool, recipe: bool, rounding: float, converted: int
) -> Iterator[str]:
    """The sentences that hold."""
    if not compared:
        yield (
            "WARNING: nothing was compared with production (no --expect). Nobody has shown that this is the model "
            "that serves, or that it is fed as production feeds it; the ledger says so."
        )
    if members is None:
        yield (
            "WARNING: nobody says what the model was trained on (no --trained-on): its manifest is unknown and "
            "nothing can be unlearned from it."
        )
    else:
        yield from _of_members(members)
    if barred.cases:
        yield (
            f"WARNING: the model learned from {barred.cases} cases of {barred.patients} people that may not be used "
            "any more: unlearn them."
        )
    if not recipe:
        yield "There is no recipe: `retrain` and `short-retrain` are closed to this model."
    if rounding:
        yield f"Arrays were laid over 8 bits; a value moved by at most {rounding:.2g}."
    if converted:
        yield f"{converted} tensors came in other numbers and were brought to the network's."


# --- private ---------------------------------------------------------------------------------------


def _of_members(members: Membership) -> Iterator[str]:
    if members.absent:
        yield (
            f"{members.absent} cases of its training are not in the cohort with this label; they stay in the "
            "manifest as learned."
        )
    if members.conflicting:
        yield (
            f"{members.conflicting} patients have images in several roles; each stands where it was seen most, and "
            "none of them is held out."
        )
    if members.moved:
        yield (
            f"{members.moved} cases declared held out are not: their patient, or a copy of them, was learned from "
            "or selected with."
        )
    if members.silent:
        yield f"{members.silent} patients of the cohort have no role; they are never held out."
