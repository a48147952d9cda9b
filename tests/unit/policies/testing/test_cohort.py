"""A cohort written by hand says what intake would find, or every mistake in it is named at its place."""

from __future__ import annotations

import pytest

from maintain.errors import PolicyError
from maintain.vocabulary import ConsentStatus, Eye, Reason, Split
from maintain_policies.testing import Membership, SampleCase, read_cohort

HEAD = "version: 1\nlabel: diagnosis\ncases:\n"


def cases(*lines: str, head: str = HEAD) -> dict[str, SampleCase]:
    """The cases of a cohort, by name."""
    text = head + "".join(f"  - {line}\n" for line in lines)
    return {case.name: case for case in read_cohort(text, source="cohort.yaml").cases}


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("{case: a}", "4:5", "needs a name and a patient"),
        ("{case: A b, patient: p}", "4:12", "lower-case words"),
        ("{case: a, patient: p, device.modl: x}", "4:27", "Did you mean 'device.model'?"),
        ("{case: a, patient: p, attribute.Eye: open}", "4:27", "no field of a case called 'attribute.Eye'"),
        ("{case: a, patient: p, split: trian}", "4:34", "Did you mean 'train'?"),
        ("{case: a, patient: p, patient.age: old}", "4:40", "must be a number"),
        ("{case: a, patient: p, patient.age: 61.5}", "4:40", "whole number"),
        ("{case: a, patient: p, study.date: 2024-02-30}", "4:39", "not in the calendar"),
        ("{case: a, patient: p, image.eye: X}", "4:38", "never 'X'"),
        ("{case: a, patient: p, label.x: []}", "4:36", "empty list"),
        ("{case: a, patient: p, score.outlier: far}", "4:42", "must be a number"),
        ("{case: a, patient: p, score.outlier: .inf}", "4:42", "must be a number"),
        ("{case: a, patient: p, score.outlier: [1, 2]}", "4:42", "must be a number, found a list"),
        ("{case: a, patient: p, score.: 1}", "4:27", "no field of a case called 'score.'"),
        ("{case: a, patient: p, copy_of: b}", "4:27", "no other case called 'b'"),
        ("{case: a, patient: p, copy_of: a}", "4:27", "no other case called 'a'"),
        ("{case: a, patient: p, split: holdout, manifest: learned}", "4:43", "stands in holdout cannot be learned"),
        ("{case: a, patient: p, manifest: learned}", "4:27", "has no split cannot be learned"),
        ("{case: a, patient: p, label.x: [u, v], label_version: 3}", "4:44", "no label of the case has 3 versions"),
        ("{case: a, patient: p, suppressed: bored}", "4:39", "no suppressed called 'bored'"),
        ("{case: a, patient: p, times: 0}", "4:34", "at least 1"),
        ("[a, p]", "4:5", "a mapping of fields"),
    ],
)
def test_a_mistake_is_named_at_its_place(line: str, place: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        cases(line)
    problems = [(f"{problem.line}:{problem.column}", problem.message) for problem in caught.value.problems]
    assert any(at == place and said in message for at, message in problems), problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("[]", "mapping of keys"),
        ("label: x\ncases: []\n", "'version'"),
        ("version: 2\nlabel: x\ncases: [{case: a, patient: p}]\n", "must be 1"),
        ("version: 1\ncases: [{case: a, patient: p}]\n", "'label'"),
        ("version: 1\nlabel: x\n", "'cases'"),
        ("version: 1\nlabel: x\ncases: []\n", "a list of cases"),
        ("version: 1\nlabel: x\ncase: []\ncases: [{case: a, patient: p}]\n", "Did you mean 'cases'?"),
        ("version: 1\nlabel: x\nevery_case: {patient: p}\ncases: [{case: a, patient: p}]\n", "belongs to one case"),
    ],
)
def test_a_file_that_is_no_cohort_is_refused(text: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        read_cohort(text, source="cohort.yaml")


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        cases("{case: a, patient: p, sit: x}", "{case: a, patient: p}", "{case: b, patient: q, split: x}")
    assert [problem.line for problem in caught.value.problems] == [4, 5, 6]


def test_a_case_is_there_once() -> None:
    with pytest.raises(PolicyError, match=r"twice; the first is in line 4"):
        cases("{case: a, patient: p}", "{case: a, patient: q}")


def test_a_copy_of_a_copy_names_the_original() -> None:
    with pytest.raises(PolicyError, match="no copy itself"):
        cases("{case: a, patient: p}", "{case: b, patient: q, copy_of: a}", "{case: c, patient: r, copy_of: b}")


def test_what_belongs_to_the_patient_is_said_once() -> None:
    found = cases("{case: a, patient: p, split: train, consent.status: withdrawn}", "{case: b, patient: p}")
    assert found["b"].split is Split.TRAIN
    assert found["b"].consent is ConsentStatus.WITHDRAWN
    assert found["b"].membership is Membership.LEARNED


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ("split: train", "split: holdout", "split of the patient 'p'"),
        ("study: s, site: x", "study: s, site: y", "site of the study 's'"),
        ("series: s, device.serial: x", "series: s, device.serial: y", "device.serial of the series 's'"),
    ],
)
def test_what_is_shared_cannot_differ(one: str, two: str, said: str) -> None:
    with pytest.raises(PolicyError, match=rf"{said} is something else in line 4"):
        cases(f"{{case: a, patient: p, {one}}}", f"{{case: b, patient: p, {two}}}")


def test_what_is_empty_is_missing_and_what_is_left_out_is_usual() -> None:
    head = "version: 1\nlabel: diagnosis\nevery_case: {site: x, image.eye: L, split: train}\ncases:\n"
    found = cases("{case: a, patient: p, site: ~}", "{case: b, patient: q, image.eye: R}", head=head)
    assert (found["a"].site, found["a"].eye) == (None, Eye.LEFT)
    assert (found["b"].site, found["b"].eye) == ("x", Eye.RIGHT)


def test_lists_are_versions_of_a_label_and_software() -> None:
    facts = "device.software: [1.0, x], label.diagnosis: [u, v], label_version: 2, suppressed: outlier"
    case = cases(f"{{case: a, patient: p, {facts}}}")["a"]
    assert case.software == ("1.0", "x")
    assert case.labels == (("diagnosis", ("u", "v")),)
    assert (case.learned_version, case.suppressed) == (2, Reason.OUTLIER)


def test_a_score_is_a_number_whole_or_not_or_missing() -> None:
    head = "version: 1\nlabel: diagnosis\nevery_case: {score.outlier: 0.5}\ncases:\n"
    found = cases("{case: a, patient: p, score.outlier: 4, score.field: -1.25}", "{case: b, patient: q}", head=head)
    assert dict(found["a"].scores) == {"outlier": 4.0, "field": -1.25}
    assert dict(found["b"].scores) == {"outlier": 0.5}
    assert cases("{case: c, patient: r, score.outlier: ~}", head=head)["c"].scores == ()


def test_a_case_can_stand_for_many() -> None:
    found = cases("{case: rest, patient: crowd, times: 3, split: train}")
    assert list(found) == ["rest-1", "rest-2", "rest-3"]
    assert {case.patient for case in found.values()} == {"crowd-1", "crowd-2", "crowd-3"}
    assert len({case.picture for case in found.values()}) == 3
