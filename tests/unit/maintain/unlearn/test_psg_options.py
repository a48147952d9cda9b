from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maintain.errors import InputError, UnknownNameError
from maintain.imaging.stages import Layers
from maintain.options import Option, fill_in
from maintain.records import Scalar, Setting
from maintain.unlearn.boundary.options import (
    Anneal,
    BoundaryOptions,
    StepRule,
    TargetKind,
    reference_options,
)
from maintain.unlearn.course import Choice, Norms
from maintain.unlearn.psg_options import PsgChoices, psg_choices, psg_course
from maintain.unlearn.table.perturbed import PSG_OPTIONS, PsgMode

PAGE = Path(__file__).parents[4] / "docs" / "methods" / "psg.md"


def choices(**given: Scalar) -> PsgChoices:
    """What a policy that says this is understood as; `lambda_` is how Python spells lambda."""
    return psg_choices(filled(**given))


def filled(**given: Scalar) -> dict[str, Scalar]:
    settings = [Setting(name.rstrip("_"), value) for name, value in given.items()]
    return {setting.name: setting.value for setting in fill_in("psg", PSG_OPTIONS, settings)}


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "gentle"},
        {"radius": 0.0},
        {"search_steps": 2.5},
        {"search_steps": 0},
        {"steps": 0},
        {"lambda_": -1.0},
        {"gamma": float("nan")},
        {"anneal": "cosine"},
        {"targets": "soft"},
        {"temperature": 0.0},
        {"remain": -1.0},
        {"retention_drop": 10.5},
        {"held_out_share": 1.5},
        {"replicate": "yes"},
        {"langevin": True, "gamma": 0.5},
    ],
    ids=str,
)
def test_values_that_it_cannot_have_are_refused(given: dict[str, Scalar]) -> None:
    with pytest.raises(InputError):
        choices(**given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "selective"}, "does not say how that is"),
        ({"held_out_share": 0.7}, "`standard` leaves no forget case its label"),
        ({"remain": 0.0, "retention_drop": 0.1}, "cannot rise"),
        ({"remain": 0.0, "norms": "mixed"}, "forget cases alone"),
        ({"replicate": True, "mode": "selective", "held_out_share": 0.7}, "`replicate` repeats"),
        ({"replicate": True, "targets": "logits"}, "`replicate` repeats"),
        ({"replicate": True, "retention_drop": 0.1}, "`replicate` repeats"),
    ],
    ids=str,
)
def test_options_that_contradict_each_other_are_refused(given: dict[str, Scalar], said: str) -> None:
    with pytest.raises(InputError, match=said):
        choices(**given)


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'radius'"):
        choices(radus=0.1)


def test_the_defaults_are_those_of_the_search() -> None:
    found = choices()
    assert found.search == BoundaryOptions()
    assert (found.mode, found.targets) == (PsgMode.STANDARD, TargetKind.HARD)
    assert (found.temperature, found.remain, found.retention_drop, found.held_out_share) == (1.0, 1.0, 0.0, 0.0)


def test_every_option_arrives() -> None:
    found = choices(
        mode="selective",
        held_out_share=0.75,
        radius=0.05,
        search_steps=4,
        reach=3.0,
        bisections=2,
        lambda_=0.5,
        gamma=0.25,
        anneal="linear",
        discretise=True,
        targets="logits",
        temperature=2.0,
        remain=5.0,
        retention_drop=0.02,
    )
    search = BoundaryOptions(
        radius=0.05,
        steps=4,
        reach=3.0,
        bisections=2,
        closeness=0.5,
        noise=0.25,
        anneal=Anneal.LINEAR,
        discretise=True,
    )
    assert found == PsgChoices(
        mode=PsgMode.SELECTIVE,
        held_out_share=0.75,
        search=search,
        targets=TargetKind.LOGITS,
        temperature=2.0,
        remain=5.0,
        retention_drop=0.02,
    )
    assert choices(langevin=True).search.rule is StepRule.LANGEVIN


def test_what_replicates_goes_the_reference_s_course() -> None:
    """Plain momentum, its rate, no clipping, no stop, and statistics learned from forget cases alone."""
    found = choices(replicate=True, gamma=1e-4, remain=5.0)
    assert (found.search, found.remain) == (reference_options(noise=1e-4), 0.0)
    course, usual = (psg_course(filled(replicate=replicate, steps=30, forget_batch=64)) for replicate in (True, False))
    assert (course.steps, course.forget_batch, course.learning_rate, course.momentum) == (30, 64, 1e-5, 0.9)
    assert (course.norms, course.layers, course.choice) == (Norms.MIXED, Layers.ALL, Choice.LAST)
    assert (course.nesterov, course.clip_norm > 1e20, course.weight_decay) == (False, True, 0.0)
    assert (usual.norms, usual.layers, usual.choice) == (Norms.FROZEN, Layers.LATE, Choice.FIRST)
    assert (usual.nesterov, usual.clip_norm, usual.learning_rate) == (True, 1.0, 0.01)


def test_the_ends_of_every_range_are_taken_by_the_search() -> None:
    for option in PSG_OPTIONS:
        for end in (option.minimum, option.maximum):
            if end is not None:
                value: Scalar = int(end) if option.kind == "integer" else float(end)
                key = "lambda_" if option.name == "lambda" else option.name
                with_it: dict[str, Scalar] = {"mode": "selective"} if option.name == "held_out_share" and end else {}
                assert choices(**{key: value, **with_it})


def row(option: Option) -> str:
    """The option as the page's table has it."""
    if option.choices:
        values = ", ".join(f"`{choice}`" for choice in option.choices)
    else:
        values = "true, false" if option.kind == "boolean" else f"{option.minimum:g} to {option.maximum:g}"
    default = f"{option.default:g}" if option.kind in ("integer", "number") else f"`{option.default}`"
    if option.kind == "boolean":
        default = str(option.default).lower()
    return f"| `{option.name}` | {values} | {default} | {option.doc} |"


def test_the_page_says_of_every_option_what_the_table_says() -> None:
    page = PAGE.read_text(encoding="utf-8").split("## Options")[1].split("##")[0]
    assert [line for line in page.splitlines() if line.startswith("| `")] == [row(option) for option in PSG_OPTIONS]


def test_the_rows_are_read_without_torch() -> None:
    code = "import sys, maintain.unlearn.table.perturbed; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
