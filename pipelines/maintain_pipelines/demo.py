"""The demo as a story of steps, each skipped when it was done before.

One synthetic hospital, one champion, one letter: a patient takes back consent, and the model is
retrained without the patient, proven, and registered. A demo that was killed goes on where it was.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from maintain.cohort import CohortStore, snapshot_names
from maintain.errors import InputError, NotEvaluatedError
from maintain.hashing import digest_bytes
from maintain.hospital import HospitalOptions, build_hospital
from maintain.intake import load_pseudonyms
from maintain.records import Network
from maintain.vocabulary import Alias, RunState
from maintain_pipelines import journal
from maintain_pipelines.champions import load_champion
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.freeze import freeze_snapshot, split_lineage
from maintain_pipelines.ingest import ingest_source
from maintain_pipelines.run import resume_run, run_policy
from maintain_pipelines.train import TrainingOrder, train_first
from maintain_policies import Policy

#: The model of the story; the example policy names it.
MODEL = "fundus-triage"

#: The snapshot of the story.
SNAPSHOT = "first"

#: Shares of patients to train on, select with and hold out: power.md §5, the smallest design with power.
SHARES = (6, 1, 6)

#: The demo's pseudonym key is no secret: it protects nobody, and a known key makes every demo alike.
_KEY_TEXT = "maintain demo: synthetic patients only, seed "

#: How a finished demo may have ended; one that failed or was killed is played on.
_ENDS = (RunState.REGISTERED, RunState.REJECTED, RunState.UNDECIDED)

#: Written last by the hospital, so its presence says that the hospital is whole.
_LAST_FILE = "truth.jsonl"


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What `maintain demo` was asked for."""

    patients: int
    seed: int
    epochs: int


def demo_key(seed: int) -> bytes:
    """The pseudonym key of a demo workspace."""
    return bytes.fromhex(digest_bytes(f"{_KEY_TEXT}{seed}".encode()))


def prepare_hospital(folder: Path, order: DemoOrder, talk: Talk) -> None:
    """Draw the synthetic hospital of the demo unless it is there."""
    if (folder / _LAST_FILE).is_file():
        return
    if folder.exists():
        raise InputError(
            f"{folder.name} is there, but it is not a whole synthetic hospital.",
            remedy="Name another folder for the demo.",
        )
    talk.say(f"Drawing a synthetic hospital of {order.patients} patients ...")
    staging = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    build_hospital(
        staging,
        HospitalOptions(patients=order.patients, seed=order.seed),
        progress=lambda done, total: talk.progress("drawing", done, total),
    )
    staging.rename(folder)


def tell_story(hospital: Path, policy: Policy, order: DemoOrder, context: Context) -> str:
    """Every step from reading in to the end of the run. Returns the name of the run."""
    done = _finished_run(policy, context)
    if done is not None:
        context.talk.say("This demo was finished before; here is how it ended.")
        return done
    _read_in(hospital, context)
    _train_champion(order, context)
    _receive_letter(hospital, context)
    with context.database.read() as unit:
        begun = journal.unfinished(unit, MODEL)
    return (resume_run(begun.run, context) if begun else run_policy(policy, context)).run


# --- private ---------------------------------------------------------------------------------------


def _finished_run(policy: Policy, context: Context) -> str | None:
    with context.database.read() as unit:
        rows = journal.runs(unit)
    ended = [row.run for row in rows if row.policy == policy.digest and row.state in _ENDS]
    return ended[-1] if ended else None


def _read_in(hospital: Path, context: Context) -> None:
    context.talk.say("Reading its DICOM files and labels into the cohort ...")
    ingest_source("dicom", hospital / "dicom", context)
    ingest_source("labels", hospital / "labels.csv", context)


def _train_champion(order: DemoOrder, context: Context) -> None:
    if MODEL in context.store.models() and context.store.alias(MODEL, Alias.CHAMPION) is not None:
        return
    split_lineage(MODEL, SHARES, order.seed, context)
    with context.database.read() as unit:
        known = SNAPSHOT in snapshot_names(unit)
    if not known:
        freeze_snapshot(SNAPSHOT, MODEL, "diagnosis", None, context)
    context.talk.say("Training the champion ...")
    train_first(TrainingOrder(MODEL, SNAPSHOT, Network("small-bn"), order.epochs, order.seed), context)


def _receive_letter(hospital: Path, context: Context) -> None:
    """The first of the withdrawing patients whom the champion learned from sends a letter."""
    letter = hospital.parent / "consent-withdrawal.csv"
    if not letter.is_file():
        header, row = _first_learned(hospital / "withdrawals.csv", context)
        text = "\n".join(",".join(line) for line in (header, row)) + "\n"
        letter.write_text(text, encoding="utf-8")
    context.talk.say("A letter arrives: one patient takes back consent.")
    ingest_source("consent", letter, context)


def _first_learned(withdrawals: Path, context: Context) -> tuple[list[str], list[str]]:
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    learned = {ref.case_id for ref in load_champion(context, MODEL).manifest.learned}
    with context.database.read() as unit:
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
    with withdrawals.open(encoding="utf-8", newline="") as stream:
        header, *rows = list(csv.reader(stream))
    for row in rows:
        if pseudonyms.patient(row[0], row[1]) in patients:
            return header, row
    raise NotEvaluatedError(
        "The champion learned from none of the patients who withdraw in this hospital.",
        remedy="Choose another --seed, or more --patients.",
    )
