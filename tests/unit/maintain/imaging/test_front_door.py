from __future__ import annotations

import importlib
from types import ModuleType

import pytest

import maintain.imaging
import maintain.measure
import maintain.unlearn

ROOMS = (maintain.imaging, maintain.measure, maintain.unlearn)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.__name__))
def test_an_unknown_name_is_an_attribute_error(room: ModuleType) -> None:
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = room.absent


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.__name__))
def test_the_front_door_is_sorted_and_every_name_is_behind_it(room: ModuleType) -> None:
    names = list(room.__all__)
    assert sorted(names) == sorted(set(names))
    assert all(getattr(room, name) is not None for name in names)
    homes = getattr(room, "_HOMES", None)
    if homes is not None:
        assert sorted(name for listed in homes.values() for name in listed) == sorted(names)
        for module in homes:
            importlib.import_module(f"{room.__name__}.{module}")
