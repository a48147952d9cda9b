"""What the demo needs before its first story: a hospital, its cases in the cohort with scores, a champion. Done once.

Sized so that an honest run passes by statistics: the retired diagnosis, after camera and anatomy have left, needs
900 images of it learned and 900 held out before none of them can be shown to be under two in a hundred.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from maintain.cohort import snapshot_names
from maintain.errors import InputError
from maintain.hashing import digest_bytes
from maintain.hospital import HospitalOptions, build_hospital
from maintain.records import Network
from maintain.vocabulary import Alias, OutlierMethod
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.freeze import freeze_snapshot, split_lineage
from maintain_pipelines.ingest import ingest_source
from maintain_pipelines.score import score_outliers
from maintain_pipelines.train import TrainingOrder, train_first

#: The model of the stories; the example policies name it.
MODEL = "fundus-triage"

#: The answer that the champion learns. Images are scored within it too: against all others of its camera one atrophy
#: in ten would lie beyond the cut, and a disease is no variant of the anatomy.
LABEL = "diagnosis"

#: The snapshot that the champion learns.
SNAPSHOT = "first"

#: Shares of patients to train on, select with and hold out: power.md §5.
SHARES = (6, 1, 6)

#: The hospital's tables of labels.
LABELS = ("labels.csv", "anatomy.csv")

#: Share of patients of the camera that is withdrawn: half the hospital's usual one, for what follows needs the others.
WITHDRAWN_SHARE = 0.15

#: Patients who take back consent, so that some of them are left when camera and anatomy are gone.
WITHDRAWALS = 40

#: The demo's pseudonym key is no secret: it protects nobody, and a known key makes every demo alike.
_KEY_TEXT = "maintain demo: synthetic patients only, seed "

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
        HospitalOptions(
            patients=order.patients,
            seed=order.seed,
            withdrawn_share=WITHDRAWN_SHARE,
            withdrawals=min(WITHDRAWALS, order.patients),
        ),
        progress=lambda done, total: talk.progress("drawing", done, total),
    )
    staging.rename(folder)


def prepare_champion(hospital: Path, order: DemoOrder, context: Context) -> None:
    """Read the hospital in and train its first champion unless one serves."""
    if MODEL in context.store.models() and context.store.alias(MODEL, Alias.CHAMPION) is not None:
        return
    context.talk.say("Reading its DICOM files and labels into the cohort ...")
    ingest_source("dicom", hospital / "dicom", context)
    for labels in LABELS:
        ingest_source("labels", hospital / labels, context)
    context.talk.say("Scoring how unlike the others of its camera and diagnosis each image is ...")
    score_outliers(context, method=OutlierMethod.MAHALANOBIS, label=LABEL)
    split_lineage(MODEL, SHARES, order.seed, context)
    with context.database.read() as unit:
        known = SNAPSHOT in snapshot_names(unit)
    if not known:
        freeze_snapshot(SNAPSHOT, MODEL, LABEL, None, context)
    context.talk.say("Training the champion ...")
    train_first(TrainingOrder(MODEL, SNAPSHOT, Network("small-bn"), order.epochs, order.seed), context)
