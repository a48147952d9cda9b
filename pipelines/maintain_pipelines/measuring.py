"""Which weights are asked about which cases, for one verdict; each once, filed by digest.

The plan decides: where no gate judges behaviour, no case of the forget group is read again, not even to
measure it. Weights that answer no finite numbers leave no rows, and no gate passes what was not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maintain.errors import NotEvaluatedError
from maintain.gates import reads_group
from maintain.hashing import Digest
from maintain.imaging import PixelSource, State, model_of, weights_digest
from maintain.measure import measure, recalibrated
from maintain.records import Measurement, ModelSpec, Plan, RoleTable
from maintain.vocabulary import Role

#: The gate that asks the candidate once more with batch statistics made anew.
RECALIBRATION = "bn-recalibration"


@dataclass(frozen=True, slots=True)
class Subject:
    """Weights that are asked, the digest under which their answers are filed, and the roles of the cases."""

    weights: Digest
    spec: ModelSpec
    state: State
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """The cases and their pixels, and the device that computes."""

    roles: RoleTable
    pixels: PixelSource
    device: str

    def answers(self, subject: Subject) -> tuple[Measurement, ...]:
        """What these weights say. Raises `NotEvaluatedError` for answers that are not finite."""
        return measure(
            model_of(subject.spec, subject.state),
            subject.spec,
            self.roles.of(*subject.roles),
            self.pixels,
            weights=subject.weights,
            device=self.device,
        )

    def made_anew(self, candidate: Subject) -> Subject | None:
        """The candidate after its batch statistics were made anew; itself where it has none, None where none can be."""
        network = model_of(candidate.spec, candidate.state)
        retained = self.roles.of(Role.RETAIN)
        try:
            state = recalibrated(network, candidate.spec, retained, self.pixels, device=self.device)
        except NotEvaluatedError:
            return None
        if state is None:
            return candidate
        return Subject(weights_digest(state), candidate.spec, state, candidate.roles)


def held_out_roles(plan: Plan) -> tuple[Role, ...]:
    """The roles of held-out cases that a verdict on this plan reads: each is a look at their patients."""
    return (Role.HOLDOUT, Role.NEVER_SEEN) if reads_group(plan) else (Role.HOLDOUT,)


def measured_roles(plan: Plan) -> tuple[Role, ...]:
    """The roles that champion, candidate and references are asked about."""
    return (Role.FORGET, *held_out_roles(plan)) if reads_group(plan) else held_out_roles(plan)


def lineage_roles(plan: Plan) -> tuple[Role, ...]:
    """The roles that the lineage's first version is asked about: what `retention` judges."""
    wants = any(
        setting.name == "include_forget_group" and setting.value is True
        for request in plan.gates
        for setting in request.options
    )
    return held_out_roles(plan) if wants else (Role.HOLDOUT,)


def asks_for(plan: Plan, gate: str) -> bool:
    """Whether the plan has a gate of that name."""
    return any(request.name == gate for request in plan.gates)


def once(subjects: Sequence[Subject]) -> tuple[Subject, ...]:
    """The same weights are asked once, as the first of their name."""
    first: dict[Digest, Subject] = {}
    for subject in subjects:
        first.setdefault(subject.weights, subject)
    return tuple(first.values())
