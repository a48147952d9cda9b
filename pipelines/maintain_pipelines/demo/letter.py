"""The letter of the demo: one patient writes, the office files a request, and the next call of cron answers it.

Nothing is staged but the age of the policy's file: it lies there since yesterday, so three o'clock has struck since.
"""

from __future__ import annotations

import csv
import os
from datetime import timedelta
from pathlib import Path

from maintain.cohort import CohortStore
from maintain.errors import NotEvaluatedError
from maintain.intake import load_pseudonyms
from maintain.requests import RequestStore
from maintain.vocabulary import Reason
from maintain_pipelines.champions import load_champion
from maintain_pipelines.context import Context
from maintain_pipelines.demo.preparing import MODEL
from maintain_pipelines.jobs import Again, Load, run_due
from maintain_pipelines.requests import file_request, order_of

#: How long the policy that answers requests has been there: its schedule has struck once since.
SINCE = timedelta(days=1)


def receive_letter(hospital: Path, context: Context) -> str:
    """File the request of the first of the withdrawing patients whom the champion learned from; said again, the same.

    Returns its name. Raises `NotEvaluatedError` where the champion learned from none of them.
    """
    with context.database.read() as unit:
        known = RequestStore(unit).all()
    if known:
        return known[0].name
    identifier, issuer = _first_learned(hospital / "withdrawals.csv", context)
    order = order_of([identifier], context, reason=Reason.CONSENT, issuer=issuer)
    filed = file_request(order, context).request
    context.talk.say(f"The letter is filed as {filed.name}: nobody may use its {filed.images} images from now on.")
    return filed.name


def answer_letters(policy: Path, job: str, context: Context, *, load: Load) -> None:
    """What cron does at three: every job that is due. One that had its turn and failed runs once more."""
    laid = (context.clock.now() - SINCE).timestamp()
    os.utime(policy, (laid, laid))
    night = run_due(context, load=load, only=job)
    if not night.turns and not night.elsewhere and not night.interrupted:
        run_due(context, load=load, again=Again(job, "the demo is played once more"))


# --- private ---------------------------------------------------------------------------------------


def _first_learned(withdrawals: Path, context: Context) -> tuple[str, str]:
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    learned = {ref.case_id for ref in load_champion(context, MODEL).manifest.learned}
    with context.database.read() as unit:
        patients = {case.patient for case in CohortStore(unit).cases() if case.case_id in learned}
    with withdrawals.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    for identifier, issuer, *_ in rows:
        if pseudonyms.patient(identifier, issuer) in patients:
            return identifier, issuer
    raise NotEvaluatedError(
        "The champion learned from none of the patients who withdraw in this hospital.",
        remedy="Choose another --seed, or more --patients.",
    )
