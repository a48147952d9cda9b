"""What a person writes into the ledger for good names no patient, with an issuer or without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.letters import PEOPLE, make_town, patient_id
from helpers.lineage import opened
from maintain.errors import InputError
from maintain_pipelines.context import Context
from maintain_pipelines.wording import check_reason


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with opened(make_town(tmp_path / "workspace")) as found:
        yield found


@pytest.mark.parametrize("number", [1, PEOPLE])
def test_a_patient_is_not_named_whoever_issued_the_identifier(context: Context, number: int) -> None:
    with pytest.raises(InputError, match="names a patient") as refused:
        check_reason(f"the letter of {patient_id(number)}, again", context)
    assert patient_id(number) not in refused.value.message + refused.value.remedy


def test_a_reason_without_anybody_is_taken(context: Context) -> None:
    check_reason("labels of site B were corrected", context)
