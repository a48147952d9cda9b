"""Methods, options and gates: what a catalogue has can be named, and every figure is resolved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maintain.errors import PolicyError, Problem
from maintain.records import MethodRequest, Setting
from maintain.vocabulary import Situation
from maintain_policies import AutoChoice, Catalogues, GateSet, Policy, meaning, parse_policy

START = """\
version: 1
name: n
owner: o
reason: device-deprecated
claim: {claim}
model: {{name: m}}
forget: {{where: {{site: a}}}}
"""


def parse(line: str, catalogues: Catalogues, *, claim: str = "group") -> Policy:
    return parse_policy(START.format(claim=claim) + line + "\n", source="p.yaml", catalogues=catalogues)


def problems(line: str, catalogues: Catalogues, *, claim: str = "group") -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        parse(line, catalogues, claim=claim)
    assert all(problem.line == 8 for problem in caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    ("line", "at", "said"),
    [
        ("unlearn: {methods: [spg]}", "spg", "Did you mean 'psg'? Known: retrain, psg"),
        ("unlearn: {methods: [reset-refitt]}", "reset-refitt", "no method called 'reset-refitt'"),
        ("unlearn: {methods: auto}", "auto", "no committed result says what auto means for the claim group"),
        ("unlearn: {options: {psg: {radius: 1}}}", "psg", "not among unlearn.methods"),
        ("unlearn: {methods: [psg], options: {psg: {radus: 1}}}", "radus", "Did you mean 'radius'?"),
        ("unlearn: {methods: [psg], options: {psg: {radius: -1}}}", "-1", "psg.radius must be at least 0"),
        ("unlearn: {methods: [psg], options: {psg: {frozen: 1}}}", "1}", "true or false, found 1"),
        ("unlearn: {methods: [psg], options: {psg: {steps: 1.5}}}", "1.5", "whole number, found 1.5"),
        ("unlearn: {methods: [psg], options: {psg: {layers: {}}}}", "{}", "must be text, found a mapping"),
        ("unlearn: {methods: [psg], options: {psg: 3}}", "3", "must be a mapping"),
        ("unlearn: {options: [psg]}", "[psg]", "unlearn.options must be a mapping"),
        ("gates: defalt", "defalt", "no gate set called 'defalt'. Did you mean 'default'?"),
        ("gates: default@3", "default@3", "Known: default, default@2, default@1"),
        ("gates: {retention: {margin: 0.1}}", "{ret", "gates must be a gate set or a list"),
        ("gates: []", "[]", "found an empty list"),
        ("gates: [default, default@1]", "default@1", "one gate set is enough"),
        ("gates: [default, membership]", "membership", "no gate called 'membership'. Known: default, default@2"),
        ("gates: [defalt]", "defalt", "no gate called 'defalt'. Did you mean 'default'?"),
        ("gates: [default, [retention]]", "[ret", "found a list"),
        ("gates: [default, never-saw]", "never-saw", "does not belong to the claim group"),
        ("gates: [default, retention, {retention: {margin: 0.1}}]", "retention: {margin", "listed twice"),
        ("gates: [default, {retention: {by: [device.model]}}]", "by", "no option of gates.retention called 'by'"),
        ("gates: [default, {retention: {margin: 0}}]", "0}", "at least 0.001"),
        ("gates: [default, {retention: 3}]", "3", "gates.retention must be a mapping"),
        ("gates: [retention, integrity]", "[ret", "claim group is not judged without reference"),
        ("gates: [reference]", "[ref", "not judged without integrity, retention"),
    ],
)
def test_a_choice_that_cannot_be_made_has_its_place(line: str, at: str, said: str, rich: Catalogues) -> None:
    (problem,) = problems(line, rich)
    assert said in problem.message
    assert problem.snippet[problem.column - 1 :].startswith(at)


def test_a_list_of_methods_that_cannot_support_the_claim_has_its_place(rich: Catalogues) -> None:
    (problem,) = problems("unlearn: {methods: [psg]}", rich, claim="never-saw")
    assert "psg cannot support the claim never-saw; end the list with retrain" in problem.message
    assert (problem.line, problem.snippet[problem.column - 1 :]) == (8, "[psg]}")


def test_a_list_that_ends_in_a_method_that_can_is_fine(rich: Catalogues) -> None:
    policy = parse("unlearn: {methods: [psg, retrain], options: {psg: {steps: 3}}}", rich, claim="never-saw")
    assert policy.unlearn.methods == ("psg", "retrain")
    assert Setting("steps", 3) in policy.unlearn.requests[0].options


def test_what_stands_behind_the_way_out_is_never_tried(rich: Catalogues) -> None:
    (problem,) = problems("unlearn: {methods: [retrain, psg]}", rich)
    assert "'psg' is never tried: 'retrain' ends every search" in problem.message
    assert problem.snippet[problem.column - 1 :].startswith("psg")


def test_a_catalogue_without_a_retention_gate_makes_no_policy(rich: Catalogues) -> None:
    gates = tuple(gate for gate in rich.gates if not gate.retention)
    names = tuple(gate.name for gate in gates)
    blind = replace(rich, gates=gates, gate_sets=(GateSet(name="default@2", alias="default", gates=names),))
    with pytest.raises(PolicyError, match="no gate judges retention"):
        parse("", blind)


@pytest.mark.parametrize(
    "change",
    [
        {"methods": ()},
        {"gates": ()},
        {"gate_sets": ()},
        {"gate_sets": (GateSet(name="default@1", gates=("nonsense",)),)},
        {"auto": (AutoChoice(situation=Situation.GROUP, methods=("nonsense",)),)},
        {"auto": (AutoChoice(situation=Situation.NEVER_SAW, methods=("psg",)),)},
        {"auto": (AutoChoice(situation=Situation.GROUP, methods=()),)},
    ],
)
def test_a_catalogue_that_contradicts_itself_is_refused(change: dict[str, object], rich: Catalogues) -> None:
    with pytest.raises(ValueError, match="catalogue"):
        replace(rich, **change)  # type: ignore[arg-type]  # drawn from the table above


def test_two_methods_of_one_name_are_refused(rich: Catalogues) -> None:
    with pytest.raises(ValueError, match="own name"):
        replace(rich, methods=rich.methods * 2)


def test_every_option_of_every_method_is_resolved(rich: Catalogues) -> None:
    policy = parse("unlearn: {methods: [psg, retrain], options: {psg: {radius: 1, frozen: false}}}", rich)
    assert policy.unlearn.methods == ("psg", "retrain")
    settings = (Setting("radius", 1.0), Setting("frozen", False), Setting("layers", "late"), Setting("steps", 10))
    assert policy.unlearn.requests == (MethodRequest("psg", settings), MethodRequest("retrain", ()))
    assert policy.unlearn.options_of("psg") == (settings,)
    assert policy.unlearn.options_of("nonsense") == ()


def test_auto_follows_the_table(rich: Catalogues) -> None:
    assert parse("unlearn: {methods: auto}", rich, claim="never-saw").unlearn.methods == ("retrain",)
    camera = AutoChoice(situation=Situation.GROUP, methods=("psg", "retrain"))
    label = AutoChoice(situation=Situation.WHOLE_LABEL, methods=("retrain",))
    both = replace(rich, auto=(camera, label))
    policy = parse("unlearn: {methods: auto, options: {psg: {radius: 2}}}", both)
    assert policy.unlearn.auto
    assert policy.unlearn.methods == ("psg", "retrain")
    tried = {one: [request.name for request in policy.unlearn.requests_in(one)] for one in Situation}
    assert (tried[Situation.GROUP], tried[Situation.WHOLE_LABEL]) == (["psg", "retrain"], ["retrain"])
    assert meaning(policy)["unlearn"]["whole_label"] == {"methods": ["retrain"], "options": {}}  # type: ignore[index]
    turned = replace(rich, auto=(replace(camera, methods=("retrain",)), replace(label, methods=("psg", "retrain"))))
    other = parse("unlearn: {methods: auto, options: {psg: {radius: [1, 2]}}}", turned)
    assert [request.name for request in other.unlearn.requests_in(Situation.WHOLE_LABEL)] == ["psg", "psg", "retrain"]
    assert other.digest != policy.digest
    (problem,) = problems("unlearn: {methods: auto}", replace(rich, auto=(camera,)))
    assert "no committed result says what auto means for the claim group" in problem.message


def test_a_list_is_the_same_in_every_situation(rich: Catalogues) -> None:
    policy = parse("unlearn: {methods: [psg, retrain]}", rich)
    assert {policy.unlearn.requests_in(one) for one in Situation} == {policy.unlearn.requests}
    assert not policy.unlearn.auto
    assert "whole_label" not in meaning(policy)["unlearn"]  # type: ignore[operator]


def test_default_means_the_newest_set_and_is_recorded(rich: Catalogues) -> None:
    assert parse("", rich).gate_set == "default@2"
    assert parse("gates: default", rich).gate_set == "default@2"
    assert parse("gates: [default@1]", rich).gate_set == "default@1"
    assert [gate.name for gate in parse("", rich).gates] == ["integrity", "reference", "retention"]


def test_gates_may_be_listed_one_by_one(rich: Catalogues) -> None:
    policy = parse("gates: [integrity, {reference: {min_cases: 50}, retention: {}}]", rich)
    assert policy.gates == parse("gates: [default, {reference: {min_cases: 50}}]", rich).gates


def test_looser_figures_are_allowed_and_said(rich: Catalogues) -> None:
    policy = parse("gates: [default, {retention: {margin: 0.08}}, {reference: {min_cases: 50}}]", rich)
    assert policy.looser == (
        "reference.min_cases is 50; default@2 asks for 100",
        "retention.margin is 0.08; default@2 asks for 0.05",
    )


@pytest.mark.parametrize("figure", ["margin: 0.03", "margin: 0.05", "alpha: 0.2"])
def test_a_stricter_figure_is_not_looser(figure: str, rich: Catalogues) -> None:
    assert parse(f"gates: [default, {{retention: {{{figure}}}}}]", rich).looser == ()
