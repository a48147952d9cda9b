"""Trying a version before it serves: loaded from its own bytes, and asked.

What it answers about synthetic pictures is compared with what it answered when it was registered. A version that
is older than such records is only asked, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from maintain.cohort import CohortStore, load_snapshot_by_digest, suppressed
from maintain.errors import DamagedError, NotEvaluatedError
from maintain.hashing import Digest
from maintain.imaging import ANSWER_TOLERANCE, all_finite, model_of, read_weights_bytes, threads
from maintain.measure import measure
from maintain.records import Case, PlannedCase
from maintain.vocabulary import Role
from maintain_pipelines.answers import apart_from_registration
from maintain_pipelines.champions import WEIGHTS_FILE, Champion, load_version
from maintain_pipelines.context import Context
from maintain_pipelines.environment import pick_threads

#: Validation cases that are asked: enough to see that preprocessing, network and weights fit one another.
ASKED_CASES = 8


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was checked of a version: its files by digest, its tensors, and how many cases it answered.

    `apart` is how far its answers are from those of its registration, as a part of the largest; None where those
    were not recorded.
    """

    files: tuple[str, ...]
    tensors: int
    answered: int
    apart: float | None

    @property
    def outputs_compared(self) -> bool:
        """Whether its answers could be held against those of its registration."""
        return self.apart is not None

    def lines(self) -> list[str]:
        """The checks for a person, the one that could not be made included."""
        compared = "Not compared: its answers with those of its registration, which were not recorded yet."
        if self.apart is not None:
            compared = f"It answers synthetic pictures as when it was registered (apart by {self.apart:.1e})."
        answered = f"It answered {self.answered} of its validation cases with finite numbers."
        return [
            f"Read and as registered: {', '.join(self.files)}.",
            f"Its {self.tensors} tensors are finite and fit the network of its specification.",
            answered if self.answered else "None of its validation cases may still be used, so it was asked nothing.",
            compared,
        ]


def load_and_answer(model: str, number: int, context: Context) -> Rehearsal:
    """Load a version and ask it a few of the validation cases that may still be used; nothing is written.

    Raises `DamagedError` where a file, a tensor or an answer is not what a version that served must have.
    """
    stored = context.store.get(model, number)
    for name in stored.files:
        stored.read(name)
    version = load_version(context, model, number)
    state = read_weights_bytes(stored.read(WEIGHTS_FILE), expected=version.version.weights)
    if not all_finite(state):
        raise _unfit(model, number, "has weights that are not finite numbers")
    network = model_of(version.spec, state)
    cases = tuple(_usable(version, context))
    try:
        with threads(pick_threads(context.workspace)):
            apart = apart_from_registration(stored, network, version.spec)
            rows = measure(network, version.spec, cases, context.arrays, weights=version.version.weights)
    except NotEvaluatedError as error:
        raise _unfit(model, number, "does not answer with finite numbers") from error
    if apart is not None and apart > ANSWER_TOLERANCE:
        raise _unfit(model, number, f"answers synthetic pictures otherwise than when it was registered ({apart:.1e})")
    return Rehearsal(stored.files, len(state), len(rows), apart)


# --- private ---------------------------------------------------------------------------------------


def _usable(version: Champion, context: Context) -> Iterator[PlannedCase]:
    """The first validation cases that are in the cohort and barred by nobody."""
    refs = {ref.case_id: ref for ref in version.manifest.selected_with}
    label_name = version.spec.label_name
    with context.database.read() as unit:
        barred, cases = suppressed(unit, version.manifest.model), CohortStore(unit).cases()
    usable = [
        case
        for case in cases
        if case.case_id in refs and not barred.why(case, label_version=refs[case.case_id].label_version)
    ]
    own = _own_pictures(version, context)
    for case in usable[:ASKED_CASES]:
        yield PlannedCase(
            case_id=case.case_id,
            label_version=refs[case.case_id].label_version,
            label=_label(case, label_name),
            patient=case.patient,
            pixels=own.get(case.case_id, case.pixels),
            role=Role.VALIDATION,
            reason="",
        )


def _own_pictures(version: Champion, context: Context) -> Mapping[str, Digest]:
    """The pictures as the snapshot has them: an adopted model may read arrays that are not the cohort's."""
    if version.manifest.snapshot is None:
        return {}
    with context.database.read() as unit:
        snapshot = load_snapshot_by_digest(unit, version.manifest.snapshot)
    return {member.case_id: member.pixels for member in snapshot.members}


def _label(case: Case, name: str) -> str:
    label = case.label(name)
    return "" if label is None else label.value


def _unfit(model: str, number: int, what: str) -> DamagedError:
    return DamagedError(
        f"Version {number} of {model} {what}.",
        remedy="Do not let it serve: name another version, or take the model out of service with `suspend`.",
    )
