"""Every figure of every gate on one scale: how far it lies from no effect, and where its limit is.

Differences and shares lie around 0, areas under a curve around one half; the latter are moved by a half, so that one
axis serves all. Numbers are always told as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain.records import Figure, GateResult

#: The area under the curve of an attack that guesses.
CHANCE = 0.5

#: What the gates call figures that must lie within a margin of the centre, from both sides.
_TWO_SIDED = ("the candidate's difference", "attack on the candidate, AUC", "candidate less references")

#: What they call areas under the curve of an attack.
_AREA = "attack on"

#: How the gates end the names of figures that must lie above their limit though it is not negative.
_ABOVE = "to be above 0"

#: Figures in standard deviations of the cases: no effect of a model, so they are in the tables alone.
_OTHER_UNIT = "balance of"

#: Words in the names of figures that are differences, so that their sign is told.
_SIGNED = ("difference", " less ", " plus ", "change in")


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One figure: its place on the common scale, its limits there, and all of it in words."""

    name: str
    value: float
    low: float | None
    high: float | None
    limits: tuple[float, ...]
    told_value: str
    told_interval: str
    told_limit: str


@dataclass(frozen=True, slots=True)
class ForestGate:
    """A gate with those of its figures that have an interval or a limit."""

    gate: GateResult
    rows: tuple[ForestRow, ...]


def forest_of(gates: tuple[GateResult, ...]) -> tuple[ForestGate, ...]:
    """Every gate in its order, also one that has nothing to draw."""
    return tuple(ForestGate(gate, tuple(_row(one) for one in gate.figures if _drawn(one))) for gate in gates)


# --- private ---------------------------------------------------------------------------------------


def _drawn(figure: Figure) -> bool:
    if figure.name.startswith(_OTHER_UNIT):
        return False
    return any(found is not None for found in (figure.low, figure.high, figure.limit))


def _row(figure: Figure) -> ForestRow:
    centre, signed = _centre(figure), any(word in figure.name for word in _SIGNED)
    ends = (figure.low, figure.high)
    drawn = any(end is not None for end in ends)
    return ForestRow(
        name=figure.name,
        value=figure.value - centre,
        low=None if figure.low is None else figure.low - centre,
        high=None if figure.high is None else figure.high - centre,
        limits=_limits(figure, centre),
        told_value=_number(figure.value, signed=signed),
        told_interval=" to ".join("…" if end is None else _number(end, signed=signed) for end in ends) if drawn else "",
        told_limit=_limit(figure, centre),
    )


def _two_sided(figure: Figure) -> bool:
    return any(name in figure.name for name in _TWO_SIDED) and not figure.name.endswith(_ABOVE)


def _centre(figure: Figure) -> float:
    return CHANCE if _AREA in figure.name else 0.0


def _limits(figure: Figure, centre: float) -> tuple[float, ...]:
    if figure.limit is None or figure.limit == centre:
        return ()
    away = figure.limit - centre
    return (-away, away) if _two_sided(figure) else (away,)


def _limit(figure: Figure, centre: float) -> str:
    if figure.limit is None:
        return ""
    if _two_sided(figure):
        around = f"{centre:g} " if centre else ""
        return f"{around}± {abs(figure.limit - centre):.3f}"
    above = figure.limit < 0 or figure.name.endswith(_ABOVE) or "champion" in figure.name.split(",")[0]
    below = figure.name.endswith("to be below 0") or not above
    return f"{'<' if below else '>'} {_number(figure.limit, signed=figure.limit < 0)}"


def _number(value: float, *, signed: bool) -> str:
    """Differences with their sign, everything else without; a true minus sign."""
    rounded = round(value, 3) + 0.0  # no minus zero
    return (f"{rounded:+.3f}" if signed else f"{rounded:.3f}").replace("-", "\N{MINUS SIGN}")
