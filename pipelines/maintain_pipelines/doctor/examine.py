"""The checks as a table, and the one place where a check that breaks becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from maintain.clock import Clock
from maintain.errors import MaintainError
from maintain.settings import Workspace
from maintain_pipelines.doctor import holdings, keys, machine, promises, trail, weights
from maintain_pipelines.doctor.findings import Finding, problem

#: Looks at one thing of a workspace.
Check: TypeAlias = Callable[[Workspace, Clock], Iterable[Finding]]

#: What can be asked without a workspace.
MACHINE_CHECKS: Mapping[str, Callable[[], Iterable[Finding]]] = {
    "program": machine.check_program,
    "device": machine.check_device,
}

#: What is asked of a workspace, in the order in which a person would.
CHECKS: Mapping[str, Check] = {
    "folder": machine.check_folder,
    "disk": machine.check_disk,
    "keys": keys.check_keys,
    "database": trail.check_database,
    "ledger": trail.check_ledger,
    "clock": trail.check_clock,
    "registry": holdings.check_registry,
    "weights": weights.check_weights,
    "arrays": holdings.check_arrays,
    "intake": holdings.check_intake,
    "runs": holdings.check_runs,
    "requests": promises.check_requests,
    "erasures": holdings.check_erasures,
    "jobs": promises.check_jobs,
}


def examine(find: Callable[[], Workspace], clock: Clock) -> tuple[Finding, ...]:
    """Every finding of every check; `find` says where the workspace is, and may refuse."""
    found = [finding for name, check in MACHINE_CHECKS.items() for finding in _guarded(name, check)]
    try:
        workspace = find()
    except MaintainError as error:
        return (*found, problem("workspace", error.message, error.remedy))
    for name, check in CHECKS.items():
        found += _guarded(name, lambda check=check: check(workspace, clock))  # type: ignore[misc]  # bound at once
    return tuple(found)


# --- private ---------------------------------------------------------------------------------------


def _guarded(name: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a check found before it broke, and that it broke: an unknown is a problem, never a pass."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except MaintainError as error:
        found.append(problem(name, error.message, error.remedy))
    except Exception as error:  # the message may hold anything; the class says enough
        found.append(
            problem(
                name,
                f"This could not be checked ({type(error).__name__}).",
                "Check that this user may read the whole workspace; if that is so, report it.",
            )
        )
    return found
