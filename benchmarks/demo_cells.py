"""One cell of the demo's campaign: the whole demo with one seed, and how each of its stories ended."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Threads of every demo: two that share a busy core wait for each other.
THREADS = 1
#: The command as its entry point says it.
PROGRAM = "from maintain.cli.app import main; main()"


def played(seed: int) -> dict[str, Any]:
    """One whole demo: how each story ended, what the gates found, and what it cost."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="maintain-demo-") as place:
        command = [sys.executable, "-c", PROGRAM, "demo", place, "--seed", str(seed), "--json"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if not said.stdout:
            raise SystemExit(said.stderr)
        document = json.loads(said.stdout)
        if "stories" not in document:
            raise SystemExit(said.stdout)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        stories = {story["story"]: told(story) for story in document["stories"]}
    return {
        "exit": said.returncode,
        "as_meant": all(story["as_meant"] for story in document["stories"]),
        "seconds": round(time.perf_counter() - started, 1),
        "processor": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "stories": stories,
    }


def told(story: Mapping[str, Any]) -> dict[str, Any]:
    """How one story ended, with the gates and decisions of its last candidate."""
    folder = Path(story["report"]).parent
    verdicts = sorted(folder.glob("03*-verdict.json"))
    body = json.loads(verdicts[-1].read_text())["body"]
    first = json.loads(verdicts[0].read_text())["body"]
    candidates = sorted(folder.glob("02*-candidate.json"))
    decisions = json.loads(candidates[0].read_text())["body"]["decisions"]
    return {
        "as_meant": story["as_meant"],
        "ended": f"{story['state']} {story['method'] or '-'}",
        "method": story["method"],
        "state": story["state"],
        "excluded": story["excluded"],
        "failed": story["failed"],
        "gates": {gate["gate"]: gate["outcome"] for gate in body["gates"]},
        "first": {gate["gate"]: gate["outcome"] for gate in first["gates"]},
        "first_reason": first["reason"],
        "figures": figures_of(first),
        "search": [[one["method"], one["chosen"], one["steps"], one["reason"]] for one in decisions],
    }


def figures_of(body: Mapping[str, Any]) -> dict[str, float]:
    """What the first candidate was measured to be: every figure of the gates of behaviour."""
    gates = ("retention", "held-out", "membership", "not-collapsed", "zero")
    return {
        f"{gate['gate']}: {figure['name']}": round(figure["value"], 4)
        for gate in body["gates"]
        if gate["gate"] in gates
        for figure in gate["figures"]
    }
