"""The rows of the Fashion-MNIST table: every method that it tries, with the options that were frozen on validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maintain.records import Scalar

#: The course of every method side by side: the head moves, statistics are the champion's. Frozen on validation.
SIDE: Mapping[str, Scalar] = {
    "layers": "head",
    "norms": "frozen",
    "learning_rate": 0.01,
    "steps": 80,
    "forget_batch": 34,
    "retain_batch": 102,
}
REMAIN: Mapping[str, Scalar] = {**SIDE, "remain": 3.0}
#: A search for the label alone: where exactly the boundary lies is of no use to hard labels.
SEARCH: Mapping[str, Scalar] = {"search_steps": 10, "bisections": 0}


@dataclass(frozen=True, slots=True)
class Arm:
    """One row of the table: a method with options, and what it is. `alike`: as many passes as that arm took."""

    name: str
    method: str
    said: str
    options: Mapping[str, Scalar] = field(default_factory=dict)
    alike: str = ""


#: Champion and retrain come first: the others are measured against both.
ARMS: tuple[Arm, ...] = (
    Arm("champion", "noop", "champion (`noop`)"),
    Arm("retrain", "retrain", "`retrain`"),
    Arm("psg", "psg", "`psg`", {**REMAIN, **SEARCH}),
    Arm("random_equal", "random-label", "`random-label`, passes of `psg`, search included", REMAIN, alike="psg"),
    Arm("random", "random-label", "`random-label`, stopped as `psg` is", REMAIN),
    Arm("second", "second-best-label", "`second-best-label`", REMAIN),
    Arm("single", "psg", "`psg`, one step of search", {**REMAIN, "search_steps": 1, "reach": 1.0, "bisections": 0}),
    Arm("shrink", "boundary-shrink", "`boundary-shrink`", {k: v for k, v in SIDE.items() if k != "retain_batch"}),
    Arm("neggrad", "neggrad-plus", "`neggrad-plus`", REMAIN),
    Arm("salun", "salun", "`salun`", REMAIN),
    Arm("scrub", "scrub", "`scrub`, 64 forgotten a max-step", {**SIDE, "forget_batch": 64}),
    Arm("refit", "reset-refit", "`reset-refit`, as a policy gets it"),
    Arm("drift", "bn-only", "`bn-only`: statistics drift, no weight moves"),
    Arm(
        "reference",
        "psg",
        "`psg`, `replicate`: the reference's recipe, 10 passes",
        {"replicate": True, "norms": "mixed", "steps": 160, "forget_batch": 64},
    ),
    Arm("short", "short-retrain", "`short-retrain`, two passes", {"epochs": 2}),
)
#: No method: the champion with the output of the class taken away.
MASKED = "masked"
