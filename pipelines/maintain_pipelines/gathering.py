"""Everything that the gates may see of one candidate, gathered from its run folder, the registry and the pixels.

Every digest is recomputed from the files as they lie. Neither ledger nor database nor journal is touched, so a
forged folder can be judged by the same code as an honest one.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from maintain import codec
from maintain.errors import NotEvaluatedError
from maintain.gates import Ancestor, Evidence, FileCheck, ReferenceCheck, RunFile, WeightsCheck, reads_group
from maintain.hashing import Digest, digest_bytes, digest_file
from maintain.imaging import all_finite, blueprint_of, read_weights, read_weights_bytes, threads, weights_digest
from maintain.records import (
    Difficulty,
    Figure,
    LoaderLog,
    Measurement,
    Measurements,
    ModelSpec,
    Plan,
    Strata,
    TrainingManifest,
)
from maintain.unlearn import method_info
from maintain.vocabulary import Claim, Role
from maintain_pipelines.champions import MANIFEST_FILE, SPEC_FILE, WEIGHTS_FILE, Champion, ancestors_of, first_of
from maintain_pipelines.context import Context, Talk
from maintain_pipelines.difficulty import difficulty_of
from maintain_pipelines.measuring import (
    RECALIBRATION,
    Questions,
    Subject,
    asks_for,
    lineage_roles,
    measured_roles,
    once,
)
from maintain_pipelines.offer import Offer
from maintain_pipelines.probing import ZERO, probe
from maintain_pipelines.references import StoredReference, asks_for_references, references_for
from maintain_pipelines.rundir import CANDIDATE, PLAN, RunFolder


@dataclass(frozen=True, slots=True)
class Gathered:
    """The evidence, and the two tables of it that are written beside the verdict."""

    evidence: Evidence
    measurements: Measurements
    difficulty: Difficulty | None


def gather(offer: Offer, folder: RunFolder, context: Context) -> Gathered:
    """Read, recompute and measure what the plan's gates judge.

    Weights that are not finite, or answer so, are not measured, and nothing beside them: `integrity` then fails.
    """
    spec = codec.read(folder.file(f"02-{SPEC_FILE}"), ModelSpec)
    environment = context.elsewhere or offer.plan.environment
    with threads(environment.threads):
        state = read_weights(folder.weights(offer.candidate.weights))
        candidate = Subject(offer.candidate.weights, spec, state, measured_roles(offer.plan))
        held = _held_against(offer, context)
        weights = _weights_check(offer, candidate, folder, context)
        questions = Questions(offer.roles, context.arrays, environment.device)
        found = _measured(offer.plan, candidate, held, questions, context.talk) if weights.finite else None
    weights, found = replace(weights, finite=found is not None), found or _Measured()
    evidence = replace(
        _evidence(offer, weights, folder, ancestors=_ancestors(offer, context)),
        measurements=Measurements(found.rows),
        difficulty=found.difficulty,
        strata=_strata(offer, folder),
        first=held.first.weights if held.first else None,
        recalibrated=found.recalibrated,
        references=tuple(reference.check for reference in held.references),
        probe=found.probe,
    )
    return Gathered(evidence, evidence.measurements, evidence.difficulty)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """The models that a candidate is held against. `first` is None where the champion is the first version."""

    champion: Subject
    first: Subject | None
    references: tuple[_Reference, ...]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A model that never saw the group, as it lies, and what proves it."""

    check: ReferenceCheck
    subject: Subject


@dataclass(frozen=True, slots=True)
class _Measured:
    """What was found by asking: every answer, and what gates are shown beside answers."""

    rows: tuple[Measurement, ...] = ()
    difficulty: Difficulty | None = None
    recalibrated: Digest | None = None
    probe: tuple[Figure, ...] = ()


def _held_against(offer: Offer, context: Context) -> _Held:
    plan = offer.plan
    champion = _registered(offer.champion, measured_roles(plan), context)
    first = first_of(context.store, offer.champion)
    kept = references_for(plan, offer.roles, offer.champion, context) if asks_for_references(plan) else ()
    return _Held(
        champion=champion,
        first=None if first is None else _registered(first, lineage_roles(plan), context),
        references=tuple(_reference(stored, plan) for stored in kept),
    )


def _registered(version: Champion, roles: tuple[Role, ...], context: Context) -> Subject:
    record = version.version
    data = context.store.get(record.model, record.version).read(WEIGHTS_FILE)
    return Subject(record.weights, version.spec, read_weights_bytes(data, expected=record.weights), roles)


def _reference(stored: StoredReference, plan: Plan) -> _Reference:
    """A reference with what proves it: the digest of its weights as they lie, the initial ones drawn again."""
    record, spec = stored.record, stored.spec
    check = ReferenceCheck(
        weights=record.weights,
        found=digest_file(stored.weights),
        spec=spec,
        manifest=stored.manifest,
        log=stored.log,
        initial=_initial(spec),
    )
    return _Reference(check, Subject(record.weights, spec, read_weights(stored.weights), measured_roles(plan)))


