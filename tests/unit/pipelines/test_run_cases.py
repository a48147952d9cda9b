"""Which decisions of a run changed: what was not measured is refused, and the order is that of what hurts most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.evidence import CANDIDATE, CHAMPION, honest_evidence
from maintain import codec
from maintain.errors import InputError, NotEvaluatedError
from maintain.gates import Evidence
from maintain.records import Measurements, Verdict
from maintain.vocabulary import Head, Outcome, Role, RunState
from maintain_pipelines.champions import SPEC_FILE
from maintain_pipelines.journal import RunRow
from maintain_pipelines.run_cases import Change, Decided, RunCase, cases_of, changed
from maintain_pipelines.rundir import CANDIDATE as CANDIDATE_FILE
from maintain_pipelines.rundir import PLAN, VERDICT, RunFolder

ROW = RunRow("r", "triage", "", "p", CHAMPION, RunState.REJECTED, 1, None, None, None, None, "", "")


def written(folder: RunFolder, evidence: Evidence, measured: Measurements | None) -> RunFolder:
    """A run folder of that evidence; without measurements it has no verdict either."""
    folder.create()
    folder.write_table("roles", evidence.roles)
    folder.write(PLAN, evidence.plan)
    codec.write(folder.file(f"02-{SPEC_FILE}"), evidence.candidate_spec)
    folder.write(CANDIDATE_FILE, evidence.candidate)
    if measured is not None:
        digest = folder.write_table("measurements", measured)
        folder.write(VERDICT, Verdict(evidence.candidate_digest, folder.slot, Outcome.FAIL, "", (), digest, 1))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "r")


def test_a_run_that_was_not_verified_tells_its_cases_and_no_change(folder: RunFolder) -> None:
    evidence = honest_evidence()
    found = cases_of(ROW, written(folder, evidence, None))
    assert {row.case_id for row in found.rows} == {row.case_id for row in evidence.roles.rows}
    assert all(row.old is None and row.new is None for row in found.rows)
    with pytest.raises(NotEvaluatedError, match="no candidate of it was verified"):
        found.judged()


@pytest.mark.parametrize("kind", ["roles", "measurements"])
def test_a_list_that_was_removed_is_refused(folder: RunFolder, kind: str) -> None:
    evidence = honest_evidence()
    written(folder, evidence, evidence.measurements)
    next(folder.path.glob(f"{kind}-*")).unlink()
    with pytest.raises(NotEvaluatedError, match=f"The list {kind} of r is no longer in its folder"):
        cases_of(ROW, folder)


def test_a_role_that_was_not_measured_or_only_in_part_is_refused(folder: RunFolder) -> None:
    evidence = honest_evidence()
    rows = evidence.measurements.rows
    gap = next(row for row in rows if row.weights == CANDIDATE and row.role is Role.HOLDOUT)
    found = cases_of(ROW, written(folder, evidence, Measurements(tuple(row for row in rows if row is not gap))))
    with pytest.raises(InputError, match="No case of r has the role learn"):
        found.judged(Role.LEARN)
    with pytest.raises(NotEvaluatedError, match="For 6 of the 6 validation cases of r"):
        found.judged(Role.VALIDATION)
    with pytest.raises(NotEvaluatedError, match="For 1 of the 480 holdout cases of r"):
        found.judged()


def test_heads_whose_decisions_are_not_known_are_refused(folder: RunFolder) -> None:
    evidence = honest_evidence()
    spec = replace(evidence.candidate_spec, head=Head.BINARY)
    candidate = replace(evidence.candidate, spec=codec.digest_of(spec))
    with pytest.raises(NotEvaluatedError, match="head cannot be read"):
        cases_of(
            ROW, written(folder, replace(evidence, candidate_spec=spec, candidate=candidate), evidence.measurements)
        )


def test_decisions_are_those_of_the_outputs_before_and_after(folder: RunFolder) -> None:
    evidence = honest_evidence()
    found = cases_of(ROW, written(folder, evidence, evidence.measurements))
    rows = found.judged()
    assert len(rows) == len(evidence.roles.of(Role.HOLDOUT))
    labels, odd = evidence.champion_spec.label_order, 0
    for row in rows:
        for weights, decided in ((CHAMPION, row.old), (CANDIDATE, row.new)):
            (answer,) = [one for one in evidence.measurements.of(weights, Role.HOLDOUT) if one.case_id == row.case_id]
            share = np.exp(answer.logits) / np.exp(answer.logits).sum()
            assert decided is not None
            assert decided.label == labels[int(share.argmax())]
            assert decided.confidence == pytest.approx(float(share.max()))
        odd += row.old is not None and row.new is not None and row.old.label != row.new.label
    assert len(changed(rows)) == odd
    assert odd > 0


def test_the_last_slot_with_a_verdict_is_told(folder: RunFolder) -> None:
    evidence = honest_evidence()
    written(folder, evidence, evidence.measurements)
    assert cases_of(replace(ROW, slot=2), folder).slot == 1
    second = replace(folder, slot=2)
    written(second, evidence, evidence.measurements)
    assert cases_of(replace(ROW, slot=2), folder).slot == 2


DECIDED = st.builds(Decided, st.sampled_from("abc"), st.floats(0.34, 1.0))
CASES = st.builds(
    RunCase,
    case_id=st.text("0123456789abcdef", min_size=4, max_size=4),
    patient=st.just("p"),
    role=st.just(Role.HOLDOUT),
    reason=st.just(""),
    label=st.sampled_from("abc"),
    old=DECIDED,
    new=DECIDED,
)


@given(st.lists(CASES, max_size=30, unique_by=lambda case: case.case_id))
def test_newly_missed_come_first_and_the_surest_mistake_before_others(rows: list[RunCase]) -> None:
    """The oracle writes every comparison out."""
    missed: list[tuple[float, str]] = []
    wrong: list[tuple[float, str]] = []
    right: list[tuple[float, str]] = []
    for row in rows:
        assert row.old is not None
        assert row.new is not None
        if row.old.label == row.new.label:
            continue
        kind = missed if row.old.label == row.label else right if row.new.label == row.label else wrong
        kind.append((-row.new.confidence, row.case_id))
    wanted = [case for kind in (missed, wrong, right) for _, case in sorted(kind)]
    found = changed(rows)
    assert [row.case_id for row in found] == wanted
    assert [row.change for row in found] == [
        *[Change.NEWLY_MISSED] * len(missed),
        *[Change.WRONG_OTHERWISE] * len(wrong),
        *[Change.NEWLY_RIGHT] * len(right),
    ]
