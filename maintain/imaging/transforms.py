"""The preprocessing chain: named, versioned steps from stored pixels to what a network reads.

A step's version changes whenever its numbers would, because a model that is fed differently is a
different model; the chain is part of what the integrity gate compares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from maintain.errors import InputError, UnknownNameError
from maintain.records import Scalar, Setting, Step

#: Largest value of a stored pixel: 8 bits.
_WHITE = 255.0
#: Half the range of a pixel after `to-float`: the default chain centres on it without looking at any data.
CENTRE = 0.5
#: Spread of the default chain: pixels then lie in [-1, 1].
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class Chain:
    """A checked chain. `apply` turns uint8 [N, H, W, C] into float [N, C, H, W]."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        """Refuse unknown steps, unknown options and a chain that does not begin with `to-float@1` at once."""
        for step in self.steps:
            _check_options(step)
        names = [step.name for step in self.steps]
        if names[:1] != [_FIRST] or names.count(_FIRST) != 1:
            raise InputError(
                f"A preprocessing chain begins with {_FIRST}@1, once.",
                remedy=f"Put {_FIRST}@1 first and only there.",
            )

    def apply(self, images: Tensor) -> Tensor:
        """Stored pixels as a network reads them. Raises `InputError` unless they are uint8 [N, H, W, C]."""
        _require_stored(images)
        return _run(self.steps, images)

    def pixels(self, images: Tensor) -> Tensor:
        """Stored pixels as float [N, C, H, W] in [0, 1] at the size the network reads: what may be perturbed.

        Raises:
            InputError: The images are not uint8 [N, H, W, C], or the chain resizes what is no pixel any more.
        """
        _require_stored(images)
        return _run(self.steps[: self._sized], images).clamp(0.0, 1.0)

    def standardised(self, pixels: Tensor) -> Tensor:
        """What the network reads of such pixels; differentiable. `standardised(pixels(x))` is `apply(x)`."""
        return _run(self.steps[self._sized :], pixels)

    @property
    def _sized(self) -> int:
        """How many steps there are up to the last resize. Refuses a chain that standardises before it."""
        sized = max((place for place, step in enumerate(self.steps, 1) if step.name == _RESIZE), default=1)
        if any(step.name not in _OF_PLACE for step in self.steps[:sized]):
            raise InputError(
                "This preprocessing resizes what is standardised already, so its pixels have no scale of their own.",
                remedy=f"Put {_RESIZE}@1 before the other steps; the network then reads the same up to rounding.",
            )
        return sized

    def check(self, images: Tensor, input_shape: tuple[int, ...]) -> None:
        """Refuse images that this chain would not bring to the shape the network reads."""
        found = tuple(self.apply(images[:1]).shape[1:])
        if found != input_shape:
            raise InputError(
                f"The images come out of preprocessing as {found}; the network reads {input_shape}.",
                remedy="Change the resize step or the channels of the cohort's images to fit the network.",
            )


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One row of the table: the options a step needs, what it does, and the function that does it."""

    options: tuple[str, ...]
    doc: str
    run: Callable[[Tensor, Mapping[str, Scalar]], Tensor]


def default_chain(side: int) -> tuple[Step, ...]:
    """The chain of a new model: to float, to a square of `side` pixels, centred on mid-range."""
    chain = (
        Step("to-float", 1),
        Step("resize", 1, (Setting("side", side),)),
        Step("standardise", 1, (Setting("mean", CENTRE), Setting("std", SPREAD))),
    )
    return Chain(chain).steps


# --- private ---------------------------------------------------------------------------------------

_FIRST = "to-float"
_RESIZE = "resize"

#: Steps that move values without changing what they mean.
_OF_PLACE = (_FIRST, _RESIZE, "transpose")

#: How `resize@2` may interpolate.
_MODES = ("area", "bilinear")


def _require_stored(images: Tensor) -> None:
    if images.dtype is not torch.uint8 or images.ndim != 4:
        raise InputError(
            f"Preprocessing takes uint8 [N, H, W, C], not {images.dtype} of {images.ndim} dimensions.",
            remedy="Pass the pixels as they are stored.",
        )


def _run(steps: tuple[Step, ...], batch: Tensor) -> Tensor:
    for step in steps:
        batch = STEPS[step.name, step.version].run(batch, _options(step))
    return batch


def _to_float(batch: Tensor, options: Mapping[str, Scalar]) -> Tensor:
    """Channels first, in [0, 1]."""
    return batch.permute(0, 3, 1, 2).to(torch.float32).div(_WHITE).contiguous()


