"""Whether a plan can be judged at all: refused here, before any training, is what no gate could ever pass.

The claim `examples` says that cases are forgotten and their group is still read. Where every learned case of a
device model or of a label goes, nothing is left to read it by, and only the claim `group` can be judged.
"""

from __future__ import annotations

from collections.abc import Iterable

from maintain.cohort import Standing
from maintain.errors import InputError
from maintain.gates import reads_group, whole_labels
from maintain.records import Plan, RoleTable
from maintain.vocabulary import Claim, Role


def refuse_whole_groups(claim: Claim, roles: RoleTable, cohort: Iterable[Standing]) -> None:
    """Raise `InputError` for the claim `examples` where no retained case is of a forgotten device model or label."""
    if claim is not Claim.EXAMPLES:
        return
    device_of = {case.case_id: case.device for case in cohort}
    forgotten, retained = roles.of(Role.FORGET), roles.of(Role.RETAIN)
    devices = {device_of.get(row.case_id) for row in forgotten} - {device_of.get(row.case_id) for row in retained}
    labels = {row.label for row in forgotten} - {row.label for row in retained}
    whole = [
        *(f"device model {device}" for device in sorted(device for device in devices if device)),
        *(f"label {label}" for label in sorted(label for label in labels if label)),
    ]
    if whole:
        raise InputError(
            f"Every learned case of {', '.join(whole)} would be forgotten, so the claim `examples` cannot be judged:"
            " nothing is retained by which the group could still be read.",
            remedy="Say `claim: group`, or narrow the policy so that some of these cases are retained.",
        )


def refuse_unjudged_group(plan: Plan, roles: RoleTable) -> None:
    """Raise `InputError` where retention shall include a forget group that nobody reads, or all of a label."""
    included = any(
        setting.name == "include_forget_group" and setting.value is True
        for request in plan.gates
        for setting in request.options
    )
    if not included:
        return
    if not reads_group(plan):
        raise InputError(
            f"Retention shall include the forget group, but for the reason {plan.reason} its images are not read.",
            remedy="Leave `include_forget_group` out of the policy.",
        )
    if gone := whole_labels(roles):
        raise InputError(
            f"Retention shall include the forget group, but the model shall stop answering {', '.join(sorted(gone))}.",
            remedy="Leave `include_forget_group` out of the policy.",
        )
