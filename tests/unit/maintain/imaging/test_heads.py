from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from maintain.errors import InputError
from maintain.imaging import head_rule
from maintain.vocabulary import Head


@pytest.mark.parametrize("head", [Head.MULTI_LABEL, Head.BINARY, Head.ORDINAL])
def test_heads_that_are_not_built_are_refused(head: Head) -> None:
    with pytest.raises(InputError, match=head.value):
        head_rule(head)


def test_softmax_is_cross_entropy_and_the_largest_output() -> None:
    outputs = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0]])
    labels = torch.tensor([0, 1])
    by_hand = -torch.stack(
        [torch.log(torch.softmax(row, 0)[label]) for row, label in zip(outputs, labels, strict=True)]
    ).mean()
    assert_close(head_rule(Head.SOFTMAX).loss(outputs, labels), by_hand)
    assert head_rule(Head.SOFTMAX).decide(outputs).tolist() == [0, 2]
