"""The shapes of every drawing: a scale, lines, dots, text. All text is escaped, all numbers are rounded alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from maintain.vocabulary import Outcome

#: Distances between ticks that people read easily, as multiples of a power of ten.
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)

#: Rounding of computed ends of a scale.
_DUST = 1e-9

#: The new version is a full dot and a solid line, the old one a hollow dot and a dashed line.
NEW, OLD = "new", "old"


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `left` to `right`."""

    low: float
    high: float
    left: float
    right: float

    def place(self, value: float) -> float:
        """Where a value lies; values beyond the ends lie at the ends."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def holds(self, value: float) -> bool:
        """Whether it is drawn where it is."""
        return self.low - _DUST <= value <= self.high + _DUST

    def ticks(self, wanted: int) -> tuple[float, ...]:
        """Round values, about so many."""
        rough = (self.high - self.low) / max(wanted, 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * nice for nice in _NICE if power * nice >= rough - _DUST)
        first, last = math.ceil(self.low / step - _DUST), math.floor(self.high / step + _DUST)
        return tuple(round(number * step, 10) for number in range(first, last + 1))


def drawing(width: float, height: float, title: str, described: str, shapes: Iterable[Markup]) -> Markup:
    """The whole picture, with what it shows for whoever cannot see it."""
    head = Markup("<title>{}</title><desc>{}</desc>").format(title, described)
    opening = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">').format(
        f"{title}. {described}", _n(width), _n(height), _n(width), _n(height)
    )
    return opening + head + Markup("").join(shapes) + Markup("</svg>")


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight line of a class."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(kind, *map(_n, (x1, y1, x2, y2)))


def dot(kind: str, x: float, y: float, radius: float = 4.5) -> Markup:
    """A dot of a class."""
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(kind, _n(x), _n(y), _n(radius))


def text(kind: str, x: float, y: float, said: str) -> Markup:
    """Words of a class."""
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(kind, _n(x), _n(y), escape(said))


def path(kind: str, points: Iterable[tuple[float, float]]) -> Markup:
    """A line through points."""
    told = " ".join(f"{'L' if place else 'M'}{_n(x)} {_n(y)}" for place, (x, y) in enumerate(points))
    return Markup('<path class="{}" d="{}"/>').format(kind, told)


def interval(kind: str, scale: Scale, y: float, low: float | None, high: float | None) -> Markup:
    """A range with a stop at each end that is known, and an arrow where it goes on beyond the scale."""
    start, end = (scale.low if low is None else low), (scale.high if high is None else high)
    left, right = scale.place(start), scale.place(end)
    shapes = [line(f"range {kind}", left, y, right, y)]
    for x, known, sign in ((left, low, -1.0), (right, high, 1.0)):
        if known is not None and scale.holds(known):
            shapes.append(line(f"stop {kind}", x, y - 4, x, y + 4))
        else:
            shapes.append(path("arrow", ((x - sign * 6, y - 4), (x, y), (x - sign * 6, y + 4))))
    return Markup("").join(shapes)


def outcome_mark(outcome: Outcome, x: float, y: float) -> Markup:
    """A tick, a cross, or an empty ring: told apart without colour."""
    if outcome is Outcome.PASS:
        return path("mark", ((x - 5, y), (x - 1, y + 4), (x + 6, y - 5)))
    if outcome is Outcome.FAIL:
        return path("mark", ((x - 5, y - 5), (x + 5, y + 5))) + path("mark", ((x - 5, y + 5), (x + 5, y - 5)))
    return dot("mark", x, y, 5)


# --- private ---------------------------------------------------------------------------------------


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-0", "0") if value > -0.05 else f"{value:.1f}".removesuffix(".0")
