"""The verifier on trial: problems that must be memorised, forged run folders, impostors, and honest candidates.

Nothing here is used by a run. Names are resolved when first used, because most of these modules load torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain_pipelines.bench.attempts import (
        Attempt,
        Behaviour,
        Cost,
        attempt,
        behaviour_of,
        never_seen_accuracy,
        short_retrain,
        whole_label,
    )
    from maintain_pipelines.bench.desk import EXAMPLES, GROUP, NEVER_SAW, Desk, Story, desk_of
    from maintain_pipelines.bench.forge import Forgery, Judged, judge
    from maintain_pipelines.bench.forging import jittered
    from maintain_pipelines.bench.honest import HONEST, Honest
    from maintain_pipelines.bench.impostors import IMPOSTORS, Impostor, leaking, references, retrained
    from maintain_pipelines.bench.problem import BenchCase, Problem, separable
    from maintain_pipelines.bench.trainings import Model, Trainings
    from maintain_pipelines.bench.verifier import (
        RUNS_PER_CHAMPION,
        Signal,
        Tally,
        Trial,
        champions_for,
        check_signal,
        judged_state,
        signal_of,
        tally,
        trial,
        verdict_of,
    )
    from maintain_pipelines.bench.ward import hospital

#: Module of this package -> the names it gives to the front door.
_HOMES: Mapping[str, tuple[str, ...]] = {
    "attempts": (
        "Attempt",
        "Behaviour",
        "Cost",
        "attempt",
        "behaviour_of",
        "never_seen_accuracy",
        "short_retrain",
        "whole_label",
    ),
    "desk": ("EXAMPLES", "GROUP", "NEVER_SAW", "Desk", "Story", "desk_of"),
    "forge": ("Forgery", "Judged", "judge"),
    "forging": ("jittered",),
    "honest": ("HONEST", "Honest"),
    "impostors": ("IMPOSTORS", "Impostor", "leaking", "references", "retrained"),
    "problem": ("BenchCase", "Problem", "separable"),
    "trainings": ("Model", "Trainings"),
    "verifier": (
        "RUNS_PER_CHAMPION",
        "Signal",
        "Tally",
        "Trial",
        "champions_for",
        "check_signal",
        "judged_state",
        "signal_of",
        "tally",
        "trial",
        "verdict_of",
    ),
    "ward": ("hospital",),
}

__all__ = [
    "EXAMPLES",
    "GROUP",
    "HONEST",
    "IMPOSTORS",
    "NEVER_SAW",
    "RUNS_PER_CHAMPION",
    "Attempt",
    "Behaviour",
    "BenchCase",
    "Cost",
    "Desk",
    "Forgery",
    "Honest",
    "Impostor",
    "Judged",
    "Model",
    "Problem",
    "Signal",
    "Story",
    "Tally",
    "Trainings",
    "Trial",
    "attempt",
    "behaviour_of",
    "champions_for",
    "check_signal",
    "desk_of",
    "hospital",
    "jittered",
    "judge",
    "judged_state",
    "leaking",
    "never_seen_accuracy",
    "references",
    "retrained",
    "separable",
    "short_retrain",
    "signal_of",
    "tally",
    "trial",
    "verdict_of",
    "whole_label",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
