"""Which jobs there are: every policy file of the workspace that says when it is due.

A job is known by its policy's name. What cannot be read stops no other job, and is told each time until it is mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from maintain.errors import InputError, PolicyError
from maintain_policies import Policy, Schedule

#: How a policy file ends.
ENDINGS = (".yaml", ".yml")

#: Reads one policy file; whoever knows the methods and gates hands it down.
Load: TypeAlias = Callable[[Path], Policy]


@dataclass(frozen=True, slots=True)
class Job:
    """A policy with its schedule. `laid` is when its file was last written."""

    name: str
    file: str
    policy: Policy
    schedule: Schedule
    laid: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of which no job can be made, and why."""

    file: str
    told: str


@dataclass(frozen=True, slots=True)
class Found:
    """Every job by name, and every file that may be one and cannot be read."""

    jobs: tuple[Job, ...]
    unreadable: tuple[Unreadable, ...]


def discover(folder: Path, load: Load) -> Found:
    """The jobs of a folder; what lies in folders below it belongs to tests.

    A folder that is not there is told like a file that cannot be read: with it every job would be gone in silence.
    """
    if not folder.is_dir():
        return Found((), (Unreadable(folder.name, "The folder of the policies is not there, so no job can be due."),))
    names = sorted(path.name for path in folder.iterdir())
    paths = [folder / name for name in names if name.endswith(ENDINGS) and not name.startswith(".")]
    read = [found for path in paths if (found := _read(path, load)) is not None]
    counts = Counter(found.name for found in read if isinstance(found, Job))
    jobs = [found for found in read if isinstance(found, Job) and counts[found.name] == 1]
    twice = [_twice(found, read) for found in read if isinstance(found, Job) and counts[found.name] > 1]
    broken = [found for found in read if isinstance(found, Unreadable)]
    return Found(
        jobs=tuple(sorted(jobs, key=lambda job: job.name)),
        unreadable=tuple(sorted((*broken, *twice), key=lambda one: one.file)),
    )


# --- private ---------------------------------------------------------------------------------------


def _read(path: Path, load: Load) -> Job | Unreadable | None:
    """What a file is; None where it has no schedule."""
    try:
        laid = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        policy = load(path)
    except PolicyError as error:
        count = len(error.problems)
        mistakes = f"{count} mistake{'s' if count != 1 else ''}"
        return Unreadable(path.name, f"It has {mistakes}; `maintain policy validate policies/{path.name}` shows where.")
    except InputError as error:
        return Unreadable(path.name, f"{error.message} {error.remedy}".replace(str(path), path.name))
    except OSError as error:
        return Unreadable(path.name, f"It cannot be read ({error.strerror or type(error).__name__}).")
    return None if policy.schedule is None else Job(policy.name, path.name, policy, policy.schedule, laid)


def _twice(job: Job, read: list[Job | Unreadable]) -> Unreadable:
    files = ", ".join(sorted(other.file for other in read if isinstance(other, Job) and other.name == job.name))
    return Unreadable(
        job.file,
        f"More than one scheduled policy is called {job.name} ({files}); none of them runs. Rename all but one.",
    )
