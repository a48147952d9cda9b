from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain.errors import InputError
from maintain.imaging.batches import batch_bounds, batches_per_epoch


@pytest.mark.parametrize(("count", "size"), [(0, 4), (4, 0), (-1, 4)])
def test_nothing_and_empty_batches_are_refused(count: int, size: int) -> None:
    with pytest.raises(InputError, match="cannot be handed out"):
        batch_bounds(count, size)


@given(count=st.integers(1, 300), size=st.integers(1, 40))
def test_every_case_is_in_exactly_one_batch_and_none_is_alone(count: int, size: int) -> None:
    bounds = batch_bounds(count, size)
    assert [place for start, end in bounds for place in range(start, end)] == list(range(count))
    sizes = [end - start for start, end in bounds]
    assert max(sizes) <= size + 1
    assert count == 1 or size == 1 or min(sizes) > 1
    assert batches_per_epoch(count, size) == len(bounds)
