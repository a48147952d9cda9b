"""What no gate could pass is refused before training: whole groups as examples, and groups that nobody reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.behaviour import examples_evidence, label_evidence
from helpers.evidence import honest_evidence
from maintain.cohort import Standing
from maintain.errors import InputError
from maintain.gates import Evidence, request_for
from maintain.records import Plan, PlannedCase, RoleTable, Setting
from maintain.vocabulary import Claim, ConsentStatus, Role
from maintain_pipelines.judgeable import refuse_unjudged_group, refuse_whole_groups

#: Role, label and device of each case.
MIXED = (
    (Role.FORGET, "drusen", "Old 100"),
    (Role.RETAIN, "drusen", "Old 100"),
    (Role.RETAIN, "atrophy", "New 200"),
)


def refuse(*cases: tuple[Role, str, str | None], claim: Claim = Claim.EXAMPLES) -> None:
    rows = tuple(
        PlannedCase(f"case-{number}", 1, label, f"patient-{number}", "", role, "drawn")
        for number, (role, label, _) in enumerate(cases)
    )
    cohort = tuple(
        Standing(f"case-{number}", f"patient-{number}", "s", device, "", ConsentStatus.UNKNOWN, label, 1)
        for number, (_, label, device) in enumerate(cases)
    )
    refuse_whole_groups(claim, RoleTable(rows), cohort)


@pytest.mark.parametrize(
    ("case", "named"),
    [
        ((Role.FORGET, "drusen", "Older 50"), "device model Older 50"),
        ((Role.FORGET, "scar", "New 200"), "label scar"),
        ((Role.FORGET, "scar", "Older 50"), "device model Older 50, label scar"),
    ],
)
def test_a_device_or_a_label_that_goes_whole_is_refused(case: tuple[Role, str, str], named: str) -> None:
    with pytest.raises(InputError, match=f"Every learned case of {named} would be forgotten") as refused:
        refuse(*MIXED, case)
    assert "claim: group" in refused.value.remedy


def test_held_out_cases_do_not_keep_a_group() -> None:
    with pytest.raises(InputError, match="label scar"):
        refuse(*MIXED, (Role.FORGET, "scar", "Old 100"), (Role.HOLDOUT, "scar", "Old 100"))


def test_other_claims_and_parts_of_groups_are_not_refused() -> None:
    refuse(*MIXED)
    refuse(*MIXED, (Role.FORGET, "drusen", None))
    for claim in (Claim.GROUP, Claim.NEVER_SAW):
        refuse(*MIXED, (Role.FORGET, "scar", "Older 50"), claim=claim)
    refuse(*MIXED[1:])


def including(evidence: Evidence) -> Plan:
    request = request_for("retention", (Setting("include_forget_group", True),))
    others = tuple(gate for gate in evidence.plan.gates if gate.name != "retention")
    return replace(evidence.plan, gates=(*others, request))


def test_a_forget_group_that_nobody_reads_cannot_be_included() -> None:
    evidence = honest_evidence()
    with pytest.raises(InputError, match="its images are not read"):
        refuse_unjudged_group(including(evidence), evidence.roles)


def test_all_of_a_label_cannot_be_included() -> None:
    evidence = label_evidence()
    with pytest.raises(InputError, match="shall stop answering"):
        refuse_unjudged_group(including(evidence), evidence.roles)


def test_a_group_that_is_read_may_be_included() -> None:
    evidence = examples_evidence()
    refuse_unjudged_group(including(evidence), evidence.roles)
    refuse_unjudged_group(evidence.plan, evidence.roles)
