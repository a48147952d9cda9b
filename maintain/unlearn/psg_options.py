"""What the options of the method `psg` (perturbed sign gradient) mean together.

Their rows stand in the table, which is read without torch; here they are sorted by who uses them, and refused where
two contradict each other. What moves, how long and how fast are options that every method side by side has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from maintain.errors import InputError
from maintain.imaging.stages import Layers
from maintain.records import Scalar
from maintain.unlearn.boundary.options import Anneal, BoundaryOptions, StepRule, TargetKind, reference_options
from maintain.unlearn.course import Choice, Course, Norms
from maintain.unlearn.side_by_side import course_of_options
from maintain.unlearn.table.perturbed import PsgMode
from maintain.unlearn.table.row import RETAIN_BATCH

#: The reference's rate; its other figures are those of every course here (psg.md §1.5).
REFERENCE_RATE = 1e-5
#: A norm that no gradient has: the reference does not clip.
UNCLIPPED = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class PsgChoices:
    """The options of one request, sorted by who uses them: the search, the targets, the update.

    `held_out_share` is the share of forget cases that may stay answered as labelled: 0 in the mode `standard`.
    """

    mode: PsgMode
    held_out_share: float
    search: BoundaryOptions
    targets: TargetKind
    temperature: float
    remain: float
    retention_drop: float


def psg_choices(values: Mapping[str, Scalar]) -> PsgChoices:
    """The options as `resolve_options` filled them in. Raises `InputError` where two contradict each other."""
    _check(values)
    return PsgChoices(
        mode=PsgMode(str(values["mode"])),
        held_out_share=float(values["held_out_share"]),
        search=_search(values),
        targets=TargetKind(str(values["targets"])),
        temperature=float(values["temperature"]),
        remain=0.0 if values["replicate"] else float(values["remain"]),
        retention_drop=float(values["retention_drop"]),
    )


def psg_course(values: Mapping[str, Scalar]) -> Course:
    """The course side by side; where the reference is replicated, as it goes.

    The reference: every layer, its rate, no clipping, plain momentum, statistics learned from the batch, no stop.
    """
    course = course_of_options(values)
    if not values["replicate"]:
        return course
    return replace(
        course,
        learning_rate=REFERENCE_RATE,
        layers=Layers.ALL,
        norms=Norms.MIXED,
        clip_norm=UNCLIPPED,
        nesterov=False,
        choice=Choice.LAST,
    )


def shrink_course(options: Mapping[str, Scalar]) -> Course:
    """Steps on forgotten cases alone; retained ones are handed out beside them and weigh nothing."""
    return course_of_options({**options, "retain_batch": RETAIN_BATCH})


# --- private ---------------------------------------------------------------------------------------


def _search(values: Mapping[str, Scalar]) -> BoundaryOptions:
    closeness, noise = float(values["lambda"]), float(values["gamma"])
    if values["replicate"]:
        return reference_options(closeness=closeness, noise=noise)
    return BoundaryOptions(
        radius=float(values["radius"]),
        steps=int(values["search_steps"]),
        reach=float(values["reach"]),
        bisections=int(values["bisections"]),
        closeness=closeness,
        noise=noise,
        anneal=Anneal(str(values["anneal"])),
        rule=StepRule.LANGEVIN if values["langevin"] else StepRule.SIGN,
        discretise=bool(values["discretise"]),
    )


def _check(values: Mapping[str, Scalar]) -> None:
    selective, replicated = values["mode"] == PsgMode.SELECTIVE, bool(values["replicate"])
    share, remain, drop = (float(values[name]) for name in ("held_out_share", "remain", "retention_drop"))
    if selective and not share:
        raise _contradiction(
            "`selective` aims at how never-seen cases are answered, and `held_out_share` does not say how that is",
            "Set `held_out_share` to the share of never-seen cases like them that the champion answers as labelled.",
        )
    if share and not selective:
        raise _contradiction(
            "`standard` leaves no forget case its label, and `held_out_share` leaves some", "Use the mode `selective`."
        )
    if drop and not remain:
        raise _contradiction("A weight of 0 cannot rise with `retention_drop`", "Set `remain` above 0, such as 1.")
    if not remain and values["norms"] == Norms.MIXED and not replicated:
        raise _contradiction(
            "Without retained cases batch normalisation would learn from forget cases alone",
            "Set `remain` above 0, or `norms` to frozen.",
        )
    if replicated and (selective or drop or values["targets"] != TargetKind.HARD):
        raise _contradiction(
            "The reference that `replicate` repeats is `standard`, with hard targets and a weight that stays",
            "Leave `mode`, `targets` and `retention_drop` out.",
        )


def _contradiction(what: str, remedy: str) -> InputError:
    return InputError(f"These options of psg contradict each other: {what}.", remedy=remedy)
