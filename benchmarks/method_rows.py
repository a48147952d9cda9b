"""Which rows the table of methods has: every method of the product, the retrains beside them, and some variants."""

from __future__ import annotations

from method_cells import SHORT, TOLD, Row

from maintain.records import Setting
from maintain.unlearn import METHODS

#: Hospitals, each with its own champion.
SEEDS = (11, 12, 13)
#: The yardstick of every figure, and the same from another seed.
RETRAIN, AGAIN = "retrain", "retrain, another seed"
#: The boundary search: on a part of a label it has a mode of its own, and its ancestor takes a single step.
PSG = "psg"
#: Methods that are also tried with other layers moving, on the whole label.
LAYERED = (PSG, "second-best-label", "random-label")


def rows_of(story: str) -> tuple[Row, ...]:
    """The lines of a story: the retrains, then every method that may make its claim, by name."""
    rows = [Row(RETRAIN, RETRAIN), Row(AGAIN, RETRAIN, run=1), Row(SHORT, RETRAIN)]
    rows += [Row(name, name) for name, info in METHODS.items() if TOLD[story].claim in info.claims and name != RETRAIN]
    if PSG in METHODS and story != "whole-label":
        rows.append(Row(f"{PSG}, selective", PSG, (Setting("mode", "selective"),), measured="held_out_share"))
    if PSG in METHODS and story == "whole-label":
        rows.append(Row(f"{PSG}, single step", PSG, (Setting("search_steps", 1), Setting("bisections", 0))))
    for name in LAYERED if story == "whole-label" else ():
        for option in METHODS[name].options if name in METHODS else ():
            others = [word for word in option.choices if option.name == "layers" and word != option.default]
            rows += [Row(f"{name}, layers {word}", name, (Setting("layers", word),)) for word in others]
    return tuple(rows)


def cell_name(story: str, seed: int, row: str) -> str:
    """What a cell is called."""
    return f"{story} {seed} {row}"
