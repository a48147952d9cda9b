"""Lists of values: every combination is a request of its own, few are allowed, and what is never tried is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maintain.errors import PolicyError, Problem
from maintain.options import Option
from maintain.records import MethodRequest
from maintain.vocabulary import Claim
from maintain_policies import Catalogues, MethodEntry, Policy, parse_policy
from maintain_policies.language import MOST_COMBINATIONS
from maintain_policies.model import meaning

START = """\
version: 1
name: n
owner: o
reason: device-deprecated
claim: group
model: {{name: m}}
forget: {{where: {{site: a}}}}
unlearn: {{methods: [{methods}], options: {{{options}}}}}
"""
ANEW = MethodEntry(
    name="short",
    doc="Few passes.",
    claims=tuple(Claim),
    options=(Option(name="epochs", kind="integer", default=6, minimum=1, doc="Passes."),),
)


def parse(options: str, catalogues: Catalogues, *, methods: str = "psg, retrain") -> Policy:
    text = START.format(options=options, methods=methods)
    return parse_policy(text, source="p.yaml", catalogues=catalogues)


def problem(options: str, catalogues: Catalogues, *, methods: str = "psg, retrain") -> Problem:
    with pytest.raises(PolicyError) as caught:
        parse(options, catalogues, methods=methods)
    (found,) = caught.value.problems
    assert found.line == 8
    return found


def values(request: MethodRequest, *names: str) -> tuple[object, ...]:
    found = {setting.name: setting.value for setting in request.options}
    return tuple(found[name] for name in names)


@pytest.mark.parametrize(
    ("options", "at", "said"),
    [
        ("psg: {radius: []}", "[]", "psg.radius must be a value or a list of values, found an empty list"),
        ("psg: {radius: [0.1, 0.1]}", "0.1]", "psg.radius lists 0.1 twice"),
        ("psg: {radius: [0.1, -1]}", "-1", "psg.radius must be at least 0"),
        ("psg: {radius: [0.1, [0.2]]}", "[0.2]", "must be a number, found a list"),
        ("psg: {radius: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}", "[1", "asks for 10 combinations; at most 9 are tried"),
        ("psg: {radius: [1, 2, 3, 4, 5], steps: [6, 7]}", "[6", "asks for 10 combinations"),
    ],
)
def test_a_list_that_cannot_be_tried_has_its_place(options: str, at: str, said: str, rich: Catalogues) -> None:
    found = problem(options, rich)
    assert said in found.message
    assert found.snippet[found.column - 1 :].startswith(at)


def test_a_list_for_a_method_that_is_never_measured_is_refused(rich: Catalogues) -> None:
    with_anew = replace(rich, methods=(*rich.methods, ANEW))
    found = problem("short: {epochs: [3, 6]}", with_anew, methods="short, retrain")
    assert "only the first of unlearn.options.short.epochs is ever tried" in found.message
    assert found.snippet[found.column - 1 :].startswith("[3, 6]")
    assert values(parse("short: {epochs: [3]}", with_anew, methods="short").unlearn.requests[0], "epochs") == (3,)


def test_the_most_combinations_are_allowed(rich: Catalogues) -> None:
    policy = parse("psg: {radius: [1, 2, 3], steps: [4, 5, 6]}", rich)
    assert len(policy.unlearn.options_of("psg")) == MOST_COMBINATIONS


def test_every_combination_is_a_request_in_the_order_of_the_lists(rich: Catalogues) -> None:
    policy = parse("psg: {steps: [7, 5], radius: [0.2, 0.1]}", rich)
    *tried, last = policy.unlearn.requests
    assert [values(one, "radius", "steps") for one in tried] == [(0.2, 7), (0.2, 5), (0.1, 7), (0.1, 5)]
    assert {values(one, "frozen", "layers") for one in tried} == {(True, "late")}
    assert last == MethodRequest("retrain", ())
    assert policy.unlearn.methods == ("psg", "retrain")


def test_the_order_of_keys_means_nothing_and_that_of_a_list_does(rich: Catalogues) -> None:
    one = parse("psg: {steps: [7, 5], radius: [0.2, 0.1]}", rich)
    assert one.digest == parse("psg: {radius: [0.2, 0.1], steps: [7, 5]}", rich).digest
    assert one.digest != parse("psg: {radius: [0.1, 0.2], steps: [7, 5]}", rich).digest


def test_a_list_of_one_is_that_value(rich: Catalogues) -> None:
    single = parse("psg: {steps: [7]}", rich)
    assert single == parse("psg: {steps: 7}", rich)
    assert meaning(single)["unlearn"]["options"]["psg"]["steps"] == 7  # type: ignore[index]  # plain JSON
