"""Every package has one front door: a sorted `__all__` that is exactly what is there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

TOPS = ("maintain", "maintain_policies", "maintain_registry", "maintain_pipelines")


def packages() -> Iterator[str]:
    for top in TOPS:
        module = importlib.import_module(top)
        yield top
        for info in pkgutil.walk_packages(module.__path__, f"{top}."):
            if info.ispkg and "migrations" not in info.name:
                yield info.name


@pytest.mark.parametrize("name", sorted(packages()))
def test_the_front_door_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    offered = module.__all__
    assert offered == sorted(offered, key=_ruff_order)
    assert len(set(offered)) == len(offered)
    for member in offered:
        assert hasattr(module, member), member


def _ruff_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as the linter sorts them."""
    bare = name.lstrip("_")
    if bare.isupper():
        return 0, name
    return (1, name) if bare[:1].isupper() else (2, name)
