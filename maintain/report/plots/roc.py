"""The membership attack as a curve: the old version dashed, the new one solid, guessing as the diagonal."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from maintain.report.plots.marks import NEW, OLD, Scale, drawing, line, path, text
from maintain.report.shown import Attack
from maintain.report.words import told

#: Size of the square, and of the picture.
_LEFT, _TOP, _SIDE, _WIDTH, _HEIGHT = 62.0, 12.0, 300.0, 640.0, 366.0

#: Where the legend begins.
_LEGEND = 392.0

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def draw_roc(attack: Attack) -> Markup:
    """Both curves, with their areas in the legend."""
    across = Scale(0.0, 1.0, _LEFT, _LEFT + _SIDE)
    up = Scale(0.0, 1.0, _TOP + _SIDE, _TOP)
    shapes = [*_frame(across, up), path("chance", ((across.place(0), up.place(0)), (across.place(1), up.place(1))))]
    for kind, curve in ((OLD, attack.champion), (NEW, attack.candidate)):
        shapes.append(path(f"curve {kind}", ((across.place(x), up.place(y)) for x, y in curve.points)))
    shapes += _legend(attack)
    described = f"area under the curve: old {told(attack.champion.area)}, new {told(attack.candidate.area)}"
    return drawing(_WIDTH, _HEIGHT, "Membership attack, old against new", described, shapes)


# --- private ---------------------------------------------------------------------------------------


def _frame(across: Scale, up: Scale) -> Iterable[Markup]:
    for tick in _TICKS:
        yield line("grid", across.place(tick), _TOP, across.place(tick), _TOP + _SIDE)
        yield line("grid", _LEFT, up.place(tick), _LEFT + _SIDE, up.place(tick))
        yield text("tick", across.place(tick), _TOP + _SIDE + 18, f"{tick:g}")
        yield text("tick end", _LEFT - 8, up.place(tick) + 4, f"{tick:g}")
    yield text("tick", _LEFT + _SIDE / 2, _TOP + _SIDE + 40, "never-seen cases called remembered")
    turned = Markup('<g transform="translate(16 {}) rotate(-90)">{}</g>')
    yield turned.format(_TOP + _SIDE / 2, text("tick", 0, 0, "forgotten cases called remembered"))


def _legend(attack: Attack) -> Iterable[Markup]:
    rows = ((OLD, "old version", attack.champion.area), (NEW, "new version", attack.candidate.area))
    for place, (kind, name, area) in enumerate(rows):
        y = _TOP + 30 + 64 * place
        yield path(f"curve {kind}", ((_LEGEND, y), (_LEGEND + 44, y)))
        yield text("gate", _LEGEND + 54, y + 4, name)
        yield text("number", _LEGEND + 54, y + 22, f"AUC {told(area)}")
    y = _TOP + 30 + 128
    yield path("chance", ((_LEGEND, y), (_LEGEND + 44, y)))
    yield text("gate", _LEGEND + 54, y + 4, "guessing")
    yield text("number", _LEGEND + 54, y + 22, "AUC 0.500")
