"""Minutes and disk to expect: without a record nothing is said, and with some no more than they tell."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from helpers.toy_lineage import FINETUNE, RETRAIN, Lineage, make_lineage
from maintain import codec
from maintain.database.tables import run as runs
from maintain.errors import InputError
from maintain.records import Measurement, Measurements, MethodRequest, Plan, Setting, Slot, Verdict
from maintain.vocabulary import Claim, Outcome, Role
from maintain_pipelines import expecting
from maintain_pipelines.champions import SPEC_FILE, WEIGHTS_FILE
from maintain_pipelines.cost import costs_of
from maintain_pipelines.expecting import Expected, Range, answers_of, disk_of, expect, refuse_full_disk
from maintain_pipelines.recorded import ANSWERS, Lap, read_recorded, training_kind
from maintain_pipelines.rundir import LOG, PLAN, VERDICT, RunFolder
from maintain_pipelines.select import Selection

#: A batch of measurements of which each recorded verdict of these tests made so many.
ANSWERED = 20


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    made = make_lineage(tmp_path, claim=Claim.EXAMPLES)
    slots = (Slot(1, (FINETUNE, RETRAIN), 0.0125), Slot(2, (RETRAIN,), 0.0125))
    return replace(made, plan=replace(made.plan, slots=slots))


def selection_of(lineage: Lineage) -> Selection:
    return Selection(lineage.plan, lineage.roles, (), lineage.champion)


def expected(lineage: Lineage) -> Expected:
    champion = lineage.champion
    costs = costs_of(lineage.plan, champion.spec, champion.manifest, lineage.roles)
    return expect(selection_of(lineage), costs, None, lineage.context)


def record(lineage: Lineage, name: str, *lines: dict[str, Any], plan: Plan | None = None) -> RunFolder:
    """A run that has these lines in its log, a spec and a verdict on so many answers."""
    planned = plan or lineage.plan
    folder = RunFolder(lineage.context.workspace.runs / name)
    folder.create()
    folder.write(PLAN, planned)
    codec.write(folder.file(f"02-{SPEC_FILE}"), lineage.champion.spec)
    row = Measurement("w", "c", Role.HOLDOUT, "p", (0,), (True,), (0.0, 1.0, 2.0))
    digest = folder.write_table("measurements", Measurements((row,) * ANSWERED))
    folder.write(VERDICT, Verdict("c", 1, Outcome.FAIL, "", (), digest, 1))
    (folder.path / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with lineage.context.database.begin() as unit:
        values = {"run": name, "model": "toy", "policy": "p", "policy_name": "p", "champion": "c", "slot": 1}
        unit.execute(insert(runs), values | {"state": "rejected", "started": name, "changed": name})
    return folder


def begun(stage: str) -> dict[str, Any]:
    return {"event": f"{stage}-begun", "slot": 1}


def ended(stage: str, seconds: float) -> dict[str, Any]:
    return {"event": f"{stage}-ended", "slot": 1, "seconds": seconds}


def tried(method: str, steps: int, seconds: float | None, *, made: bool = True) -> dict[str, Any]:
    return {"event": "tried", "slot": 1, "method": method, "steps": steps, "seconds": seconds, "made": made}


def whole(finetune: float, retrain: float, verify: float) -> tuple[dict[str, Any], ...]:
    """Every line of a run that tried 8 and 56 steps."""
    return (
        begun("unlearn"),
        tried("finetune", 8, finetune),
        tried("retrain", 56, retrain),
        begun("verify"),
        ended("verify", verify),
        ended("register", 1.0),
        ended("report", 0.5),
    )


def test_without_a_recorded_run_nothing_is_said_of_time(lineage: Lineage) -> None:
    found = expected(lineage)
    assert found.whole is None
    assert all(part.seconds is None for part in found.parts)
    assert "finetune" in found.unknown
    assert found.parts[0].known == "8 steps, a gradient pass over a batch each"


@pytest.mark.parametrize("elsewhere", [{"machine": "another"}, {"device": "another"}, {"threads": 99}])
def test_a_run_elsewhere_says_nothing(lineage: Lineage, elsewhere: dict[str, Any]) -> None:
    there = replace(lineage.plan.environment, **elsewhere)
    record(lineage, "1", *whole(1, 2, 3), plan=replace(lineage.plan, environment=there))
    assert not read_recorded(lineage.plan.environment, lineage.champion.spec, lineage.context).laps


@pytest.mark.parametrize(
    "lines",
    [
        (begun("unlearn"), begun("unlearn"), tried("finetune", 8, 1.0)),
        (begun("unlearn"), tried("finetune", 8, None)),
        (begun("unlearn"), tried("finetune", 0, 9.0, made=False)),
        (begun("unlearn"), tried("psg", 8, 1.0)),
        (begun("unlearn"), tried("finetune", 8, 1.0), {"event": "resumed", "drift": "threads: 1, now 2"}),
        (begun("verify"), begun("verify"), ended("verify", 1.0)),
    ],
    ids=["resumed", "clock set back", "left", "another method", "moved", "verified twice"],
)
def test_seconds_that_are_not_the_whole_say_nothing(lineage: Lineage, lines: tuple[dict[str, Any], ...]) -> None:
    record(lineage, "1", *lines)
    assert not read_recorded(lineage.plan.environment, lineage.champion.spec, lineage.context).laps


@pytest.mark.parametrize("damage", ["gone", "log", "plan", "network"])
def test_a_folder_that_cannot_be_read_says_nothing(lineage: Lineage, damage: str) -> None:
    folder = record(lineage, "1", *whole(1, 2, 3))
    if damage == "gone":
        shutil.rmtree(folder.path)
    elif damage == "network":
        codec.write(folder.file(f"02-{SPEC_FILE}"), replace(lineage.champion.spec, input_shape=(3, 99, 99)))
    else:
        (folder.path / (LOG if damage == "log" else PLAN)).write_text("{broken", encoding="utf-8")
    assert not read_recorded(lineage.plan.environment, lineage.champion.spec, lineage.context).laps


def test_other_batches_are_another_kind_of_training(lineage: Lineage) -> None:
    spec = lineage.champion.spec
    kinds = [
        training_kind(MethodRequest("random-label", (Setting("steps", steps), Setting("forget_batch", size))), spec)
        for steps, size in ((10, 8), (20, 8), (10, 16))
    ]
    assert kinds[0] == kinds[1] != kinds[2]


def test_recorded_rates_times_what_is_planned(lineage: Lineage) -> None:
    record(lineage, "1", *whole(4.0, 28.0, 2.0))
    record(lineage, "2", *whole(8.0, 14.0, 6.0))
    found = expected(lineage)
    seconds = {part.name: part.seconds for part in found.parts}
    both = ("1", "2")
    assert seconds["finetune"] == Range(4.0, 8.0, both)
    assert seconds["retrain"] == seconds["slot 2: retrain"] == Range(14.0, 28.0, both)
    answers = answers_of(selection_of(lineage))
    verify = Range(2.0 * answers / ANSWERED, 6.0 * answers / ANSWERED, both)
    assert seconds["verify"] == seconds["slot 2: verify"] == verify
    assert found.unknown == ()
    assert found.whole is not None
    assert found.whole.least == pytest.approx(4.0 + verify.least + 1.5)
    assert found.whole.most == pytest.approx(8.0 + 2 * 28.0 + 2 * verify.most + 1.5)


def test_a_closing_stage_of_which_no_run_tells_is_named_and_left_out(lineage: Lineage) -> None:
    record(lineage, "1", *(line for line in whole(4.0, 28.0, 2.0) if line["event"] != "register-ended"))
    found = expected(lineage)
    assert found.unknown == ("register",)
    assert found.whole is not None


@given(st.lists(st.tuples(st.integers(1, 99), st.floats(0.1, 99)), min_size=1, max_size=9), st.integers(1, 999))
def test_a_range_spans_every_rate(laps: list[tuple[int, float]], units: int) -> None:
    found = expecting._scaled([Lap(str(n), ANSWERS, steps, s) for n, (steps, s) in enumerate(laps)], units)
    rates = sorted(seconds / steps for steps, seconds in laps)
    assert found is not None
    assert found.least == pytest.approx(rates[0] * units)
    assert found.most == pytest.approx(rates[-1] * units)
    assert len(found.runs) == len(laps)


def test_a_run_that_cannot_fit_is_refused_and_one_that_may_not_is_not(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection, context = selection_of(lineage), lineage.context
    needed = disk_of(selection, context)
    weights = len(context.store.get("toy", 1).read(WEIGHTS_FILE))
    assert needed.weights == weights
    assert weights < needed.least < needed.most

    def free(count: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=count))

    free(needed.least)
    refuse_full_disk(selection, context)
    assert not disk_of(selection, context).fits
    free(needed.least - 1)
    with pytest.raises(InputError, match=f"The run needs {needed.least} bytes at least"):
        refuse_full_disk(selection, context)


def test_measurements_count_once_a_run_told_their_size(lineage: Lineage) -> None:
    before = expected(lineage).disk
    folder = record(lineage, "1", *whole(1, 2, 3))
    after = expected(lineage).disk
    (table,) = folder.path.glob("measurements-*")
    more = 2 * answers_of(selection_of(lineage)) * table.stat().st_size / ANSWERED
    assert (before.measured, after.measured) == (False, True)
    assert after.most - before.most == pytest.approx(more, abs=1)