def _standardise(batch: Tensor, options: Mapping[str, Scalar]) -> Tensor:
    """(x - mean) / std, one number for all channels or one each."""
    mean, std = (_per_channel(name, options[name], batch.shape[1]).to(batch.device) for name in ("mean", "std"))
    return (batch - mean) / std


def _resize(batch: Tensor, options: Mapping[str, Scalar]) -> Tensor:
    """Bilinear with antialiasing to a square; an image of that size already is left untouched."""
    side = options["side"]
    if not isinstance(side, int):
        raise _wrong("side", side, "a whole number of pixels")
    if batch.shape[2] == side and batch.shape[3] == side:
        return batch
    return functional.interpolate(batch, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def _resize_as(batch: Tensor, options: Mapping[str, Scalar]) -> Tensor:
    """Without antialiasing: `bilinear` reads four pixels, `area` averages all that fall on one (MONAI's default)."""
    side, mode = options["side"], options["mode"]
    if not isinstance(side, int) or mode not in _MODES:
        raise _wrong("mode", mode, f"one of {', '.join(_MODES)}")
    if batch.shape[2] == side and batch.shape[3] == side:
        return batch
    corners = False if mode == "bilinear" else None
    return functional.interpolate(batch, size=(side, side), mode=str(mode), align_corners=corners)


def _transpose(batch: Tensor, options: Mapping[str, Scalar]) -> Tensor:
    """Rows become columns."""
    return batch.transpose(2, 3).contiguous()


STEPS: Mapping[tuple[str, int], StepEntry] = {
    ("resize", 1): StepEntry(("side",), "Bilinear, antialiased resize to a square of `side` pixels.", _resize),
    ("resize", 2): StepEntry(
        ("side", "mode"),
        "Resize to a square of `side` pixels without antialiasing, `mode` bilinear or area, as MONAI does it.",
        _resize_as,
    ),
    ("standardise", 1): StepEntry(
        ("mean", "std"),
        "Subtract `mean`, divide by `std`: one number, or one a channel (`0.5,0.4,0.3`).",
        _standardise,
    ),
    ("to-float", 1): StepEntry((), "8-bit pixels to [0, 1], channels first.", _to_float),
    ("transpose", 1): StepEntry((), "Exchange rows and columns, as MONAI's readers of 2-D files do.", _transpose),
}


def _options(step: Step) -> dict[str, Scalar]:
    return {setting.name: setting.value for setting in step.options}


def _check_options(step: Step) -> None:
    entry = STEPS.get((step.name, step.version))
    if entry is None:
        raise UnknownNameError(
            "preprocessing step",
            f"{step.name}@{step.version}",
            [f"{name}@{version}" for name, version in STEPS],
        )
    options = _options(step)
    if set(options) != set(entry.options) or len(options) != len(step.options):
        raise InputError(
            f"The step {step.name}@{step.version} was given the options {sorted(options)}.",
            remedy=f"It needs exactly: {', '.join(entry.options) or 'none'}.",
        )
    _check_values(step.name, options)


def _check_values(name: str, options: Mapping[str, Scalar]) -> None:
    if name == "resize" and (type(options["side"]) is not int or options["side"] < 1):
        raise _wrong("side", options["side"], "a whole number of pixels, at least 1")
    if options.get("mode", _MODES[0]) not in _MODES:
        raise _wrong("mode", options["mode"], f"one of {', '.join(_MODES)}")
    if name == "standardise":
        _numbers("mean", options["mean"])
        if min(_numbers("std", options["std"])) <= 0:
            raise _wrong("std", options["std"], "above zero")


def _per_channel(name: str, value: Scalar, channels: int) -> Tensor:
    numbers = _numbers(name, value)
    if len(numbers) not in (1, channels):
        raise _wrong(name, value, f"one number, or one for each of {channels} channels")
    return torch.tensor(numbers, dtype=torch.float32).reshape(1, -1, 1, 1)


def _numbers(name: str, value: Scalar) -> list[float]:
    if isinstance(value, bool):
        raise _wrong(name, value, "a number")
    try:
        numbers = [float(part) for part in value.split(",")] if isinstance(value, str) else [float(value)]
    except ValueError as error:
        raise _wrong(name, value, "numbers separated by commas") from error
    if not all(math.isfinite(number) for number in numbers):
        raise _wrong(name, value, "finite")
    return numbers


def _wrong(name: str, value: Scalar, allowed: str) -> InputError:
    return InputError(f"The preprocessing option {name} cannot be {value!r}.", remedy=f"It must be {allowed}.")
