"""The duty of an image is the heaviest that any use of it asks for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maintain.requests import Uses, count_duties, duty_of
from maintain.vocabulary import Duty

CASES = st.frozensets(st.sampled_from([f"case-{number}" for number in range(8)]))


def test_what_nobody_used_is_erased_only() -> None:
    assert duty_of("case-1", Uses()) is Duty.ERASE_ONLY


@given(CASES, CASES, CASES, CASES, st.booleans())
def test_every_image_has_one_duty_and_the_heaviest(
    cases: frozenset[str], learned: frozenset[str], chosen: frozenset[str], looked: frozenset[str], unknown: bool
) -> None:
    uses = Uses(learned=learned, unknown=unknown, chosen=chosen, looked=looked)
    found = {count.duty: count.images for count in count_duties(cases, uses)}
    unlearn = cases if unknown else cases & learned
    assert found == {
        Duty.UNLEARN: len(unlearn),
        Duty.RE_EVALUATE: len((cases - unlearn) & (chosen | looked)),
        Duty.ERASE_ONLY: len(cases - unlearn - chosen - looked),
    }
