"""All mistakes of a file at once, at their places; and what a file means once it has none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maintain.errors import InputError, PolicyError, Problem
from maintain.predicate import Compare, Operator
from maintain.records import GateRequest, MethodRequest, Setting
from maintain.vocabulary import Alias, Claim, Reason, Unit
from maintain_policies import (
    Catalogues,
    Limits,
    NothingToForget,
    Policy,
    Schedule,
    demo_policy,
    load_policy,
    meaning,
    parse_policy,
)
from maintain_policies.language import KEYS, Form
from maintain_policies.tree import LARGEST_BYTES

GOLDEN = Path(__file__).parents[2] / "golden" / "policies"

SHORTEST = """\
version: 1
name: shortest
owner: a@b.example
reason: device-deprecated
claim: never-saw
model: {name: m}
forget: {where: {site: a}}
"""


def problems(text: str, catalogues: Catalogues) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="p.yaml", catalogues=catalogues)
    return caught.value.problems


def changed(line: str, *more: str) -> str:
    """The shortest policy with the line of this key replaced, or added."""
    key = line.partition(":")[0]
    lines = [one for one in SHORTEST.splitlines() if one.partition(":")[0] != key]
    return "\n".join([*lines, line, *more]) + "\n"


# --- refusals --------------------------------------------------------------------------------------


def test_twelve_mistakes_are_named_at_once_each_at_its_place(catalogues: Catalogues) -> None:
    text = (GOLDEN / "twelve-mistakes.yaml").read_text(encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, source="twelve-mistakes.yaml", catalogues=catalogues)
    expected = (GOLDEN / "twelve-mistakes.txt").read_text(encoding="utf-8")
    assert caught.value.message + "\n" == expected


def test_the_golden_file_points_at_what_it_names(catalogues: Catalogues) -> None:
    """The places are checked against the text itself, so that a wrong golden file cannot stay."""
    text = (GOLDEN / "twelve-mistakes.yaml").read_text(encoding="utf-8")
    found = problems(text, catalogues)
    lines = text.splitlines()
    at = [re.split(r"[,:}\]]", lines[one.line - 1][one.column - 1 :])[0] for one in found]
    assert at == [
        "version",
        "group",
        "clam",
        "device.modl",
        "eighteen",
        "2024-13",
        "patients",
        "130",
        "retrian",
        "many",
        "margn",
        '"0 3 * * 0"',
    ]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("[1, 2]", 1, 1, "a policy is a mapping of keys, found a list"),
        (changed("version: 2"), 7, 10, "version must be 1, found 2"),
        (changed("version: '1'"), 7, 10, "whole number, found the text '1'"),
        (changed("name: A_b"), 7, 7, "lower-case words joined by hyphens"),
        (changed(f"name: {'x' * 65}"), 7, 7, "longer than 64"),
        (changed("owner:"), 7, 7, "owner must be text, found nothing"),
        (changed("owner: [a, b]"), 7, 8, "owner must be text, found a list"),
        (changed("reason: consnt"), 7, 9, "Did you mean 'consent'?"),
        (changed("claim: never"), 7, 8, "Did you mean 'never-saw'?"),
        (changed("claim: group"), 7, 8, "claim: group is part of the policy language but this version"),
        (changed("model: m"), 7, 8, "model must be a mapping, found the text 'm'"),
        (changed("model: {name: ../m}"), 7, 15, "model.name must be"),
        (changed("model: {name: m, alias: previous}"), 7, 25, "no model.alias called 'previous'"),
        (changed("forget: {unit: image}"), 7, 9, "forget lacks the key 'where'"),
        (changed("forget: {where: {site: a}, allow_absent: true}"), 7, 28, "forget.allow_absent is part of"),
        (changed("forget: {where: {site: a}, unit: eyes}"), 7, 34, "Did you mean 'eye'?"),
        (changed("unit: image"), 8, 1, "its place is forget.unit"),
        (changed("limits: {gates: default}"), 8, 10, "its place is the top of the file"),
        (changed("limits:"), 8, 8, "limits must be a mapping, found nothing"),
        (changed("limits: {max_patients: 0}"), 8, 24, "at least 1, found 0"),
        (changed("limits: {max_patients: 1.5}"), 8, 24, "whole number, found 1.5"),
        (changed("limits: {max_percent: 0}"), 8, 23, "above 0, found 0"),
        (changed("limits: {max_percent: 101}"), 8, 23, "at most 100"),
        (changed("limits: {max_percent_of_any_label: .nan}"), 8, 36, "must be a number"),
        (changed("unlearn: {seed: -1}"), 8, 17, "at least 0"),
        (changed("unlearn: {budget: {epochs: 3}}"), 8, 20, "no key of unlearn.budget called 'epochs'"),
        (changed("unlearn: {methods: retrain}"), 8, 20, "list of methods or auto"),
        (changed("unlearn: {methods: []}"), 8, 20, "found an empty list"),
        (changed("unlearn: {methods: [retrain, retrain]}"), 8, 30, "listed twice"),
        (changed("unlearn: {methods: [auto]}"), 8, 21, "stands alone"),
        (changed("unlearn: {methods: [short-retrian]}"), 8, 21, "no method called 'short-retrian'"),
        (changed("unlearn: {methods: [[retrain]]}"), 8, 21, "found a list"),
        (changed("unlearn: {options: {retrain: {radius: 1}}}"), 8, 31, "Known: none"),
        (changed("nothing_to_forget: suppress"), 8, 20, "suppress is part of the policy language"),
        (changed("register: {alias: champion}"), 8, 19, "champion is part of the policy language"),
        (changed("register: {retire_parent: {after_days: 30}}"), 8, 12, "register.retire_parent is part"),
        (changed("approval: {required: true}"), 8, 1, "approval is part of the policy language"),
        (changed("schedule: '0 3 * * 0'"), 8, 11, 'such as {cron: "0 3 * * 0", zone: Europe/Vienna}, found the text'),
        (changed("schedule: {cron: '0 3 * * 0'}"), 8, 11, "schedule lacks the key 'zone'"),
        (changed("schedule: {zone: UTC}"), 8, 11, "schedule lacks the key 'cron'"),
        (changed("schedule: {cron: '0 3 * * 0', zone: Vienna}"), 8, 37, "Did you mean 'Europe/Vienna'?"),
        (changed("schedule: {cron: '0 24 * * 0', zone: UTC}"), 8, 18, "schedule.cron: The hour '24' cannot be read"),
        (changed("schedule: {cron: '0 0 31 4,6 *', zone: UTC}"), 8, 18, "never comes"),
        (changed("schedule: {cron: 0 0 3 * * 0, zone: UTC}"), 8, 18, "schedule.cron must be five cron fields"),
        (changed("cron: 0 3 * * 0"), 8, 1, "its place is schedule.cron"),
    ],
)
def test_a_mistake_has_its_place(text: str, line: int, column: int, said: str, catalogues: Catalogues) -> None:
    found = problems(text, catalogues)
    assert [said in one.message for one in found].count(True) == 1
    one = next(one for one in found if said in one.message)
    assert (one.line, one.column) == (line, column)
    assert one.snippet == text.splitlines()[line - 1].rstrip()
    assert len(found) == 1 or text.startswith("[")


def test_an_alias_is_one_mistake_and_no_more(catalogues: Catalogues) -> None:
    (one,) = problems(changed("limits: *common"), catalogues)
    assert "aliases" in one.message


@pytest.mark.parametrize("key", [path for path, key in KEYS.items() if key.required])
def test_every_required_key_is_required(key: str, catalogues: Catalogues) -> None:
    top, _, rest = key.partition(".")
    text = (
        changed(f"{top}: {{}}")
        if rest
        else "".join(line + "\n" for line in SHORTEST.splitlines() if not line.startswith(f"{top}:"))
    )
    assert any(f"lacks the key {(rest or top)!r}" in one.message for one in problems(text, catalogues))


@pytest.mark.parametrize("key", [path for path, key in KEYS.items() if key.form is Form.LATER])
def test_every_key_that_comes_later_is_refused_as_such(key: str, catalogues: Catalogues) -> None:
    parent, _, word = key.rpartition(".")
    text = changed(f"{parent}: {{{word}: 1}}" if parent else f"{word}: 1")
    said = f"{key} is part of the policy language but this version does not enforce it yet"
    assert said in [one.message for one in problems(text, catalogues)]


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.personal])
@pytest.mark.parametrize("claim", [claim for claim in Claim if claim is not Claim.NEVER_SAW])
def test_a_person_is_owed_never_saw(reason: Reason, claim: Claim, rich: Catalogues) -> None:
    text = SHORTEST.replace("device-deprecated", reason).replace("claim: never-saw", f"claim: {claim}")
    (one,) = problems(text, rich)
    assert f"{reason} needs the claim never-saw, found {claim}" in one.message
    assert (one.line, one.column) == (5, 8)


def test_a_file_that_is_missing_says_what_to_do(tmp_path: Path, catalogues: Catalogues) -> None:
    with pytest.raises(InputError, match="cannot be read") as caught:
        load_policy(tmp_path / "none.yaml", catalogues)
    assert "maintain policy new" in caught.value.remedy


def test_a_file_that_is_not_text_is_refused(tmp_path: Path, catalogues: Catalogues) -> None:
    (tmp_path / "p.yaml").write_bytes(b"version: \xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        load_policy(tmp_path / "p.yaml", catalogues)


def test_a_huge_file_is_not_even_read_to_its_end(tmp_path: Path, catalogues: Catalogues) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xc3\xa9" * LARGEST_BYTES)
    with pytest.raises(PolicyError, match="longer than"):
        load_policy(tmp_path / "p.yaml", catalogues)


def test_both_parts_of_a_schedule_are_checked_at_once(catalogues: Catalogues) -> None:
    found = problems(changed("schedule: {cron: '60 3 * * 0', zone: Vienna}"), catalogues)
    assert [(one.line, one.column) for one in found] == [(8, 18), (8, 38)]


DAMAGE = st.text("{}[]:,-&*!|>'\"#%@`~? \n\tabc019.\u2028\ud800", max_size=6)
CUTS = st.tuples(st.floats(0, 1), st.integers(0, 20), DAMAGE)


@given(cuts=st.lists(CUTS, min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_written_is_a_policy_or_a_list_of_mistakes(
    cuts: list[tuple[float, int, str]], catalogues: Catalogues
) -> None:
    """A policy damaged at random places: nothing but `PolicyError` comes out, and never an empty one."""
    text = demo_policy()
    for where, length, put in cuts:
        start = int(where * len(text))
        text = text[:start] + put + text[start + length :]
    found: tuple[Problem, ...] | None = None
    try:
        parse_policy(text, source="p.yaml", catalogues=catalogues)
    except PolicyError as error:
        found = error.problems
    assert found is None or found
    assert all(one.line >= 1 and one.column >= 1 and one.render() for one in found or ())


# --- meaning ---------------------------------------------------------------------------------------


def test_the_shortest_policy_has_every_default(catalogues: Catalogues) -> None:
    policy = parse_policy(SHORTEST, source="p.yaml", catalogues=catalogues)
    assert policy.where == Compare("site", Operator.EQ, "a")
    assert policy.unit is Unit.IMAGE
    assert policy.model.alias is Alias.CHAMPION
    assert policy.limits == Limits(max_patients=None, max_percent=30.0, max_percent_of_any_label=None)
    assert policy.unlearn.requests == (MethodRequest("retrain", ()),)
    assert (policy.unlearn.budget_steps, policy.unlearn.seed) == (20_000, 1)
    assert policy.gate_set == "default@1"
    assert policy.gates == (
        GateRequest("integrity", (), True),
        GateRequest("never-saw", (), True),
        GateRequest("retention", (Setting("margin", 0.05), Setting("alpha", 0.025)), True),
    )
    assert policy.nothing_to_forget is NothingToForget.RETRAIN
    assert policy.register_alias is Alias.CANDIDATE
    assert policy.looser == ()


def test_a_person_is_forgotten_whole_unless_the_policy_says_otherwise(catalogues: Catalogues) -> None:
    personal = SHORTEST.replace("device-deprecated", "data-subject")
    explicit = personal.replace("{where: {site: a}}", "{where: {site: a}, unit: eye}")
    assert parse_policy(personal, source="-", catalogues=catalogues).unit is Unit.PATIENT
    assert parse_policy(explicit, source="-", catalogues=catalogues).unit is Unit.EYE


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path, catalogues: Catalogues) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xef\xbb\xbf" + SHORTEST.encode())
    assert load_policy(tmp_path / "p.yaml", catalogues).name == "shortest"


def digest(text: str, catalogues: Catalogues) -> str:
    policy: Policy = parse_policy(text, source="p.yaml", catalogues=catalogues)
    return policy.digest


def test_the_digest_is_that_of_the_meaning(catalogues: Catalogues) -> None:
    plain = digest(SHORTEST, catalogues)
    turned = "# a comment\n" + "\n".join(reversed(SHORTEST.splitlines())) + "\nlimits: {max_percent: 30}\n"
    assert digest(turned + "gates: default@1\nunlearn: {methods: auto, seed: 1}\n", catalogues) == plain
    assert len(plain) == 64


@pytest.mark.parametrize(
    "line",
    [
        "name: other",
        "owner: c@d.example",
        "reason: outlier",
        "model: {name: n}",
        "forget: {where: {site: b}}",
        "forget: {where: {site: a}, unit: eye}",
        "limits: {max_patients: 5}",
        "limits: {max_percent: 29.5}",
        "limits: {max_percent_of_any_label: 60}",
        "unlearn: {seed: 2}",
        "unlearn: {budget: {steps: 10}}",
        "gates: [default, {retention: {margin: 0.04}}]",
    ],
)
def test_whatever_changes_the_meaning_changes_the_digest(line: str, catalogues: Catalogues) -> None:
    assert digest(changed(line), catalogues) != digest(SHORTEST, catalogues)


def test_a_schedule_is_read_as_written(catalogues: Catalogues) -> None:
    text = changed("schedule: {cron: '0 3 * * 0', zone: Europe/Vienna}")
    assert parse_policy(text, source="-", catalogues=catalogues).schedule == Schedule("0 3 * * 0", "Europe/Vienna")
    assert parse_policy(SHORTEST, source="-", catalogues=catalogues).schedule is None


def test_when_a_policy_is_due_does_not_change_what_it_asks(catalogues: Catalogues) -> None:
    """A plan names its policy by the digest: the same policy at another hour makes the same plan."""
    lines = ("schedule: {cron: '0 3 * * 0', zone: Europe/Vienna}", "schedule: {cron: '@daily', zone: UTC}")
    assert {digest(changed(line), catalogues) for line in lines} == {digest(SHORTEST, catalogues)}
    scheduled = parse_policy(changed(lines[0]), source="-", catalogues=catalogues)
    assert meaning(scheduled) == meaning(replace(scheduled, schedule=None))
