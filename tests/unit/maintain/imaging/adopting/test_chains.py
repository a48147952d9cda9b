"""Named transforms: those of the list do what MONAI's do, to the last bit that floats have; no other is guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from maintain.errors import InputError
from maintain.imaging import Chain
from maintain.imaging.adopting import NamedTransform, chain_of, known_transforms


def named(*entries: tuple[str, dict[str, Any]]) -> list[NamedTransform]:
    return [NamedTransform(name, options, f"p.yaml:{line}:3") for line, (name, options) in enumerate(entries, start=1)]


RANGE = {"a_min": 0, "a_max": 255, "b_min": 0.0, "b_max": 1.0}


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("ScaleIntensityRnge", {}, "nearest is ScaleIntensityRange"),
        ("RandFlip", {}, "at random"),
        ("Resize", {"spatial_size": (32, 16)}, "spatial_size"),
        ("Resize", {"spatial_size": True}, "spatial_size"),
        ("Resize", {"spatial_size": 32, "mode": "nearest"}, "mode"),
        ("Resize", {"spatial_size": 32, "anti_aliasing": True}, "anti_aliasing"),
        ("Resize", {"spatial_sise": 32}, "did you mean spatial_size"),
        ("NormalizeIntensity", {}, "depends on each picture"),
        ("NormalizeIntensity", {"subtrahend": 1.0, "divisor": 0.0}, "divisor"),
        ("NormalizeIntensity", {"subtrahend": (1.0, 2.0), "divisor": 1.0}, "channel_wise"),
        ("NormalizeIntensity", {"subtrahend": 1.0, "divisor": 1.0, "nonzero": True}, "nonzero"),
        ("ScaleIntensityRange", {**RANGE, "a_max": 0}, "two ranges"),
        ("ScaleIntensityRange", {**RANGE, "a_min": 10, "clip": True}, "clip"),
        ("ScaleIntensityRange", {"a_min": 0}, "a_max"),
        ("Transpose", {"indices": (2, 1, 0)}, "indices"),
        ("EnsureType", {"device": "cuda"}, "no option device"),
    ],
)
def test_what_no_step_of_ours_does_is_refused_with_its_place(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        chain_of(named(("EnsureChannelFirst", {}), (name, options)))
    assert caught.value.message.startswith("p.yaml:2:3: ")
    assert says in caught.value.message + caught.value.remedy


def test_an_empty_list_is_refused_with_the_known_names() -> None:
    with pytest.raises(InputError, match="names no transform") as caught:
        chain_of([])
    assert all(name in caught.value.remedy for name in known_transforms())


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 99),
    side=st.sampled_from([4, 8, 13]),
    mode=st.sampled_from(["area", "bilinear"]),
    low=st.floats(-2, 0),
    high=st.floats(0.5, 2),
    mean=st.lists(st.floats(-1, 1), min_size=3, max_size=3),
    scale_first=st.booleans(),
)
def test_a_chain_is_what_monai_computes(
    seed: int, side: int, mode: str, low: float, high: float, mean: list[float], *, scale_first: bool
) -> None:
    from monai.transforms.intensity.array import NormalizeIntensity, ScaleIntensityRange
    from monai.transforms.spatial.array import Resize

    picture = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    figures = {"a_min": 0.0, "a_max": 255.0, "b_min": low, "b_max": high}
    divisor = (0.5, 1.0, 2.0)
    resize = ("Resize", {"spatial_size": (side, side), "mode": mode})
    scale = ("ScaleIntensityRange", figures)
    middle = (scale, resize) if scale_first else (resize, scale)
    normalise = ("NormalizeIntensity", {"subtrahend": tuple(mean), "divisor": divisor, "channel_wise": True})
    theirs: Any = torch.from_numpy(picture).permute(2, 0, 1).float()
    scaling = ScaleIntensityRange(a_min=0.0, a_max=255.0, b_min=low, b_max=high)
    calls = {"Resize": Resize((side, side), mode=mode), "ScaleIntensityRange": scaling}
    for name, _ in middle:
        theirs = calls[name](theirs)
    theirs = NormalizeIntensity(subtrahend=mean, divisor=list(divisor), channel_wise=True)(theirs)
    chain = Chain(chain_of(named(("EnsureChannelFirst", {}), *middle, normalise)))
    ours = chain.apply(torch.from_numpy(picture)[None])
    assert_close(ours[0], torch.as_tensor(np.asarray(theirs)), atol=2e-5, rtol=2e-5)
    assert_close(chain.standardised(chain.pixels(torch.from_numpy(picture)[None])), ours, atol=2e-5, rtol=2e-5)


def test_readers_of_monai_turn_pictures_unless_they_are_told_not_to() -> None:
    def steps(**options: bool) -> list[str]:
        return [step.name for step in chain_of(named(("LoadImage", options)))]

    assert steps() == ["to-float", "transpose", "standardise"]
    assert steps(reverse_indexing=False) == steps(swap_ij=False) == ["to-float", "standardise"]
    assert steps(swap_ij=True) == [step.name for step in chain_of(named(("Transpose", {"indices": (0, 2, 1)})))]


def test_a_chain_that_ends_in_pixels_of_nought_to_one_standardises_nothing() -> None:
    assert [step.name for step in chain_of(named(("ScaleIntensityRange", RANGE)))] == ["to-float"]
    assert [step.name for step in chain_of(named(("resize@1", {"side": 8})))] == ["to-float", "resize", "standardise"]
