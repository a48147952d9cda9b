"""Whether a method can be tried on a model at all: graded reasons, found before any time is spent.

Needs no torch, so that `plan` can say it on a machine that cannot train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from maintain.errors import InputError
from maintain.imaging.batches import batches_per_epoch
from maintain.records import ModelSpec, PlannedCase, Recipe, RoleTable, Setting, TrainingManifest
from maintain.unlearn.course import Course, check_course
from maintain.unlearn.options import method_info
from maintain.unlearn.recipes import check_recipe, require_recipe, steps_of
from maintain.vocabulary import ManifestStatus, Role


class Asked(Protocol):
    """What has to be known to say whether a method can be tried: a request has it all, and so has a plan."""

    @property
    def spec(self) -> ModelSpec:
        """The model that would be revised."""
        ...

    @property
    def manifest(self) -> TrainingManifest:
        """What it learned from."""
        ...

    @property
    def roles(self) -> RoleTable:
        """Every case of the plan with its role."""
        ...

    @property
    def options(self) -> tuple[Setting, ...]:
        """What is asked of the method; the rest are its defaults."""
        ...

    @property
    def seed(self) -> int:
        """The seed of the training."""
        ...

    @property
    def budget_steps(self) -> int:
        """The most optimiser steps that it may take."""
        ...


class Grade(StrEnum):
    """How much a reason weighs."""

    BLOCKING = "blocking"
    """The method cannot be used."""
    CAUTION = "caution"
    """It can, and the report must say this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, and what would mend it."""

    grade: Grade
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Every reason that was found; none that blocks means eligible."""

    reasons: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing blocks."""
        return not self.blocking

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The reasons that forbid the method."""
        return tuple(finding for finding in self.reasons if finding.grade is Grade.BLOCKING)

    def require(self, method: str) -> None:
        """Raise `InputError` with every blocking reason unless the method is eligible."""
        if self.blocking:
            raise InputError(
                f"{method} cannot be used here: {' '.join(finding.reason for finding in self.blocking)}",
                remedy=" ".join(finding.remedy for finding in self.blocking),
            )


def retrain_eligibility(
    spec: ModelSpec, manifest: TrainingManifest, retained: Sequence[PlannedCase], *, budget_steps: int
) -> Eligibility:
    """Whether the model's recipe can be repeated on these retained cases within the budget."""
    return Eligibility(
        (
            *_of_manifest(manifest),
            *_of_public_checkpoint(spec),
            *_of_recipe(spec.recipe, len(retained), budget_steps),
            *_of_cases(spec, retained),
        )
    )


def behavioural_eligibility(
    manifest: TrainingManifest, spec: ModelSpec, roles: RoleTable, recipe: Recipe | None, *, budget_steps: int
) -> Eligibility:
    """Whether this recipe can go on from the champion's own weights within the budget.

    Whatever the champion learned stays in its weights, so nothing that is suppressed may be among it.
    """
    retained = roles.of(Role.RETAIN)
    return Eligibility(
        (
            *_of_manifest(manifest),
            *_of_suppressed(manifest, roles),
            *_of_recipe(recipe, len(retained), budget_steps),
            *_of_cases(spec, retained),
        )
    )


def revision_eligibility(
    manifest: TrainingManifest, spec: ModelSpec, roles: RoleTable, course: Course, *, method: str, budget_steps: int
) -> Eligibility:
    """Whether this course can be gone from the champion's own weights; it needs no recipe."""
    return Eligibility(
        (
            *_of_manifest(manifest),
            *_of_head(spec, method),
            *_of_suppressed(manifest, roles),
            *_of_course(course, len(roles.of(Role.FORGET)), budget_steps),
            *_of_cases(spec, roles.of(Role.RETAIN)),
        )
    )


def unstepped_eligibility(manifest: TrainingManifest, spec: ModelSpec, roles: RoleTable, *, method: str) -> Eligibility:
    """Whether a method that takes no step can be tried on the champion's own weights; it costs no budget."""
    return Eligibility(
        (
            *_of_manifest(manifest),
            *_of_head(spec, method),
            *_of_suppressed(manifest, roles),
            *_of_cases(spec, roles.of(Role.RETAIN)),
        )
    )


