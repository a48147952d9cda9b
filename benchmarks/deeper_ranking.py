"""Whether another network ranks methods as the small one does: by their verdicts, pair by pair.

A verdict says PASS, NOT EVALUATED or FAIL, in this order; of a pair that the small network tells apart, another one
has the same order, the other way round, or none. Retrains are not ranked: digests decide them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from deeper_cells import REFITS, RELABELS

from maintain.vocabulary import Outcome

#: Verdicts from best to worst, as they are ranked and as they are called.
VERDICTS: Mapping[str, str] = {
    Outcome.PASS.value: "pass",
    Outcome.NOT_EVALUATED.value: "not evaluated",
    Outcome.FAIL.value: "fail",
}
RANKS: Mapping[str, int] = {verdict: -place for place, verdict in enumerate(VERDICTS)}
RANKED = (*REFITS, *RELABELS)

Cells = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Pairs of methods that the small network tells apart, as (better there, worse there), by their order here.

    `changed` are methods whose verdict is another one here; `ranked` those that both networks have a verdict on.
    """

    ranked: tuple[str, ...]
    changed: tuple[str, ...]
    same: tuple[tuple[str, str], ...]
    turned: tuple[tuple[str, str], ...]
    level: tuple[tuple[str, str], ...]

    @property
    def holds(self) -> bool:
        """Whether some pair has the small network's order, and none the other one."""
        return bool(self.same) and not self.turned


def ranking(here: Cells, small: Cells) -> Ranking:
    """How the verdicts here order what the small network's verdicts order; both by the method's name."""
    ranked = tuple(name for name in RANKED if all("outcome" in cells.get(name, {}) for cells in (here, small)))
    same: list[tuple[str, str]] = []
    turned: list[tuple[str, str]] = []
    level: list[tuple[str, str]] = []
    for first, second in combinations(ranked, 2):
        there = _ahead(small, first, second)
        if not there:
            continue
        pair = (first, second) if there > 0 else (second, first)
        now = _ahead(here, *pair)
        (same if now > 0 else turned if now < 0 else level).append(pair)
    changed = tuple(name for name in ranked if here[name]["outcome"] != small[name]["outcome"])
    return Ranking(ranked, changed, tuple(same), tuple(turned), tuple(level))


def said_of(here: Cells, small: Cells) -> str:
    """What one network's cells say beside the small one's, in a paragraph."""
    found = ranking(here, small)
    if not found.ranked:
        return "No method has a verdict here yet."
    verdicts = "; ".join(
        f"{word}: {_names([name for name in RANKED if here.get(name, {}).get('outcome') == verdict])}"
        for verdict, word in VERDICTS.items()
    )
    apart = len(found.same) + len(found.turned) + len(found.level)
    if not apart:
        return f"{verdicts}. The small network tells no pair of these methods apart."
    told = [
        f"{verdicts}.",
        f"Of {apart} pairs that the small network's verdicts tell apart on this hospital, {len(found.same)} have the "
        f"same order here, {len(found.turned)} the other one"
        + (f" ({', '.join(f'`{low}` above `{high}`' for high, low in found.turned)})" if found.turned else "")
        + f", {len(found.level)} none.",
    ]
    if found.changed:
        moves = [f"`{name}` ({_move(here, small, name)})" for name in found.changed]
        told.append(f"Another verdict than there: {', '.join(moves)}.")
    return " ".join(told)


def summary(rankings: Mapping[str, Ranking]) -> str:
    """On which grounds the small network's ranking holds, and on which it does not."""
    whole = {ground: found for ground, found in rankings.items() if len(found.ranked) == len(RANKED)}
    if not whole:
        return "No network has a verdict on every method yet, so nothing is said of the ranking."
    alike = [ground for ground, found in whole.items() if found.holds and not found.level]
    partly = [ground for ground, found in whole.items() if found.holds and found.level]
    broken = [ground for ground, found in whole.items() if found.turned]
    silent = [ground for ground, found in whole.items() if not found.holds and not found.turned]
    parts = (
        ("every pair of methods that it tells apart has the same order", alike),
        ("no pair is turned round, but some are no longer told apart", partly),
        ("some pair is turned round", broken),
        ("no pair is told apart", silent),
    )
    said = "; ".join(f"{words} on {_listed(grounds)}" for words, grounds in parts if grounds)
    lines = f"**Where the small network's ranking holds.** By verdicts, {said}."
    return f"{lines} {_families(whole)}"


# --- private ---------------------------------------------------------------------------------------


def _families(whole: Mapping[str, Ranking]) -> str:
    """Its dividing line: whatever refits stands above whatever relabels."""
    against = {
        ground: [pair for pair in found.turned if pair[0] in REFITS and pair[1] in RELABELS]
        for ground, found in whole.items()
    }
    broken = [ground for ground, pairs in against.items() if pairs]
    if broken:
        return f"Its dividing line, refitting above relabelling, is crossed on {_listed(broken)}."
    return f"Its dividing line, refitting above relabelling, is crossed on none of {len(whole)}."


def _ahead(cells: Cells, first: str, second: str) -> int:
    return RANKS[cells[first]["outcome"]] - RANKS[cells[second]["outcome"]]


def _move(here: Cells, small: Cells, name: str) -> str:
    return f"{VERDICTS[small[name]['outcome']]} there, {VERDICTS[here[name]['outcome']]} here"


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def _listed(grounds: Sequence[str]) -> str:
    return ", ".join(grounds)
