"""From a method's name to the method: the one place where an import path of the table is followed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from maintain.unlearn.base import Unlearner
from maintain.unlearn.options import method_info


def load_method(name: str) -> Unlearner:
    """The method of that name, ready to be asked. Raises `UnknownNameError` with the known ones."""
    module, _, kind = method_info(name).target.partition(":")
    make = cast("Callable[[], Unlearner]", getattr(importlib.import_module(module), kind))
    return make()