# --- private ---------------------------------------------------------------------------------------


def _of_manifest(manifest: TrainingManifest) -> tuple[Finding, ...]:
    if manifest.status is ManifestStatus.UNKNOWN:
        return (
            _blocking(
                "Nobody says what this model learned from, so no case can be shown to be forgotten.",
                "Adopt the model again with a training manifest.",
            ),
        )
    if manifest.status is ManifestStatus.DECLARED:
        return (
            _caution(
                "What this model learned from was declared by its adopter, not proven.",
                "Train the model here to have it proven.",
            ),
        )
    return ()


def _of_public_checkpoint(spec: ModelSpec) -> tuple[Finding, ...]:
    if spec.public_checkpoint is None:
        return ()
    return (
        _caution(
            f"The model began from the public checkpoint {spec.public_checkpoint}; "
            "a retrain begins from random weights and may serve worse.",
            "Compare the retention figures before releasing.",
        ),
    )


def _of_suppressed(manifest: TrainingManifest, roles: RoleTable) -> tuple[Finding, ...]:
    learned = set(manifest.learned)
    kept = sum(row.ref in learned for row in roles.of(Role.SUPPRESSED))
    if not kept:
        return ()
    return (
        _blocking(
            f"The champion learned from {kept} cases that may no longer be used, and its weights would be kept.",
            "Retrain: end `unlearn.methods` with `retrain`.",
        ),
    )


def _of_recipe(recipe: Recipe | None, retained: int, budget_steps: int) -> tuple[Finding, ...]:
    try:
        known = require_recipe(recipe)
        check_recipe(known)
    except InputError as error:
        return (_blocking(error.message, error.remedy),)
    planned = steps_of(known, retained) if retained else 0
    if planned <= budget_steps:
        return ()
    return (
        _blocking(
            f"Training takes {planned} steps; the budget is {budget_steps}.",
            f"Raise `unlearn.budget.steps` to at least {planned}.",
        ),
    )


def _of_head(spec: ModelSpec, method: str) -> tuple[Finding, ...]:
    heads = method_info(method).heads
    if spec.head in heads:
        return ()
    return (
        _blocking(
            f"The method is not defined for the head {spec.head.value!r}.",
            f"It supports {', '.join(head.value for head in heads)}; retrain.",
        ),
    )


def _of_course(course: Course, forgotten: int, budget_steps: int) -> tuple[Finding, ...]:
    findings = []
    try:
        check_course(course, budget_steps=budget_steps)
    except InputError as error:
        findings.append(_blocking(error.message, error.remedy))
    whole = batches_per_epoch(forgotten, course.forget_batch) if course.forget_batch and forgotten else 0
    if course.steps < whole:
        findings.append(
            _blocking(
                f"{course.steps} steps do not see every one of {forgotten} forgotten cases.",
                f"Raise the method's `steps` to at least {whole}, or its `forget_batch`.",
            )
        )
    return tuple(findings)


def _of_cases(spec: ModelSpec, retained: Sequence[PlannedCase]) -> tuple[Finding, ...]:
    if not retained:
        return (_blocking("No case is retained, so there is nothing to train on.", "Narrow `forget.where`."),)
    counts = Counter(case.label for case in retained)
    findings = []
    unknown = sorted(set(counts) - set(spec.label_order))
    if unknown:
        findings.append(
            _blocking(
                f"Retained cases carry labels that the model does not know: {', '.join(unknown)}.",
                f"The model knows: {', '.join(spec.label_order)}.",
            )
        )
    empty = [label for label in spec.label_order if not counts[label]]
    if empty:
        findings.append(
            _caution(
                f"No retained case has the label {', '.join(empty)}; the retrain will never answer it.",
                "That is meant where a whole label is withdrawn; else narrow `forget.where`.",
            )
        )
    return tuple(findings)


def _blocking(reason: str, remedy: str) -> Finding:
    return Finding(Grade.BLOCKING, reason, remedy)


def _caution(reason: str, remedy: str) -> Finding:
    return Finding(Grade.CAUTION, reason, remedy)
