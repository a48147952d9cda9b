"""What a plan touches, against what the champion learned, and what of the policy's limits that uses.

The limits count the whole forget set: what a match pulled in and every exact copy included. A plan
that goes beyond one of them stops here, before any training.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from maintain.cohort import Standing
from maintain.errors import LimitError
from maintain.records import PlannedCase, RoleTable, TrainingManifest
from maintain.vocabulary import Role
from maintain_policies import Limits

#: Stands for a device, label or study that is not known of a case.
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class Share:
    """How many of something the plan touches, of those that the champion learned from."""

    name: str
    touched: int
    learned: int

    @property
    def percent(self) -> float:
        """Touched in a hundred learned; zero where nothing was learned."""
        return 100 * self.touched / self.learned if self.learned else 0.0


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit of the policy and what the plan uses of it; `most` is None where the policy sets none."""

    name: str
    used: float
    most: float | None
    of: str

    @property
    def exceeded(self) -> bool:
        """Whether the plan goes beyond it."""
        return self.most is not None and self.used > self.most


@dataclass(frozen=True, slots=True)
class Reach:
    """The plan's blast radius. `left_out`: learned cases that a retrain leaves out beside the forget set."""

    images: Share
    patients: Share
    studies: Share
    devices: tuple[Share, ...]
    labels: tuple[Share, ...]
    left_out: int
    limits: tuple[LimitUse, ...]


def measure_reach(roles: RoleTable, manifest: TrainingManifest, standings: Iterable[Standing], limits: Limits) -> Reach:
    """Count the forget set of a role table against everything that the manifest lists as learned."""
    refs = frozenset(manifest.learned)
    learned = tuple(row for row in roles.rows if row.ref in refs)
    known = {standing.case_id: standing for standing in standings}
    images = Share("images", sum(row.role is Role.FORGET for row in learned), len(learned))
    patients = _whole("patients", learned, lambda row: row.patient)
    labels = _shares(learned, lambda row: row.label or NOT_RECORDED)
    return Reach(
        images=images,
        patients=patients,
        studies=_whole("studies", learned, lambda row: _study(row, known)),
        devices=_shares(learned, lambda row: _device(row, known)),
        labels=labels,
        left_out=sum(row.role is Role.SUPPRESSED for row in learned),
        limits=_uses(limits, images, patients, labels),
    )


def refuse_excess(policy: str, reach: Reach) -> None:
    """Raise `LimitError`, naming every limit, when the plan would touch more than the policy declares."""
    said = [_excess(use) for use in reach.limits if use.exceeded]
    if said:
        raise LimitError(
            f"The policy {policy} would make the model forget {'; and '.join(said)}.",
            remedy="Narrow `forget.where`, or raise the limit in the policy if this is meant.",
        )


# --- private ---------------------------------------------------------------------------------------


def _study(row: PlannedCase, known: Mapping[str, Standing]) -> str:
    standing = known.get(row.case_id)
    return f"{NOT_RECORDED} {row.case_id}" if standing is None else standing.study


def _device(row: PlannedCase, known: Mapping[str, Standing]) -> str:
    standing = known.get(row.case_id)
    return NOT_RECORDED if standing is None else standing.device or NOT_RECORDED


def _whole(name: str, learned: tuple[PlannedCase, ...], key: Callable[[PlannedCase], str]) -> Share:
    """How many different ones there are; one is touched as soon as one of its images is."""
    touched = {key(row) for row in learned if row.role is Role.FORGET}
    return Share(name, len(touched), len({key(row) for row in learned}))


def _shares(learned: tuple[PlannedCase, ...], key: Callable[[PlannedCase], str]) -> tuple[Share, ...]:
    """Images of each kind that is touched, by name."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in learned:
        counts[key(row)][0] += row.role is Role.FORGET
        counts[key(row)][1] += 1
    return tuple(Share(name, touched, whole) for name, (touched, whole) in sorted(counts.items()) if touched)


def _uses(limits: Limits, images: Share, patients: Share, labels: tuple[Share, ...]) -> tuple[LimitUse, ...]:
    """Every limit of the language; where labels are not limited, the one that comes nearest to all of its cases."""
    most = limits.max_percent_of_any_label
    shown = labels if most is not None else sorted(labels, key=lambda label: -label.percent)[:1]
    return (
        LimitUse("max_patients", patients.touched, limits.max_patients, "patients"),
        LimitUse("max_percent", images.percent, limits.max_percent, "% of what the champion learned"),
        *(
            LimitUse("max_percent_of_any_label", label.percent, most, f"% of the label {label.name!r}")
            for label in shown
        ),
    )


def _excess(use: LimitUse) -> str:
    used = f"{use.used:.0f}" if use.name == "max_patients" else f"{use.used:.1f}"
    return f"{used} {use.of}, more than {use.name} {use.most:g}"
