"""What a synthetic hospital is made of: size, noise and difficulty, validated once at the door."""

from __future__ import annotations

from dataclasses import dataclass

from maintain.errors import InputError

#: Below 16 pixels a small lesion (radius .09 of the side) is narrower than three pixels: little to learn.
SMALLEST_SIDE = 16
#: Twice the recommended setting: the mean lesion is then half as visible and label noise decides everything.
HARDEST_DIFFICULTY = 2.0
#: Twice the recommended camera differences; beyond it colours saturate and nobody would believe it.
STRONGEST_CAMERA_SHIFT = 2.0
#: Above one half the recorded label is wrong more often than right, and a "diagnosis" means nothing.
LARGEST_LABEL_NOISE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalOptions:
    """The recipe of one hospital; the defaults are the demo's.

    Equal options draw equal pixels and write equal bytes: a benchmark names its data by options.

    Raises:
        InputError: A number is outside its range, or more patients withdraw than exist.
    """

    seed: int = 7
    patients: int = 1300
    variant_share: float = 0.20
    withdrawn_share: float = 0.30
    withdrawals: int = 12
    duplicates: int = 20
    patient_label_noise: float = 0.05
    image_label_noise: float = 0.08
    difficulty: float = 1.0
    camera_shift: float = 1.0
    side: int = 32

    def __post_init__(self) -> None:
        _refuse_outside("seed", self.seed, 0, None)
        _refuse_outside("patients", self.patients, 1, None)
        _refuse_outside("variant_share", self.variant_share, 0.0, 1.0)
        _refuse_outside("withdrawn_share", self.withdrawn_share, 0.0, 1.0)
        _refuse_outside("withdrawals", self.withdrawals, 0, self.patients)
        _refuse_outside("duplicates", self.duplicates, 0, self.patients)
        _refuse_outside("patient_label_noise", self.patient_label_noise, 0.0, LARGEST_LABEL_NOISE)
        _refuse_outside("image_label_noise", self.image_label_noise, 0.0, LARGEST_LABEL_NOISE)
        _refuse_outside("difficulty", self.difficulty, 0.0, HARDEST_DIFFICULTY)
        _refuse_outside("camera_shift", self.camera_shift, 0.0, STRONGEST_CAMERA_SHIFT)
        _refuse_outside("side", self.side, SMALLEST_SIDE, None)


def _refuse_outside(name: str, value: float, low: float, high: float | None) -> None:
    """Refuse a value outside [low, high]; a NaN is outside every range."""
    if value >= low and (high is None or value <= high):
        return
    allowed = f"at least {low}" if high is None else f"between {low} and {high}"
    raise InputError(
        f"The hospital's {name} cannot be {value}: it must be {allowed}.",
        remedy=f"Choose a {name} {allowed}.",
    )
