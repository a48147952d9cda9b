"""Preprocessing said in MONAI's names -> our versioned steps, or a refusal: never something like it.

Every transform of the list is either the identity on our stored pixels, moves pixels, or is an affine map of their
values. Resizing averages with weights of sum one, so affine maps may be taken past it: the steps come out as
`to-float`, the moves in their order, one `standardise`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from maintain.errors import InputError, nearest_name
from maintain.imaging.transforms import Chain
from maintain.records import Scalar, Setting, Step

#: What an option may be in a file: a value, or a list of them.
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None

#: The largest stored pixel; MONAI sees stored pixels as they are.
_WHITE = 255.0


@dataclass(frozen=True, slots=True)
class NamedTransform:
    """One transform of a list, with its options and the place where it stands."""

    name: str
    options: Mapping[str, Value]
    place: str


def chain_of(named: Sequence[NamedTransform]) -> tuple[Step, ...]:
    """The steps that do what the list does. Raises `InputError`, with its place, for what none of ours does."""
    if not named:
        raise InputError("The preprocessing names no transform.", remedy=f"Known: {', '.join(known_transforms())}.")
    state = _State((), (_WHITE,), (0.0,))
    for one in named:
        state = _entry(one)(one, state)
    return Chain((Step("to-float", 1), *state.moves, *_standardised(state))).steps


def known_transforms() -> tuple[str, ...]:
    """The names that a list may use, sorted."""
    return tuple(sorted(_TRANSFORMS))


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _State:
    """Moves so far, and the value now as `scale * x + shift` of a pixel x in [0, 1], one figure or one a channel."""

    moves: tuple[Step, ...]
    scale: tuple[float, ...]
    shift: tuple[float, ...]

    def moved(self, step: Step) -> _State:
        return _State((*self.moves, step), self.scale, self.shift)

    def mapped(self, factor: tuple[float, ...], offset: tuple[float, ...]) -> _State:
        """The value times the factor, plus the offset."""
        width = max(map(len, (self.scale, factor, offset)))
        scale, shift, factors, offsets = (_wide(part, width) for part in (self.scale, self.shift, factor, offset))
        return _State(
            self.moves,
            tuple(a * b for a, b in zip(scale, factors, strict=True)),
            tuple(a * b + c for a, b, c in zip(shift, factors, offsets, strict=True)),
        )


_Reader: TypeAlias = Callable[[NamedTransform, _State], _State]


def _entry(one: NamedTransform) -> _Reader:
    if one.name in _TRANSFORMS:
        return _TRANSFORMS[one.name]
    if one.name.startswith("Rand"):
        raise InputError(
            f"{one.place}: {one.name} changes pictures at random.",
            remedy="Leave it out: it belongs to training, and answers would not be the same twice.",
        )
    nearest = nearest_name(one.name, known_transforms())
    meant = f" The nearest is {nearest}." if nearest else ""
    raise InputError(
        f"{one.place}: the transform {one.name} is not on the list.{meant}",
        remedy=f"Allowed: {', '.join(known_transforms())}. For anything else give its results with --arrays.",
    )


def _read(one: NamedTransform, **defaults: Value) -> dict[str, Value]:
    """The options with their defaults. Raises `InputError` for one that is not among them."""
    for name in one.options:
        if name not in defaults:
            nearest = nearest_name(name, defaults)
            meant = f"; did you mean {nearest}?" if nearest else ""
            raise InputError(
                f"{one.place}: {one.name} has no option {name} here{meant}",
                remedy=f"Its options: {', '.join(sorted(defaults)) or 'none'}.",
            )
    return {**defaults, **one.options}


def _identity(one: NamedTransform, state: _State) -> _State:
    """What only changes types or the place of the channels; our pixels have theirs already."""
    _read(one, channel_dim=None, dtype=None, data_type=None, track_meta=None, strict_check=None)
    return state


def _load_image(one: NamedTransform, state: _State) -> _State:
    """MONAI's readers of 2-D files give columns before rows unless they are told not to."""
    options = _read(
        one,
        reader=None,
        image_only=True,
        ensure_channel_first=False,
        dtype=None,
        reverse_indexing=True,
        swap_ij=True,
    )
    turned = [_boolean(one, name, options[name]) for name in ("reverse_indexing", "swap_ij")]
    return state.moved(Step("transpose", 1)) if all(turned) else state


def _transpose(one: NamedTransform, state: _State) -> _State:
    indices = _read(one, indices=None)["indices"]
    if indices == (0, 1, 2):
        return state
    if indices != (0, 2, 1):
        raise _wrong(one, "indices", "[0, 2, 1], which exchanges rows and columns")
    return state.moved(Step("transpose", 1))


