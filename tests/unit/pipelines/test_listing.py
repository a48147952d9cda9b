"""Manifests that are searched as bytes answer as manifests that are decoded."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.lineage import manifest_of
from maintain import codec
from maintain.errors import RecordError
from maintain.records import CaseRef, TrainingManifest
from maintain_pipelines.listing import listed

#: Names as the cohort makes them, and names that no cohort has: brackets, quotes, list names, other alphabets.
NAMES = st.one_of(
    st.text("0123456789abcdef", min_size=4, max_size=4),
    st.text('ab"\\[]{},:é', max_size=6),
    st.sampled_from(["learned", '"learned":[', "triage", "proven", '"unlearned":[]', "]", "a}]", "{}]}"]),
)
REFS = st.lists(st.builds(CaseRef, NAMES, st.integers(1, 3)), max_size=8).map(lambda refs: tuple(sorted(set(refs))))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"learned":[],"unlearned":[],"selected_with":[]}', "\x00"])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        listed(text.encode(), ["a"])


@given(REFS, REFS, REFS, st.lists(NAMES, max_size=4))
def test_it_answers_as_the_decoded_manifest(
    learned: tuple[CaseRef, ...], unlearned: tuple[CaseRef, ...], selected: tuple[CaseRef, ...], others: list[str]
) -> None:
    manifest = dataclasses.replace(manifest_of(), learned=learned, unlearned=unlearned, selected_with=selected)
    asked = {*others, *(ref.case_id for ref in (*learned[:2], *unlearned[:2], *selected[:2]))}
    found = listed(codec.to_text(manifest).encode(), asked)
    slow = tuple({ref.case_id for ref in refs} & asked for refs in (learned, unlearned, selected))
    assert [set(names) for names in (found.learned, found.unlearned, found.selected_with)] == list(slow)
    assert (found.head.origin, found.head.status, found.head.model) == (
        manifest.origin,
        manifest.status,
        manifest.model,
    )


def test_a_name_inside_another_is_not_meant() -> None:
    text = codec.to_text(dataclasses.replace(manifest_of(), learned=(CaseRef("abcd", 1),))).encode()
    assert listed(text, ["abc", "bcd", "triage"]).learned == frozenset()
    assert listed(text, ["abcd"]).learned == {"abcd"}
    assert isinstance(listed(text, []).head, TrainingManifest)
