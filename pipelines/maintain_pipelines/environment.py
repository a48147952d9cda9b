"""Where a run computes, written into its plan.

The same weights are promised only on the same machine, device and thread count, so these are part
of the plan and not of a log. The machine is named by a digest: host names do not leave the site.
"""

from __future__ import annotations

import os
import platform
from dataclasses import fields
from importlib.metadata import version

from maintain import __version__
from maintain.hashing import digest_bytes, short
from maintain.records import Environment
from maintain.settings import Workspace
from maintain.vocabulary import Precision


def describe_environment(workspace: Workspace) -> Environment:
    """The machine, device, threads and versions of this process."""
    return Environment(
        machine=short(digest_bytes(platform.node().encode())),
        processor=platform.machine(),
        device=pick_device(),
        threads=pick_threads(workspace),
        python=platform.python_version(),
        torch=version("torch"),
        maintain=__version__,
        precision=Precision(workspace.settings.compute.precision),
    )


def drift(planned: Environment, present: Environment) -> tuple[str, ...]:
    """Every fact in which two environments differ, as `name: planned, now present`."""
    pairs = ((field.name, getattr(planned, field.name), getattr(present, field.name)) for field in fields(Environment))
    return tuple(f"{name}: {before}, now {after}" for name, before, after in pairs if before != after)


def pick_device() -> str:
    """`cuda` when there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def pick_threads(workspace: Workspace) -> int:
    """Threads by `maintain.toml`, else by OMP_NUM_THREADS, else every core this process may use."""
    if workspace.settings.compute.threads > 0:
        return workspace.settings.compute.threads
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0))
