"""What `unlearn.methods: auto` tries, as a committed benchmark measured it: read from a file that the benchmark wrote.

Nobody types an order here. `benchmarks/method_table.py` judges every method by the gates, ranks them by the rule
below and writes the file; a test holds the file against the committed table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from maintain.errors import DamagedError
from maintain.vocabulary import Situation

#: The file that the benchmark writes.
MEASURED = Path(__file__).with_name("measured.json")

#: The method that ends every search, because it needs no measurement to be right.
LAST_RESORT = "retrain"

#: Share of a story's runs that a method must have passed, and more, to be tried unasked.
PASSED_SHARE = 0.5

#: What may be spent before the last resort, as a share of its gradient passes: a search that fails costs no more.
SEARCH_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Ranked:
    """How often a method passed on one story, of how many runs, and its gradient passes as a share of a retrain's."""

    method: str
    passes: int
    runs: int
    cost: float


def ranked(runs: Sequence[Ranked]) -> tuple[str, ...]:
    """The methods to try, in order: those that passed more than half of their runs of a story, then the last resort.

    First who passed more often, of equals the one that costs less on average; as many of them as together cost at
    most half a retrain, since whoever passed there may fail here.
    """
    names = dict.fromkeys(run.method for run in runs)
    mine = {name: [run for run in runs if run.method == name] for name in names}
    worth = [name for name in names if any(run.passes > PASSED_SHARE * run.runs for run in mine[name])]
    worth.sort(key=lambda name: (-sum(run.passes for run in mine[name]), _mean_cost(mine[name]), name))
    tried = [name for name in worth if name != LAST_RESORT]
    spent = accumulate(_mean_cost(mine[name]) for name in tried)
    return (*(name for name, so_far in zip(tried, spent, strict=True) if so_far <= SEARCH_SHARE), LAST_RESORT)


def measured_choices(path: Path = MEASURED) -> Mapping[Situation, tuple[str, ...]]:
    """What `auto` tries in each situation that has more than one way. Raises `DamagedError` without the file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {one: tuple(document[one.value]) for one in Situation if one is not Situation.NEVER_SAW}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DamagedError(
            "What `unlearn.methods: auto` means cannot be read: a file of the program is missing or damaged.",
            remedy=f"Install the program again; it is {path.name} beside the table of methods.",
        ) from error


# --- private ---------------------------------------------------------------------------------------


def _mean_cost(runs: Sequence[Ranked]) -> float:
    return sum(run.cost for run in runs) / len(runs)
