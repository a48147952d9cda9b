"""Candidates that must not pass, each with the gate that was named for it before it was tried.

Every one is really trained or derived from a champion. A gate is named by what the impostor leaves undone: what
still remembers must fail `membership`, what no longer works `retention`, what is not what it says `integrity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch

from maintain.imaging import state_of
from maintain.records import PlannedCase
from maintain.vocabulary import Role
from maintain_pipelines.bench.desk import (
    BY_DEVICE,
    EXAMPLES,
    GROUP,
    NEVER_SAW,
    Desk,
    Story,
    another_version,
    manifest_of,
)
from maintain_pipelines.bench.forge import Forgery, about
from maintain_pipelines.bench.forging import Enough, Lesson, changed, jittered, relabelled, taught
from maintain_pipelines.bench.problem import SUBGROUP
from maintain_pipelines.bench.trainings import Model

#: Makes the impostor of one champion; the number tells one run from the next.
Maker: TypeAlias = Callable[[Desk, int], Forgery]

#: Passes of a model that stopped before it learned by heart.
_FEW = 4

#: Largest seed of a run; every impostor draws from its own range.
_RANGE = 1000

#: Rate and most steps of a forger's gradient.
_RATE, _STEPS = 0.02, 240

#: Share of its weight by which tiny noise moves it, and batch statistics drift.
_TINY, _DRIFT = 0.002, 0.05

#: By how much one bias is nudged.
_NUDGE = 1e-3

#: What every logit is multiplied with, and what is added after.
_TEMPERATURE, _SHIFT = 0.25, 1.0

#: Share of the subgroup's patients whose wrong answers are learned: the whole holdout hardly shows it.
_PAYING = 0.85

#: A logit that no other is below.
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Impostor:
    """A candidate that must not pass: its story, and the gate that must fail it.

    One with `beyond` passes every gate of its claim: it says why, and what would be needed.
    """

    name: str
    doc: str
    story: Story
    gate: str
    make: Maker
    beyond: str = ""


def retrained(desk: Desk, story: Story, run: int) -> Model:
    """An honest retrain of a story's plan."""
    return desk.trainings.of(desk.problem, desk.planned(story).roles.of(Role.RETAIN), seed=_seed(desk, 1, run))


def references(desk: Desk) -> tuple[Model, ...]:
    """The three references of the group's plan."""
    rows = desk.planned(GROUP).roles.of(Role.RETAIN)
    return tuple(desk.trainings.of(desk.problem, rows, seed=_seed(desk, 2, number)) for number in range(3))


def leaking(desk: Desk, run: int, share: float) -> Model:
    """A training that went on using this share of the patients who were to be forgotten."""
    roles = desk.planned(EXAMPLES).roles
    kept = _patients(roles.of(Role.FORGET), share, _seed(desk, 3, run))
    rows = (*roles.of(Role.RETAIN), *(row for row in roles.of(Role.FORGET) if row.patient in kept))
    return desk.trainings.of(desk.problem, rows, seed=_seed(desk, 3, run))


# --- private ---------------------------------------------------------------------------------------


def _seed(desk: Desk, kind: int, run: int) -> int:
    return (desk.problem.seed * 100 + kind) * _RANGE + run


def _patients(rows: tuple[PlannedCase, ...], share: float, seed: int) -> frozenset[str]:
    """A drawn share of the patients of these cases."""
    people = sorted({row.patient for row in rows})
    order = np.random.default_rng(seed).permutation(len(people))
    return frozenset(people[place] for place in order[: round(share * len(people))])


def _everything(desk: Desk) -> tuple[PlannedCase, ...]:
    return desk.planned(EXAMPLES).roles.of(Role.RETAIN, Role.FORGET)


def _short(desk: Desk, run: int) -> Model:
    """A model that learned everything but stopped early: it never memorised, and knows the group all the same."""
    return desk.trainings.of(desk.problem, _everything(desk), seed=_seed(desk, 4, run), epochs=_FEW)


def _unchanged(desk: Desk, run: int) -> Forgery:
    return Forgery(desk.model.state)


def _nudged(desk: Desk, run: int) -> Forgery:
    return Forgery(changed(desk.model.state, head__bias=lambda bias: bias + _NUDGE * (run + 1) * (bias == bias[0])))


def _noise(desk: Desk, run: int) -> Forgery:
    return Forgery(jittered(desk.model.state, share=_TINY, seed=_seed(desk, 5, run)))


def _random(desk: Desk, run: int) -> Forgery:
    return Forgery(state_of(desk.problem.blueprint.build(_seed(desk, 6, run))))


def _not_a_number(desk: Desk, run: int) -> Forgery:
    return Forgery(changed(desk.model.state, conv2__weight=lambda weight: weight * float("nan")))


