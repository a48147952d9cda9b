"""Revisions: a champion's own weights moved by an objective, along a course, until validation says that it is enough.

Every behavioural method that steps is an objective and a course handed to `revise`; what a revision may start from,
what it may load and when it stops is decided here, once for all of them.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from maintain.codec import digest_of
from maintain.errors import RefusedError
from maintain.imaging.augmentation import NO_AUGMENTATION
from maintain.imaging.bank import bank_for
from maintain.imaging.blueprint import Blueprint, blueprint_of
from maintain.imaging.compute import check_precision
from maintain.imaging.loader import CaseLoader
from maintain.imaging.transforms import Chain
from maintain.unlearn.base import Unlearned, UnlearnRequest
from maintain.unlearn.course import Course, check_course
from maintain.unlearn.eligibility import Eligibility, revision_eligibility
from maintain.unlearn.feed import Feed
from maintain.unlearn.halving import halving
from maintain.unlearn.loop import Finished, run
from maintain.unlearn.objective import Objective
from maintain.unlearn.session import Training
from maintain.unlearn.start import read_start
from maintain.vocabulary import Role

#: What a leg of a revision is called.
LOOK = "look"


def eligible(request: UnlearnRequest, course: Course, *, method: str) -> Eligibility:
    """Whether this course can be gone from the champion's weights; every reason for and against."""
    return revision_eligibility(
        request.manifest, request.spec, request.roles, course, method=method, budget_steps=request.budget_steps
    )


def revise(
    method: str, request: UnlearnRequest, objective: Objective, course: Course, *, looks_at_forgotten: bool = False
) -> Unlearned:
    """The champion's weights after the course, at the look that the course chooses.

    With `looks_at_forgotten` the objective sees forgotten cases before the first step, and no step does.

    Raises:
        DamagedError: The parent's weights are not those that the request names.
        InputError: The method is not eligible, or the budget does not hold the course.
        RefusedError: Numbers stopped being finite, or not every forgotten case came into a step.
        WaitingError: It was asked to stop; the checkpoint is written.
    """
    eligible(request, course, method=method).require(method)
    check_course(course, budget_steps=request.budget_steps)
    check_precision(request.precision, request.device)
    blueprint = blueprint_of(request.spec)
    path = request.checkpoint_of(method)

    def attempt(batch_size: int) -> tuple[Feed, Finished]:
        share = batch_size / course.batch_size
        forget_batch = _scaled(course.forget_batch, share)
        tried = replace(course, batch_size=batch_size, forget_batch=forget_batch, precision=request.precision)
        feed = _feed(request, blueprint, tried, looks_at_forgotten=looks_at_forgotten)
        start = read_start(request.read_parent, weights=request.parent_weights, manifest=digest_of(request.manifest))
        training = Training(
            blueprint=blueprint,
            course=tried,
            objective=objective,
            feed=feed,
            seed=request.seed,
            augmentation=NO_AUGMENTATION,
            start=start,
            named=(method, *((setting.name, setting.value) for setting in request.options)),
            device=request.device,
            checkpoint=path,
            progress=request.progress,
            stop=request.stop,
            judge=request.judge,
            pay=request.witness.pay,
            leg=LOOK,
        )
        return feed, run(training)

    feed, done = halving(attempt, course.batch_size, checkpoint=path, say=request.say)
    if not feed.seen_whole:
        request.witness.pay(done.spent)
        raise RefusedError(
            "The training ended before every forgotten case came into a step.",
            remedy="Raise the method's `steps`, or its `forget_batch`.",
        )
    request.witness.hear(feed, done, recipe=None)
    return Unlearned(done.state)


def loader_of(request: UnlearnRequest, blueprint: Blueprint, role: Role, batch_size: int) -> CaseLoader:
    """The cases of one role as the request's network reads them. Raises `InputError` where it cannot, or for none."""
    cases = blueprint.loader_cases(request.roles.of(role), role)
    bank = bank_for(request.pixels, [case.pixels for case in cases], device=request.device)
    Chain(blueprint.preprocessing).check(bank.take(torch.tensor([0])), blueprint.input_shape)
    return CaseLoader(cases, bank, batch_size=batch_size, seed=request.seed)


# --- private ---------------------------------------------------------------------------------------


def _feed(request: UnlearnRequest, blueprint: Blueprint, course: Course, *, looks_at_forgotten: bool) -> Feed:
    retain = loader_of(request, blueprint, Role.RETAIN, course.batch_size)
    if not course.forget_batch and not looks_at_forgotten:
        return Feed(retain)
    size = course.forget_batch or course.batch_size
    return Feed(retain, loader_of(request, blueprint, Role.FORGET, size), steps_forget=not looks_at_forgotten)


def _scaled(batch: int, share: float) -> int:
    return max(1, round(batch * share)) if batch else 0
