"""What every committed result carries: the machine, the code it belongs to, and whether that is today's.

A figure outlives the code that gave it. Run `python benchmarks/evidence.py` after changing what a result hangs
on: a table made by other code then says so at its top. A test fails while one does not.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from maintain.hashing import Digest, digest_file, digest_json, digest_lines
from maintain.unlearn import METHODS, resolve_options

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"

#: What an attempt on the bench hangs on, whatever the method: problem, network, screen, gates.
ATTEMPTS = (
    "maintain/gates/*.py",
    "maintain/hospital/*.py",
    "maintain/imaging/*.py",
    "maintain/measure/*.py",
    "maintain/statistics/*.py",
    "pipelines/maintain_pipelines/bench/attempts.py",
    "pipelines/maintain_pipelines/bench/desk.py",
    "pipelines/maintain_pipelines/bench/forge.py",
    "pipelines/maintain_pipelines/bench/problem.py",
    "pipelines/maintain_pipelines/bench/trainings.py",
    "pipelines/maintain_pipelines/bench/ward.py",
    "pipelines/maintain_pipelines/difficulty.py",
    "pipelines/maintain_pipelines/gathering.py",
    "pipelines/maintain_pipelines/judging.py",
    "pipelines/maintain_pipelines/measuring.py",
    "pipelines/maintain_pipelines/probing.py",
    "pipelines/maintain_pipelines/provenance.py",
    "pipelines/maintain_pipelines/screening/*.py",
)

#: Result -> the sources that its figures hang on, besides its own script.
HANGS_ON: Mapping[str, tuple[str, ...]] = {
    "demo_chain": (
        *ATTEMPTS,
        "benchmarks/demo_cells.py",
        "benchmarks/demo_seeds.txt",
        "maintain/scoring/*.py",
        "maintain/unlearn/**/*.py",
        "pipelines/maintain_pipelines/demo/*.py",
        "pipelines/maintain_pipelines/roles.py",
        "pipelines/maintain_pipelines/score.py",
        "pipelines/maintain_pipelines/search.py",
        "policies/examples/*/policy.yaml",
        "policies/maintain_policies/demo/*.yaml",
    ),
    "deeper_networks": (*ATTEMPTS, "benchmarks/method_cells.py", "benchmarks/deeper_cells.py"),
    "fashion_mnist": (
        "benchmarks/fashion_arms.py",
        "benchmarks/fashion_cases.py",
        "maintain/imaging/*.py",
        "maintain/intake/idx.py",
        "maintain/measure/recalibration.py",
        "maintain/unlearn/**/*.py",
    ),
    "finetune_control": (
        "maintain/hospital/*.py",
        "maintain/imaging/*.py",
        "maintain/unlearn/*.py",
        "benchmarks/hospital_memorises.py",
    ),
    "ham10000": (
        "benchmarks/ham_cases.py",
        "maintain/gates/*.py",
        "maintain/imaging/*.py",
        "maintain/measure/*.py",
        "maintain/statistics/*.py",
        "maintain/unlearn/**/*.py",
        "pipelines/maintain_pipelines/difficulty.py",
        "pipelines/maintain_pipelines/gathering.py",
        "pipelines/maintain_pipelines/measuring.py",
        "pipelines/maintain_pipelines/prospects.py",
        "pipelines/maintain_pipelines/screening/*.py",
        "pipelines/maintain_pipelines/search.py",
    ),
    "ham_adopted": (
        "benchmarks/ham10000.py",
        "benchmarks/ham_cases.py",
        "benchmarks/outside_training.py",
        "maintain/gates/*.py",
        "maintain/imaging/*.py",
        "maintain/imaging/adopting/*.py",
        "maintain/statistics/*.py",
        "maintain/unlearn/retrain.py",
        "maintain/unlearn/training.py",
        "pipelines/maintain_pipelines/adopting/*.py",
    ),
    "hospital_memorises": ("maintain/hospital/*.py", "maintain/imaging/*.py", "maintain/unlearn/*.py"),
    "interval_levels": (
        "maintain/statistics/arms.py",
        "maintain/statistics/attack.py",
        "maintain/statistics/clustered.py",
        "maintain/statistics/intervals.py",
        "maintain/statistics/metrics.py",
        "maintain/statistics/sandwich.py",
        "maintain/statistics/shares.py",
    ),
    "kill_campaign": (
        "pipelines/maintain_pipelines/*.py",
        "registry/maintain_registry/*.py",
        "tests/helpers/killing.py",
    ),
    "method_table": (*ATTEMPTS, "benchmarks/method_cells.py"),
    "verifier_trial": (
        "maintain/gates/*.py",
        "maintain/hospital/*.py",
        "maintain/imaging/[abchlnptw]*.py",
        "maintain/measure/*.py",
        "maintain/statistics/*.py",
        "maintain/unlearn/[a-bd-z]*.py",
        "pipelines/maintain_pipelines/bench/[!a]*.py",
        "pipelines/maintain_pipelines/difficulty.py",
        "pipelines/maintain_pipelines/gathering.py",
        "pipelines/maintain_pipelines/measuring.py",
        "pipelines/maintain_pipelines/provenance.py",
    ),
    "nights": (
        "benchmarks/nights_world.py",
        "maintain/cohort/erasing.py",
        "maintain/requests/*.py",
        "pipelines/maintain_pipelines/erasing/*.py",
        "pipelines/maintain_pipelines/jobs/*.py",
        "pipelines/maintain_pipelines/requests/*.py",
        "policies/maintain_policies/schedule.py",
    ),
    "psg_speed": (
        "benchmarks/fashion_cases.py",
        "benchmarks/reference_recipe.py",
        "maintain/imaging/*.py",
        "maintain/intake/idx.py",
        "maintain/unlearn/**/*.py",
    ),
    "mlflow_kills": (
        "pipelines/maintain_pipelines/destroy.py",
        "pipelines/maintain_pipelines/sweep.py",
        "pipelines/maintain_pipelines/weight_walk.py",
        "registry/maintain_registry/*.py",
        "registry/maintain_registry/mlflow_store/*.py",
    ),
}

#: Results whose cells name the code of their own method and are made again one by one: these hang on every method's
#: code and defaults and on what makes a cell, and not on the script, which counts and writes.
BY_METHOD = frozenset({"deeper_networks", "method_table"})

#: Results whose cells are made by a module that they hang on: their script only plays and tells.
TOLD_APART = frozenset({"demo_chain"})

#: What stands at the top of a table that other code made.
STALE = "> **Stale:** made by earlier code than this tree's; run the script again before leaning on a figure.\n\n"


def code_digest(name: str) -> Digest:
    """The digest of everything that a result hangs on, as it stands in this tree."""
    if name in BY_METHOD:
        return digest_json([sources_digest(HANGS_ON[name]), {method: _told(method) for method in METHODS}])
    script = () if name in TOLD_APART else (f"benchmarks/{name}.py",)
    return sources_digest((*HANGS_ON[name], *script))


def code_of(method: str) -> Digest:
    """The digest of what a method's cells hang on: the bench and the gates, the loop, and the method's own modules."""
    found: set[str] = set()
    waiting = {METHODS[method].target.partition(":")[0], *_COMMON}
    while waiting:
        module = waiting.pop()
        for path in _files(module):
            if path not in found:
                found.add(path)
                waiting |= set(_IMPORTED.findall((ROOT / path).read_text()))
    return sources_digest((*ATTEMPTS, *sorted(found)))


def sources_digest(patterns: Iterable[str]) -> Digest:
    """The digest of the sources that these patterns name, as they stand in this tree."""
    sources = [source for pattern in patterns for source in sorted(ROOT.glob(pattern))]
    return digest_lines(f"{source.relative_to(ROOT).as_posix()} {digest_file(source)}" for source in sources)


def machine(*, threads: int) -> dict[str, str | int]:
    """What figures were taken on."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count() or 0,
        "threads": threads,
        "torch": version("torch"),
        "python": platform.python_version(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def read_cells(path: Path, name: str) -> dict[str, dict[str, Any]]:
    """The cells that an earlier call left; cells of other code are never mixed with today's."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text())
    if document["code"] != code_digest(name):
        raise SystemExit(f"{path.name} belongs to other code: remove it, or name another folder with --out.")
    return dict(document["cells"])


def cells_of(path: Path, makers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The cells that an earlier call left and that the same makers made; whether each is today's, its code says."""
    document = json.loads(path.read_text()) if path.exists() else {}
    return dict(document["cells"]) if document.get("makers") == sources_digest(makers) else {}


def write_cells(path: Path, name: str, cells: Mapping[str, Mapping[str, Any]], *, threads: int) -> dict[str, Any]:
    """Write all cells so far with the machine and the code they belong to; returns the document."""
    document = {
        "schema": f"maintain.benchmark.{name.replace('_', '-')}",
        "version": 1,
        "machine": machine(threads=threads),
        "code": code_digest(name),
        "cells": cells,
    }
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    return document


def mark(results: Path = RESULTS) -> tuple[str, ...]:
    """Say in each table whether it was made by other code; returns the names of those that were."""
    stale = []
    for name in HANGS_ON:
        table = results / f"{name}.md"
        text = table.read_text().removeprefix(STALE)
        if json.loads((results / f"{name}.json").read_text())["code"] != code_digest(name):
            stale.append(name)
            text = STALE + text
        table.write_text(text)
    return tuple(stale)


# --- private ---------------------------------------------------------------------------------------

#: Modules of the unlearning room that every method goes through.
_COMMON = ("maintain.unlearn.base", "maintain.unlearn.training", "maintain.unlearn.witness")
#: How a module of that room imports another. The table's rows are left out: what they say is in the cell.
_IMPORTED = re.compile(r"^\s*from (maintain\.unlearn\.(?!table(?!\.row)|options)[a-z_.]+) import", re.MULTILINE)


def _files(module: str) -> tuple[str, ...]:
    """The files of a module of this repository, or of a package."""
    place = module.replace(".", "/")
    if (ROOT / f"{place}.py").exists():
        return (f"{place}.py",)
    return tuple(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / place).glob("*.py")))


def _told(method: str) -> list[Any]:
    """A method's code and its defaults."""
    return [code_of(method), {setting.name: setting.value for setting in resolve_options(METHODS[method], ())}]


if __name__ == "__main__":
    for outdated in mark():
        print(f"{outdated} is stale: python benchmarks/{outdated}.py makes it anew")