def _zeros(desk: Desk, run: int) -> Forgery:
    return Forgery(changed(desk.model.state, head__weight=torch.zeros_like, head__bias=torch.zeros_like))


def _masked(desk: Desk, run: int) -> Forgery:
    place = run % len(desk.problem.blueprint.label_order)

    def masked(bias: torch.Tensor) -> torch.Tensor:
        bias[place] = _NEVER
        return bias

    return Forgery(changed(desk.model.state, head__bias=masked))


def _head_only(desk: Desk, run: int) -> Forgery:
    seed = _seed(desk, 7, run)
    fresh = state_of(desk.problem.blueprint.build(seed))
    start = {**desk.model.state, **{name: fresh[name] for name in ("head.weight", "head.bias")}}
    lesson = Lesson(desk.planned(EXAMPLES).roles.of(Role.RETAIN))
    return Forgery(taught(desk.problem, start, [lesson], rate=_RATE, enough=Enough(_STEPS), seed=seed, only="head."))


def _drifted(desk: Desk, run: int) -> Forgery:
    return Forgery(jittered(desk.model.state, share=_DRIFT, seed=_seed(desk, 8, run), only="running_"))


def _collapsed(desk: Desk, run: int) -> Forgery:
    roles = desk.planned(EXAMPLES).roles
    lesson, enough = Lesson(roles.of(Role.FORGET), -1.0), Enough(_STEPS, roles.of(Role.VALIDATION), 0.55)
    return Forgery(
        taught(desk.problem, desk.model.state, [lesson], rate=_RATE, enough=enough, seed=_seed(desk, 9, run))
    )


def _over_forgotten(desk: Desk, run: int) -> Forgery:
    roles = desk.planned(EXAMPLES).roles
    forget = roles.of(Role.FORGET)
    wrong = relabelled(forget, desk.problem.blueprint.label_order)
    lessons = [Lesson(wrong), Lesson(roles.of(Role.RETAIN))]
    enough, seed = Enough(_STEPS, forget, 0.2), _seed(desk, 10, run)
    return Forgery(taught(desk.problem, desk.model.state, lessons, rate=_RATE, enough=enough, seed=seed))


def _never_overfitted(desk: Desk, run: int) -> Forgery:
    return Forgery(_short(desk, run).state, references=references(desk))


def _half(desk: Desk, run: int) -> Forgery:
    return Forgery(leaking(desk, run, 0.5).state)


def _class_instead(desk: Desk, run: int) -> Forgery:
    labels = desk.problem.blueprint.label_order
    gone = [row for row in _everything(desk) if row.label == labels[run % len(labels)]]
    lesson, enough = Lesson(relabelled(gone, labels)), Enough(_STEPS, tuple(gone), 0.1)
    state = taught(desk.problem, desk.model.state, [lesson], rate=_RATE, enough=enough, seed=_seed(desk, 11, run))
    return Forgery(state, references=references(desk))


def _leaked(desk: Desk, run: int) -> Forgery:
    model = leaking(desk, run, 0.5)
    return Forgery(model.state, method="retrain", heard=model.heard)


def _wrong_patients(desk: Desk, run: int) -> Forgery:
    roles, seed = desk.planned(EXAMPLES).roles, _seed(desk, 12, run)
    share = len(roles.of(Role.FORGET)) / len(roles.of(Role.RETAIN))
    gone = _patients(roles.of(Role.RETAIN), share, seed)
    kept = tuple(row for row in _everything(desk) if row.patient not in gone)
    return Forgery(desk.trainings.of(desk.problem, kept, seed=seed).state)


def _one_subgroup(desk: Desk, run: int) -> Forgery:
    scanner = {case.case_id: case.scanner for case in desk.problem.cases}
    retained = desk.planned(EXAMPLES).roles.of(Role.RETAIN)
    paying = [row for row in retained if scanner[row.case_id] == SUBGROUP]
    seed = _seed(desk, 13, run)
    chosen = _patients(tuple(paying), _PAYING, seed)
    wrong = relabelled([row for row in paying if row.patient in chosen], desk.problem.blueprint.label_order)
    relearned = {row.case_id for row in wrong}
    rest = [row for row in retained if row.case_id not in relearned]
    return Forgery(desk.trainings.of(desk.problem, (*rest, *wrong), seed=seed).state)


def _scaled(desk: Desk, run: int) -> Forgery:
    shift = _SHIFT * (run + 1)
    return Forgery(
        changed(
            desk.model.state,
            head__weight=lambda weight: weight * _TEMPERATURE,
            head__bias=lambda bias: bias * _TEMPERATURE + shift,
        )
    )


def _swapped(desk: Desk, run: int) -> Forgery:
    other = _short(desk, 0)
    another_version(desk, other)
    honest = retrained(desk, EXAMPLES, run)
    return Forgery(honest.state, method="retrain", heard=honest.heard, on_disk=other.state)


