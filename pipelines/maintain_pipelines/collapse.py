"""Whether a plan leaves the model anything to know its forget group by.

The claim `examples` says that cases are forgotten and their group is still read. Where every learned case of a
device model or of a label goes, nothing is left to read it by, and only the claim `group` can be judged.
"""

from __future__ import annotations

from collections.abc import Iterable

from maintain.cohort import Standing
from maintain.errors import InputError
from maintain.records import RoleTable
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
