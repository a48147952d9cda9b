"""The cohort of a policy's test, filed as a real one: cases, sides, a snapshot that was learned, and what came after.

Everything goes through the stores that serve a workspace, in the order of real life, so that a policy is tested
against the selection that it will meet, and never against another telling of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from maintain import __version__, codec
from maintain.clock import timestamp
from maintain.cohort import (
    Arrival,
    CohortStore,
    ConsentFact,
    LabelFact,
    SplitShares,
    record_splits,
    replace_scores,
    suppress,
    take_snapshot,
)
from maintain.database import UnitOfWork
from maintain.errors import InputError, PolicyError, Problem
from maintain.hashing import digest_bytes
from maintain.intake import normalise_device
from maintain.records import (
    Case,
    Device,
    ModelSpec,
    ModelVersion,
    Network,
    Origin,
    Snapshot,
    SnapshotMember,
    TrainingManifest,
)
from maintain.requests import About, Person, Request, RequestStore, usual_basis
from maintain.vocabulary import (
    ConsentStatus,
    FileStatus,
    Found,
    Head,
    ManifestStatus,
    OriginKind,
    Reason,
    Split,
    listed_as,
)
from maintain_pipelines.champions import Champion
from maintain_policies.testing import Membership, SampleCase, SampleCohort

#: The moment of everything that a test writes down.
MOMENT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

#: Who put the suppressed cases of a cohort on the list.
EARLIER_POLICY = "an earlier policy"

#: What the people of a test asked for.
ASKED_FOR = Reason.DATA_SUBJECT

#: How the scores of a cohort were computed: not at all.
GIVEN = "written by hand"


def stage_cohort(cohort: SampleCohort, model: str, unit: UnitOfWork) -> Champion:
    """File the cohort in an empty database and return the version that learned from it.

    Raises `PolicyError` where intake or the snapshot would refuse what the file says.
    """
    store = CohortStore(unit)
    source = store.source("dicom", "the cohort of a test", key_id="0" * 8)
    present = tuple(case for case in cohort.cases if _was_there(case))
    later = tuple(case for case in cohort.cases if not _was_there(case))
    _file(store, source, present, cohort)
    _record_labels(store, present, learned=True)
    sides = {case.patient: case.split for case in cohort.cases if case.split is not None}
    there = {case.patient for case in present}
    _record_sides(unit, model, {patient: side for patient, side in sides.items() if patient in there})
    snapshot = _snapshot(cohort, model, unit)
    _file(store, source, later, cohort)
    _record_sides(unit, model, {patient: side for patient, side in sides.items() if patient not in there})
    _record_labels(store, cohort.cases, learned=False)
    _record_scores(cohort.cases, unit)
    withdrawn = {case.patient: case.consent for case in cohort.cases if case.consent is not ConsentStatus.UNKNOWN}
    store.record_consents([ConsentFact(patient, status, None) for patient, status in withdrawn.items()])
    _file_requests(cohort, unit)
    _suppress(cohort, model, unit)
    return _champion(cohort, snapshot)


# --- private ---------------------------------------------------------------------------------------

#: Stands for weights and files that no test has.
_NO_DIGEST = "0" * 64


def _was_there(case: SampleCase) -> bool:
    """Whether the case was known when the champion was trained."""
    return case.membership is not Membership.NONE or case.split is Split.HOLDOUT


def _file(store: CohortStore, source: int, cases: Iterable[SampleCase], cohort: SampleCohort) -> None:
    cases = tuple(cases)
    problems = [problem for case in cases for problem in _device_problems(case, cohort)]
    arrivals = [Arrival(f"{case.name}.dcm", 1, 1, _case(case), 1, 1) for case in cases]
    for case, outcome in zip(cases, store.add(source, arrivals), strict=True):
        if outcome.status is not FileStatus.ACCEPTED:
            said = f"intake would not take the case {case.name!r}: {outcome.reason or outcome.status.value}"
            problems.append(cohort.sheet.problem(case.place, said))
    if problems:
        raise PolicyError(problems)


def _case(case: SampleCase) -> Case:
    manufacturer, model = normalise_device(case.manufacturer, case.model_raw or case.model)
    return Case(
        case_id=case.name,
        patient=case.patient,
        study=case.study,
        series=case.series,
        pixels=digest_bytes(case.picture.encode()),
        device=Device(manufacturer, model, case.model_raw or case.model, case.serial, case.station, case.software),
        eye=case.eye,
        sex=case.sex,
        age=case.age,
        study_date=case.study_date,
        site=case.site,
        consent=ConsentStatus.UNKNOWN,
        labels=(),
    )


def _device_problems(case: SampleCase, cohort: SampleCohort) -> Iterable[Problem]:
    """`device.model` is what intake makes of the header; a cohort that says otherwise tests nothing real."""
    _, model = normalise_device(case.manufacturer, case.model_raw or case.model)
    if case.model is not None and case.model != model:
        said = f"intake files the device of {case.name!r} as {model!r}, not {case.model!r}; say device.model_raw alone"
        yield cohort.sheet.problem(case.place, said)


def _record_labels(store: CohortStore, cases: Iterable[SampleCase], *, learned: bool) -> None:
    """Answers, oldest first: up to the one that the champion learned, or those that came after it."""
    by_version: dict[int, list[LabelFact]] = defaultdict(list)
    for case in cases:
        for name, values in case.labels:
            known = case.learned_version if _was_there(case) else 0
            for version, value in enumerate(values, start=1):
                if (version <= known) is learned:
                    by_version[version].append(LabelFact(case.name, name, value))
    for _, facts in sorted(by_version.items()):
        store.record_labels(facts, now=MOMENT)


def _record_scores(cases: Iterable[SampleCase], unit: UnitOfWork) -> None:
    by_name: dict[str, dict[str, float]] = defaultdict(dict)
    for case in cases:
        for name, value in case.scores:
            by_name[name][case.name] = value
    for name, values in by_name.items():
        replace_scores(unit, name, values, method=GIVEN, version=1, now=MOMENT)


def _record_sides(unit: UnitOfWork, model: str, sides: dict[str, Split]) -> None:
    record_splits(unit, model, sides, SplitShares(train=70, validation=10, holdout=20), seed=1, now=MOMENT)


def _snapshot(cohort: SampleCohort, model: str, unit: UnitOfWork) -> Snapshot:
    try:
        return take_snapshot(unit, name="learned", model=model, label_name=cohort.label, where=None, now=MOMENT)
    except InputError as error:
        said = f"no model could have been trained on this cohort: {error.message}"
        raise PolicyError([cohort.sheet.whole(said)]) from error


def _suppress(cohort: SampleCohort, model: str, unit: UnitOfWork) -> None:
    """What earlier policies barred: of a wrong label the first version, so that a corrected case may be there."""
    for case in cohort.cases:
        if case.suppressed is not None:
            listed = SnapshotMember(case.name, 1, "", case.patient, _case(case).pixels, case.split or Split.TRAIN)
            suppress(unit, [listed], reason=case.suppressed, policy=EARLIER_POLICY, model=model, now=MOMENT)


def _file_requests(cohort: SampleCohort, unit: UnitOfWork) -> None:
    """What people asked for before the policy runs: a request a patient and state, its copies elsewhere included."""
    store, cases = RequestStore(unit), CohortStore(unit)
    asked = dict.fromkeys((case.patient, state) for case in cohort.cases for state in case.requests)
    for patient, state in asked:
        own = cases.of_patient(patient)
        copies = cases.copies(own)
        request = Request(
            name=store.next_name(MOMENT.year),
            reason=ASKED_FOR,
            basis=usual_basis(ASKED_FOR),
            received=MOMENT.date(),
            due=MOMENT.date(),
            filed=timestamp(MOMENT),
            actor=EARLIER_POLICY,
            state=state,
            found=Found.IMAGES,
            images=len(own),
            copies=len(copies),
        )
        about = [*(About(case.case_id, False) for case in own), *(About(case.case_id, True) for case in copies)]
        store.file(request, [Person(1, patient, None, Found.IMAGES)], about, {})
        suppress(unit, [*own, *copies], reason=ASKED_FOR, policy=listed_as(request.name), model=None, now=MOMENT)


def _champion(cohort: SampleCohort, snapshot: Snapshot) -> Champion:
    """Version 1 as the registry would have it, its manifest made of the snapshot."""
    unlearned_names = {case.name for case in cohort.cases if case.membership is Membership.UNLEARNED}
    trained = [member.ref for member in snapshot.of(Split.TRAIN)]
    unlearned = tuple(ref for ref in trained if ref.case_id in unlearned_names)
    kind = OriginKind.CHECKPOINT if unlearned else OriginKind.INITIALISATION
    manifest = TrainingManifest(
        model=snapshot.model,
        status=ManifestStatus.PROVEN,
        origin=Origin(kind, _NO_DIGEST, _NO_DIGEST if unlearned else None),
        learned=tuple(ref for ref in trained if ref.case_id not in unlearned_names),
        unlearned=unlearned,
        selected_with=tuple(member.ref for member in snapshot.of(Split.VALIDATION)),
        snapshot=codec.digest_of(snapshot),
    )
    spec = ModelSpec(
        model=snapshot.model,
        network=Network("none"),
        input_shape=(),
        head=Head.SOFTMAX,
        label_name=snapshot.label_name,
        label_order=tuple(sorted({member.label for member in snapshot.members})),
        operating_threshold=None,
        preprocessing=(),
        recipe=None,
        manifest=codec.digest_of(manifest),
    )
    version = ModelVersion(
        model=snapshot.model,
        version=1,
        weights=_NO_DIGEST,
        spec=codec.digest_of(spec),
        manifest=spec.manifest,
        loader_log=None,
        parent=None,
        method="train",
        seed=1,
        code=__version__,
    )
    return Champion(version, spec, manifest)