def _weights_check(offer: Offer, candidate: Subject, folder: RunFolder, context: Context) -> WeightsCheck:
    parent = context.store.get(offer.plan.model, offer.plan.champion.version).read(WEIGHTS_FILE)
    return WeightsCheck(
        candidate=folder.digest(folder.weights(offer.candidate.weights)) or "",
        parent=digest_bytes(parent),
        finite=all_finite(candidate.state),
        initial=_initial(candidate.spec),
    )


def _initial(spec: ModelSpec) -> Digest | None:
    """The initial weights drawn again from the recipe's seed; None without a recipe."""
    if spec.recipe is None:
        return None
    return weights_digest(blueprint_of(spec).build(spec.recipe.seed).state_dict())


def _measured(plan: Plan, candidate: Subject, held: _Held, questions: Questions, talk: Talk) -> _Measured | None:
    """All answers, or None where the candidate's own are not finite. Others that are not leave no rows."""
    anew = questions.made_anew(candidate) if asks_for(plan, RECALIBRATION) else None
    beside = (held.champion, anew, held.first, *(reference.subject for reference in held.references))
    subjects = once((candidate, *(subject for subject in beside if subject is not None)))
    steps = len(subjects) + 1
    rows: list[Measurement] = []
    for done, subject in enumerate(subjects):
        talk.progress("measuring", done, steps)
        try:
            rows += questions.answers(subject)
        except NotEvaluatedError:
            if subject is candidate:
                return None
    talk.progress("measuring", len(subjects), steps)
    measured = _Measured(
        rows=tuple(rows),
        difficulty=_difficulty(plan, questions),
        recalibrated=anew.weights if anew else None,
        probe=_probes(plan, candidate, held, questions),
    )
    talk.progress("measuring", steps, steps)
    return measured


def _difficulty(plan: Plan, questions: Questions) -> Difficulty | None:
    """How hard the cases of the group are; None where no gate asks, or where nothing can be said."""
    if not reads_group(plan):
        return None
    cases = questions.roles.of(Role.FORGET, Role.NEVER_SEEN)
    with contextlib.suppress(NotEvaluatedError):
        return difficulty_of(cases, questions.roles, questions.pixels)
    return None


def _probes(plan: Plan, candidate: Subject, held: _Held, questions: Questions) -> tuple[Figure, ...]:
    if not asks_for(plan, ZERO):
        return ()
    return (*probe("candidate", candidate, questions), *probe("champion", held.champion, questions))


def _strata(offer: Offer, folder: RunFolder) -> Strata | None:
    digest = offer.plan.strata
    return None if digest is None else folder.read_table("strata", digest, Strata)


def _ancestors(offer: Offer, context: Context) -> tuple[Ancestor, ...]:
    found = ancestors_of(context.store, offer.champion)
    return tuple(Ancestor(version.version.weights, version.manifest) for version in found)


def _evidence(offer: Offer, weights: WeightsCheck, folder: RunFolder, *, ancestors: tuple[Ancestor, ...]) -> Evidence:
    """What is said and what lies in the folder, before anything is measured."""
    candidate, method = offer.candidate, method_info(offer.candidate.method)
    return Evidence(
        plan=offer.plan,
        plan_digest=codec.digest_of(offer.plan),
        roles=offer.roles,
        slot=offer.slot,
        candidate=candidate,
        candidate_digest=codec.digest_of(candidate),
        champion_spec=offer.champion.spec,
        candidate_spec=codec.read(folder.file(f"02-{SPEC_FILE}"), ModelSpec),
        champion_manifest=offer.champion.manifest,
        candidate_manifest=codec.read(folder.file(f"02-{MANIFEST_FILE}"), TrainingManifest),
        log=codec.read(folder.table("loader-log", candidate.loader_log), LoaderLog),
        measurements=Measurements(()),
        weights=weights,
        files=_files(offer, folder),
        consumes_forget=method.consumes_forget,
        anew=Claim.NEVER_SAW in method.claims,
        ancestors=ancestors,
    )


def _files(offer: Offer, folder: RunFolder) -> tuple[FileCheck, ...]:
    candidate = offer.candidate
    checks = (
        (RunFile.PLAN, folder.file(PLAN), candidate.plan),
        (RunFile.ROLES, folder.table("roles", offer.plan.roles), offer.plan.roles),
        (RunFile.CANDIDATE, folder.file(CANDIDATE), codec.digest_of(candidate)),
        (RunFile.WEIGHTS, folder.weights(candidate.weights), candidate.weights),
        (RunFile.SPEC, folder.file(f"02-{SPEC_FILE}"), candidate.spec),
        (RunFile.MANIFEST, folder.file(f"02-{MANIFEST_FILE}"), candidate.manifest),
        (RunFile.LOADER_LOG, folder.table("loader-log", candidate.loader_log), candidate.loader_log),
    )
    return tuple(FileCheck(name.value, expected, folder.digest(path)) for name, path, expected in checks)
