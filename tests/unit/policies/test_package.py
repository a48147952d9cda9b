"""The front door is what it lists, opens quickly, and its demo policy is the example."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

import maintain_policies
from maintain.cli.catalogues import catalogues
from maintain.predicate import FIELDS, LATER_FIELDS, OPERATORS
from maintain.vocabulary import Claim
from maintain_policies.language import KEYS

POLICIES = Path(__file__).parents[3] / "policies"


def test_the_front_door_lists_what_is_there() -> None:
    names = maintain_policies.__all__
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(maintain_policies, name)] == []


def test_it_opens_without_anything_heavy() -> None:
    code = (
        "import sys, maintain_policies;"
        "heavy = {'yaml', 'numpy', 'torch', 'pandas', 'sqlalchemy', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("name", maintain_policies.STORY_POLICIES)
def test_a_policy_of_a_story_is_valid_and_no_second_copy_of_a_worked_example(name: str) -> None:
    own = resources.files("maintain_policies.demo") / name
    assert own.is_file() != (name.removesuffix(".yaml") in maintain_policies.KINDS)
    policy = maintain_policies.parse_policy(maintain_policies.demo_policy(name), source=name, catalogues=catalogues())
    assert policy.name == name.removesuffix(".yaml")


def test_the_impostor_is_offered_for_what_the_anatomy_is_asked() -> None:
    texts = [maintain_policies.demo_policy(name) for name in ("impostor.yaml", "variant-anatomy.yaml")]
    offered, asked = (maintain_policies.parse_policy(text, source="-", catalogues=catalogues()) for text in texts)
    assert replace(offered, name=asked.name) == asked


@pytest.mark.parametrize("name", maintain_policies.DEMO_POLICIES)
def test_every_demo_policy_is_an_example_and_valid(name: str) -> None:
    example = POLICIES / "examples" / name.removesuffix(".yaml") / "policy.yaml"
    assert maintain_policies.demo_policy(name) == example.read_text(encoding="utf-8")
    assert maintain_policies.load_policy(example, catalogues()).name == name.removesuffix(".yaml")


def test_there_is_one_for_each_claim() -> None:
    claims = {
        maintain_policies.parse_policy(maintain_policies.demo_policy(name), source=name, catalogues=catalogues()).claim
        for name in maintain_policies.DEMO_POLICIES
    }
    assert claims == set(Claim)


def test_the_page_of_the_language_names_every_key_field_and_operator() -> None:
    page = (POLICIES / "README.md").read_text(encoding="utf-8")
    words = [path.rpartition(".")[2] for path in KEYS] + [*FIELDS, *LATER_FIELDS] + [str(one) for one in OPERATORS]
    assert [word for word in words if f"`{word}`" not in page] == []