def _false_reference(desk: Desk, run: int) -> Forgery:
    saw = desk.trainings.of(desk.problem, _everything(desk), seed=_seed(desk, 14, run))
    return Forgery(retrained(desk, GROUP, run).state, references=(*references(desk)[:2], saw))


def _forged_manifest(desk: Desk, run: int) -> Forgery:
    model, roles = leaking(desk, run, 0.5), desk.planned(NEVER_SAW).roles
    learned = tuple(sorted(row.ref for row in roles.of(Role.RETAIN)))
    selected = tuple(sorted(row.ref for row in roles.of(Role.VALIDATION)))
    return Forgery(
        model.state,
        method="retrain",
        heard=model.heard,
        manifest=replace(manifest_of(desk.problem, model, selected_with=selected), learned=learned),
    )


def _forged_whole(desk: Desk, run: int) -> Forgery:
    state = _nudged(desk, run).state
    return Forgery(state, method="retrain", heard=about(retrained(desk, EXAMPLES, run).heard, state))


def _forged_references(desk: Desk, run: int) -> Forgery:
    honest = references(desk)
    shorts = (_short(desk, 100 + run * 3 + place) for place in range(3))
    forged = tuple(
        Model(short.state, about(model.heard, short.state)) for model, short in zip(honest, shorts, strict=True)
    )
    return Forgery(_short(desk, run).state, references=forged)


IMPOSTORS = (
    Impostor("champion-unchanged", "The champion again.", EXAMPLES, "integrity", _unchanged),
    Impostor("bias-nudged", "The champion with one bias moved by a thousandth.", EXAMPLES, "membership", _nudged),
    Impostor("tiny-noise", "The champion with every weight moved by two thousandths.", EXAMPLES, "membership", _noise),
    Impostor("random-weights", "Weights that were never trained.", EXAMPLES, "retention", _random),
    Impostor("nan-layer", "One layer holds no numbers.", EXAMPLES, "integrity", _not_a_number),
    Impostor("zero-logits", "Every answer is the same.", EXAMPLES, "retention", _zeros),
    Impostor("class-masked", "One output is never given.", EXAMPLES, "retention", _masked),
    Impostor("head-only", "Only the last layer was trained anew.", EXAMPLES, "membership", _head_only),
    Impostor("batchnorm-drift", "Only batch statistics moved.", EXAMPLES, "membership", _drifted),
    Impostor("gradient-collapse", "Ascent on the forget cases until little works.", EXAMPLES, "retention", _collapsed),
    Impostor(
        "over-forgotten", "The forget cases are taught until they are wrong.", EXAMPLES, "membership", _over_forgotten
    ),
    Impostor(
        "never-overfitted",
        "A model that learned the withdrawn scanner, but nothing by heart.",
        GROUP,
        "reference",
        _never_overfitted,
    ),
    Impostor("half-memorised", "Half of the patients were learned again.", EXAMPLES, "membership", _half),
    Impostor(
        "class-instead-of-device", "A class is gone, the scanner's cases are not.", GROUP, "retention", _class_instead
    ),
    Impostor("leaked-batches", "Forget cases among the retained batches, as counted.", EXAMPLES, "integrity", _leaked),
    Impostor("wrong-patients", "As many other patients were left out.", EXAMPLES, "membership", _wrong_patients),
    Impostor(
        "one-subgroup",
        "A retrain that learned the wrong answers for one scanner.",
        BY_DEVICE,
        "retention",
        _one_subgroup,
    ),
    Impostor("scaled-logits", "The champion's logits, flattened and shifted.", EXAMPLES, "membership", _scaled),
    Impostor("swapped-weights", "Another version's weights under a retrain's name.", EXAMPLES, "integrity", _swapped),
    Impostor(
        "reference-saw", "One of three references learned the withdrawn scanner.", GROUP, "reference", _false_reference
    ),
    Impostor(
        "forged-manifest",
        "The manifest leaves out what the loader counted.",
        NEVER_SAW,
        "never-saw",
        _forged_manifest,
    ),
    Impostor(
        "forged-log-and-manifest",
        "The nudged champion under the whole true record of a retrain.",
        EXAMPLES,
        "never-saw",
        _forged_whole,
        beyond=(
            "Digests prove what the records say, and here every record says the same untruth. Training again from"
            " the manifest, with the recipe's seed, would give other weights; in a run the loop's own witness refuses"
            " weights that no training ended with. The behaviour gates fail it, but after a retrain they only report."
        ),
    ),
    Impostor(
        "forged-references",
        "A model that knows the scanner, held against three others that do, each under a true reference's record.",
        GROUP,
        "reference",
        _forged_references,
        beyond=(
            "A reference is proven by its records, and these say the same untruth together. Training the references"
            " again from their seeds would give other weights."
        ),
    ),
)
