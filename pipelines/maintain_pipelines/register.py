"""Verdict -> Registration: the version, its ledger entry and the suppression, all or nothing.

Nothing is registered unless the verdict passed, and what may have changed since the plan was made
is looked at again inside the transaction that writes the entry.
"""

from __future__ import annotations

from maintain import __version__, codec
from maintain.cohort import CohortStore, commitment, suppress
from maintain.database import UnitOfWork
from maintain.errors import RefusedError, StaleError
from maintain.records import Candidate, MatchTable, ModelSpec, ModelVersion, Registration, TrainingManifest, Verdict
from maintain.vocabulary import Outcome, Role, RunState
from maintain_pipelines import journal
from maintain_pipelines.answers import answers_file
from maintain_pipelines.barred import barred_since
from maintain_pipelines.champions import LOADER_LOG_FILE, MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.offer import Offer
from maintain_pipelines.roles import forget_set_digest
from maintain_pipelines.rundir import REGISTRATION, RunFolder
from maintain_pipelines.runlog import logged
from maintain_pipelines.suppress import besides_requests
from maintain_registry import OUTPUTS_FILE, UNNUMBERED, Content, Event, EventKind, Intent
from maintain_registry import register as register_version


@logged("register")
def register(offer: Offer, verdict: Verdict, matches: MatchTable, folder: RunFolder, context: Context) -> Registration:
    """Register a candidate that passed, once, however often it is said.

    Raises `RefusedError` when it did not pass, and `StaleError` when its ground has shifted.
    """
    folder.guard()
    if verdict.outcome is not Outcome.PASS or verdict.candidate != codec.digest_of(offer.candidate):
        raise RefusedError(
            "Only a candidate whose own verdict passed can be registered.",
            remedy="Look at the report of the run; the champion serves on.",
        )
    manifest = codec.read(folder.file(f"02-{MANIFEST_FILE}"), TrainingManifest, expected=offer.candidate.manifest)

    def also(unit: UnitOfWork) -> None:
        _refuse_stale(unit, manifest, offer.champion.spec.label_name)
        now = context.clock.now()
        matched = {match.case_id for match in matches.rows}
        suppress(
            unit,
            besides_requests(unit, (one for one in CohortStore(unit).cases() if one.case_id in matched), offer.plan),
            reason=offer.plan.reason,
            policy=offer.plan.policy,
            model=offer.plan.model,
            now=now,
        )
        journal.move(unit, offer.claim, RunState.REGISTERED, now=now, digest=codec.digest_of(verdict))

    version, entry = register_version(
        context.database, context.ledger, context.store, _intent(offer, verdict, folder, context), also=also
    )
    registration = Registration(
        verdict=codec.digest_of(verdict),
        model=version.model,
        version=version.version,
        weights=version.weights,
        alias=offer.plan.alias,
        entry=entry.number,
        entry_hash=entry.hash,
    )
    folder.write(REGISTRATION, registration)
    return registration


# --- private ---------------------------------------------------------------------------------------


def _intent(offer: Offer, verdict: Verdict, folder: RunFolder, context: Context) -> Intent:
    plan, candidate = offer.plan, offer.candidate
    version = ModelVersion(
        model=plan.model,
        version=UNNUMBERED,
        weights=candidate.weights,
        spec=candidate.spec,
        manifest=candidate.manifest,
        loader_log=candidate.loader_log,
        parent=plan.champion.version,
        method=candidate.method,
        seed=plan.seed,
        code=__version__,
        run=offer.run,
        policy=plan.policy,
        plan=codec.digest_of(plan),
        candidate=codec.digest_of(candidate),
        verdict=codec.digest_of(verdict),
        forget_set=forget_set_digest(offer.roles),
    )
    files: dict[str, Content] = {
        OUTPUTS_FILE: _answers(candidate, folder, context),
        WEIGHTS_FILE: folder.weights(candidate.weights),
        SPEC_FILE: folder.file(f"02-{SPEC_FILE}"),
        MANIFEST_FILE: folder.file(f"02-{MANIFEST_FILE}"),
        LOADER_LOG_FILE: folder.table("loader-log", candidate.loader_log),
        "plan.json": codec.to_text(plan).encode(),
        "verdict.json": codec.to_text(verdict).encode(),
    }
    return Intent(
        id=f"run:{offer.run}",
        version=version,
        files=files,
        alias=plan.alias,
        event=Event(EventKind.VERSION_REGISTERED, subject=plan.model, body=_body(offer, context)),
        expected_champion=plan.champion.version,
    )


def _answers(candidate: Candidate, folder: RunFolder, context: Context) -> bytes:
    spec = codec.read(folder.file(f"02-{SPEC_FILE}"), ModelSpec, expected=candidate.spec)
    return answers_file(spec, folder.weights(candidate.weights), candidate.weights, context)


def _body(offer: Offer, context: Context) -> dict[str, object]:
    """What the ledger says: counts, digests, and a salted commitment for each patient concerned."""
    forgotten = offer.roles.of(Role.FORGET)
    patients = sorted({row.patient for row in forgotten})
    with context.database.read() as unit:
        salts = CohortStore(unit).salts(tuple(patients))
    return {
        "claim": offer.plan.claim.value,
        "reason": offer.plan.reason.value,
        "policy_name": offer.plan.policy_name,
        "forgotten_cases": len(forgotten),
        "patients": sorted(commitment(salts[patient], patient) for patient in patients if patient in salts),
    }


def _refuse_stale(unit: UnitOfWork, manifest: TrainingManifest, label_name: str) -> None:
    """Refuse a candidate that learned from a case suppressed since its plan was made."""
    barred = barred_since(unit, manifest, label_name)
    if barred:
        raise StaleError(
            f"{barred.cases + barred.lost} of the cases this candidate learned from were suppressed while it was made.",
            remedy="Say `maintain run` again; the new plan leaves them out.",
        )