def _resize(one: NamedTransform, state: _State) -> _State:
    options = _read(
        one, spatial_size=None, size_mode="all", mode="area", align_corners=None, anti_aliasing=False, dtype=None
    )
    if options["size_mode"] != "all":
        raise _wrong(one, "size_mode", "all")
    if options["mode"] not in ("area", "bilinear"):
        raise _wrong(one, "mode", "area or bilinear")
    if options["anti_aliasing"] is not False or options["align_corners"] not in (None, False):
        raise _wrong(one, "anti_aliasing and align_corners", "false")
    side, mode = _side(one, "spatial_size", options["spatial_size"]), str(options["mode"])
    return state.moved(Step("resize", 2, (Setting("side", side), Setting("mode", mode))))


def _resize_antialiased(one: NamedTransform, state: _State) -> _State:
    side = _side(one, "side", _read(one, side=None)["side"])
    return state.moved(Step("resize", 1, (Setting("side", side),)))


def _scale_range(one: NamedTransform, state: _State) -> _State:
    options = _read(one, a_min=None, a_max=None, b_min=0.0, b_max=1.0, clip=False, dtype=None)
    a_min, a_max, b_min, b_max = (_number(one, name, options[name]) for name in ("a_min", "a_max", "b_min", "b_max"))
    if a_max <= a_min or b_max <= b_min:
        raise _wrong(one, "a_min, a_max, b_min and b_max", "two ranges from lower to higher")
    values = [scale * pixel + shift for pixel in (0.0, 1.0) for scale, shift in _pairs(state)]
    if _boolean(one, "clip", options["clip"]) and (min(values) < a_min or max(values) > a_max):
        raise _wrong(one, "clip", "false where values lie outside a_min to a_max: clipping is not on the list")
    factor = (b_max - b_min) / (a_max - a_min)
    return state.mapped((factor,), (b_min - a_min * factor,))


def _normalise(one: NamedTransform, state: _State) -> _State:
    options = _read(one, subtrahend=None, divisor=None, nonzero=False, channel_wise=False, dtype=None)
    if options["nonzero"] is not False:
        raise _wrong(one, "nonzero", "false")
    if options["subtrahend"] is None or options["divisor"] is None:
        raise InputError(
            f"{one.place}: NormalizeIntensity without subtrahend and divisor depends on each picture.",
            remedy="Give both figures where they were fixed; else give its results with --arrays.",
        )
    mean, std = (_numbers(one, name, options[name]) for name in ("subtrahend", "divisor"))
    if max(len(mean), len(std)) > 1 and not _boolean(one, "channel_wise", options["channel_wise"]):
        raise _wrong(one, "channel_wise", "true where there is a figure for each channel")
    if min(std) <= 0:
        raise _wrong(one, "divisor", "above zero")
    width = max(len(mean), len(std))
    pairs = zip(_wide(mean, width), _wide(std, width), strict=True)
    return state.mapped(tuple(1 / figure for figure in _wide(std, width)), tuple(-a / b for a, b in pairs))


_TRANSFORMS: Mapping[str, _Reader] = {
    "EnsureChannelFirst": _identity,
    "EnsureType": _identity,
    "LoadImage": _load_image,
    "NormalizeIntensity": _normalise,
    "Resize": _resize,
    "ScaleIntensityRange": _scale_range,
    "ToTensor": _identity,
    "Transpose": _transpose,
    "resize@1": _resize_antialiased,
}


def _standardised(state: _State) -> tuple[Step, ...]:
    """(x - mean) / std with std = 1 / scale and mean = -shift / scale; nothing where that changes nothing."""
    if set(state.scale) == {1.0} and set(state.shift) == {0.0}:
        return ()
    mean, std = [-shift / scale for scale, shift in _pairs(state)], [1 / scale for scale in state.scale]
    return (Step("standardise", 1, (Setting("mean", _figures(mean)), Setting("std", _figures(std)))),)


def _figures(numbers: Sequence[float]) -> Scalar:
    return numbers[0] if len(numbers) == 1 else ",".join(map(repr, numbers))


def _pairs(state: _State) -> list[tuple[float, float]]:
    return list(zip(state.scale, state.shift, strict=True))


def _wide(figures: tuple[float, ...], width: int) -> tuple[float, ...]:
    if len(figures) not in (1, width):
        raise InputError("The figures a channel differ in number.", remedy="Give one, or one for each channel.")
    return figures * width if len(figures) == 1 else figures


def _side(one: NamedTransform, name: str, value: Value) -> int:
    sides = value if isinstance(value, tuple) else (value,)
    if len(set(sides)) != 1 or type(sides[0]) is not int or sides[0] < 1:
        raise _wrong(one, name, "one whole number, or two that are equal: networks here read squares")
    return sides[0]


def _number(one: NamedTransform, name: str, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(one, name, "a number")
    return float(value)


def _numbers(one: NamedTransform, name: str, value: Value) -> tuple[float, ...]:
    listed = value if isinstance(value, tuple) else (value,)
    return tuple(_number(one, name, figure) for figure in listed)


def _boolean(one: NamedTransform, name: str, value: Value) -> bool:
    if not isinstance(value, bool):
        raise _wrong(one, name, "true or false")
    return value


def _wrong(one: NamedTransform, name: str, allowed: str) -> InputError:
    return InputError(f"{one.place}: {one.name} cannot have this {name}.", remedy=f"It must be {allowed}.")
