"""The table of unlearning methods: names, claims, typed options; read without torch.

The policy loader, the command line and the documentation derive from this table, so a method that
is not in it does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maintain.errors import UnknownNameError
from maintain.options import fill_in
from maintain.records import Setting
from maintain.unlearn.table import ANEW, CONTROLS, PERTURBED, RELABELLING, RESETTING, RIVALS
from maintain.unlearn.table.row import MethodInfo

METHODS: Mapping[str, MethodInfo] = {
    info.name: info
    for info in sorted((*CONTROLS, *RELABELLING, *PERTURBED, *RESETTING, *RIVALS, *ANEW), key=lambda info: info.name)
}


def method_info(name: str) -> MethodInfo:
    """The row of that name. Raises `UnknownNameError` with the known ones."""
    if name not in METHODS:
        raise UnknownNameError("unlearning method", name, METHODS)
    return METHODS[name]


def resolve_options(info: MethodInfo, given: Sequence[Setting]) -> tuple[Setting, ...]:
    """Every option of the method, in the table's order: the given value, else the default.

    Raises:
        InputError: An option is unknown, given twice, of the wrong kind, or out of its range.
    """
    return fill_in(info.name, info.options, given)
