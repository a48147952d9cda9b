"""What a workspace holds: registered versions, pixels, intakes and runs that were not finished."""

from __future__ import annotations

import random
from collections.abc import Iterator

from maintain.arrays import ArrayStore
from maintain.clock import Clock, timestamp
from maintain.cohort import CohortStore
from maintain.errors import MaintainError
from maintain.settings import Workspace
from maintain_pipelines import journal
from maintain_pipelines.doctor.findings import Finding, note, problem, well
from maintain_pipelines.doctor.opening import reading
from maintain_pipelines.erasing import unfinished_erasures
from maintain_pipelines.states import is_end
from maintain_registry import irregularities, open_store, registered

#: Pictures that are read and hashed: with 200, a store of which 2 % is damaged is found out 98 times in 100.
SAMPLED_PICTURES = 200

#: Where an unfinished first training lies.
CHECKPOINT = "checkpoint.pt"

#: Where an unfinished reference lies.
REFERENCE_CHECKPOINTS = "checkpoints"


def check_registry(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Every version against its digests and its ledger entry, and what lies there without one."""
    store = open_store(workspace)
    with reading(workspace) as unit:
        found = irregularities(unit, store)
        count = sum(len(registered(unit, model)) for model in store.models())
    for item in found:
        yield (problem if item.serious else note)("registry", item.said, item.repair)
    foreign = store.foreign()
    if foreign:
        yield note(
            "registry",
            f"{foreign} files or folders in the registry are of no version (left by a kill, or put there by hand).",
            "The next registration removes its own leftovers; move away what then remains, and ask who put it there.",
        )
    if not any(item.serious for item in found):
        yield well("registry", f"{count} registered versions, each as its ledger entry says.")


def check_arrays(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """A sample of the cohort's pixels, another one at each asking, read and hashed."""
    store = ArrayStore(workspace.arrays)
    with reading(workspace) as unit:
        digests = sorted({case.pixels for case in CohortStore(unit).cases()})
    chance = random.Random(timestamp(clock.now()))
    sample = chance.sample(digests, min(SAMPLED_PICTURES, len(digests)))
    bad = [digest for digest in sample if not _is_whole(store, digest)]
    if bad:
        yield problem(
            "arrays",
            f"{len(bad)} of {len(sample)} sampled pictures are missing or damaged.",
            "Say `maintain cohort ingest` again for their sources: it reads what is missing. Remove damaged files"
            f" below arrays first, for example {bad[0][:2]}/{bad[0][:12]}….npy.",
        )
    else:
        yield well("arrays", f"{len(sample)} of {len(digests)} pictures were read and are whole.")


def check_intake(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Sources whose latest intake did not come to its end."""
    with reading(workspace) as unit:
        open_ones = CohortStore(unit).unfinished_sources()
    if open_ones:
        yield note(
            "intake",
            f"The latest intake of {open_ones} sources was interrupted (or is under way).",
            "Say the same `maintain cohort ingest` again; it reads only what is missing.",
        )
    else:
        yield well("intake", "Every intake came to its end.")


def check_runs(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Runs and first trainings that wait to be gone on with, and run folders that nobody knows."""
    with reading(workspace) as unit:
        rows = journal.runs(unit)
    for row in rows:
        if not is_end(row.state):
            yield note(
                "runs",
                f"The run {row.run} stands at {row.state}, since {row.changed}.",
                f"Go on with `maintain run --resume {row.run}`, or end it with `maintain runs abandon {row.run}`.",
            )
        if not (workspace.runs / row.run).is_dir():
            yield problem("runs", f"The folder of the run {row.run} is gone.", "Restore it from a backup.")
    yield from _stray_folders(workspace, {row.run for row in rows})
    if workspace.trainings.is_dir() and any(workspace.trainings.glob(f"*/{CHECKPOINT}")):
        yield note(
            "runs",
            "A first training was interrupted (or is under way).",
            "Say the same `maintain model train` again; it goes on from its last epoch.",
        )
    if workspace.references.is_dir() and any(workspace.references.glob(f"*/{REFERENCE_CHECKPOINTS}/*")):
        yield note(
            "runs",
            "A reference was interrupted (or is under way).",
            "Say the same `maintain reference train` or `maintain run --resume` again; it goes on from its last epoch.",
        )
    yield well("runs", f"{sum(is_end(row.state) for row in rows)} of {len(rows)} runs have ended.")


def check_erasures(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Erasures that were ordered and not shown to be carried out."""
    with reading(workspace) as unit:
        waiting = unfinished_erasures(unit)
    for request, entry in waiting:
        yield problem(
            "erasures",
            f"The erasure for {request} was ordered (ledger entry {entry}), and nobody has shown that nothing is left.",
            f"Say `maintain request close {request}` again: it goes on where it was stopped.",
        )
    if not waiting:
        yield well("erasures", "Every erasure that was ordered was carried out.")


# --- private ---------------------------------------------------------------------------------------


def _is_whole(store: ArrayStore, digest: str) -> bool:
    try:
        store.get(digest)
    except MaintainError:
        return False
    return True


def _stray_folders(workspace: Workspace, known: set[str]) -> Iterator[Finding]:
    if not workspace.runs.is_dir():
        yield problem("runs", "The folder of the runs is gone.", "Restore it from a backup, or make an empty one.")
        return
    strays = [item for item in workspace.runs.iterdir() if item.name not in known]
    if strays:
        yield note(
            "runs",
            f"{len(strays)} folders below runs belong to no run (a kill before the first entry leaves one).",
            "Look at them and remove them; no version came from them.",
        )
