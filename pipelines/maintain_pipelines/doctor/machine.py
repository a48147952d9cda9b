"""The machine: Python and packages, the device, the folder's rights, the room on its disk."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from maintain import __version__
from maintain.clock import Clock
from maintain.settings import Workspace
from maintain_pipelines.doctor.findings import Finding, note, problem, well
from maintain_pipelines.environment import pick_threads

#: The distribution whose requirements are checked.
DISTRIBUTION = "clinical-maintain"

#: The oldest Python that this program runs on (`requires-python`).
OLDEST_PYTHON = (3, 11)

#: Where Linux says which driver of NVIDIA is loaded.
DRIVER_FILE = Path("/proc/driver/nvidia/version")

#: Sets of weights that a run keeps at once: candidate, optimiser state, checkpoint and the one before it,
#: a copy of the champion to measure, the registered copy.
COPIES_OF_WEIGHTS = 6

#: What a run writes beside its weights: role tables, logs, measurements, report; generous for a hospital.
RUN_BYTES = 256 << 20

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:[^;]*?>=\s*([0-9.]+))?[^;]*(;.*)?")


def check_program() -> Iterator[Finding]:
    """Python and every package that this program requires, with its version."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield problem("program", f"Python {platform.python_version()} is too old.", "Install Python 3.11 or newer.")
    try:
        wanted = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        wanted = []
        yield note("program", "This program runs from its source, not installed.", "Install it with pip.")
    versions = []
    for line in wanted:
        match = _REQUIREMENT.match(line)
        if match is None or match[3]:
            continue
        name, least = match[1], match[2]
        found = _installed(name)
        if found is None or (least and _numbers(found) < _numbers(least)):
            yield problem(
                "program",
                f"{name} {found or 'is absent'}; {least or 'any version'} or newer is needed.",
                "Install the locked packages: pip install -r requirements.lock",
            )
        else:
            versions.append(f"{name} {found}")
    yield well("program", f"maintain {__version__}, Python {platform.python_version()}, {', '.join(versions)}")


def check_device() -> Iterator[Finding]:
    """The accelerator that trainings would use, or that there is none."""
    import torch

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        present = torch.cuda.is_available()
    if present:
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        yield well("device", f"{name}: {_gigabytes(free)} of {_gigabytes(total)} free, CUDA {torch.version.cuda}")
    elif DRIVER_FILE.exists():
        built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
        yield note(
            "device",
            f"There is an NVIDIA driver, but torch {torch.__version__} (built {built}) cannot use it.",
            "Install a torch built for this driver, or a newer driver; until then the processor is used.",
        )
    else:
        yield well("device", f"No accelerator; trainings use the processor ({platform.machine()}).")


def check_folder(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Whether this user may write where work is written."""
    works = (workspace.runs, workspace.trainings, workspace.references)
    places = (workspace.root, workspace.arrays, workspace.registry, *works)
    closed = [place.name for place in places if place.exists() and not os.access(place, os.W_OK | os.X_OK)]
    if closed:
        yield problem(
            "folder",
            f"This user may not write {', '.join(closed)}.",
            "Give this user the right to write these folders, or run as their owner.",
        )
    else:
        yield well("folder", f"{workspace.root} can be written; {pick_threads(workspace)} threads for a training.")


def check_disk(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Free space against what one run writes at most."""
    free, need = shutil.disk_usage(workspace.root).free, _bytes_of_a_run(workspace)
    said = f"{_gigabytes(free)} free; a run needs up to {_gigabytes(need)}"
    repair = "Free some space, or move the workspace to a larger disk."
    if free < need:
        yield problem("disk", f"{said}, so the next run would fail.", repair)
    elif free < 2 * need:
        yield note("disk", f"{said}.", repair)
    else:
        yield well("disk", f"{said}.")


# --- private ---------------------------------------------------------------------------------------


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.10.0+cpu is (2, 10, 0)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _bytes_of_a_run(workspace: Workspace) -> int:
    weights = [path.stat().st_size for path in workspace.registry.rglob("weights.safetensors")]
    database = workspace.database.stat().st_size if workspace.database.is_file() else 0
    return COPIES_OF_WEIGHTS * max(weights, default=0) + database + RUN_BYTES


def _gigabytes(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
