"""`maintain policy test` and `maintain policy new`, as people and schedulers meet them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from helpers.commands import say
from maintain_policies import KINDS

EXAMPLES = Path(__file__).parents[4] / "policies" / "examples"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """One worked example, to be spoilt."""
    return Path(shutil.copytree(EXAMPLES / "retired-camera", tmp_path / "retired-camera"))


def spoil(file: Path, before: str, after: str) -> None:
    """Change one thing in a file."""
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_an_expectation_that_does_not_hold_is_exit_1_at_its_place(example: Path) -> None:
    spoil(example / "expect.yaml", "    - successor\n", "    - sucessor\n")
    done = say("policy", "test", example)
    assert done.code == 1
    assert f"{example}/expect.yaml:12:7: the cohort has no case 'sucessor'; did you mean 'successor'?" in done.out
    assert f"{example}/cohort.yaml:14:5: nobody expected that 'successor' is retain" in done.out
    assert "1 policy, 1 failed: 1 of 38 expectations do not hold; 1 more that nobody expected." in done.out


@pytest.mark.parametrize(
    ("file", "before", "after", "place"),
    [
        ("policy.yaml", "device.model:", "device.modl:", "policy.yaml:11:11"),
        ("cohort.yaml", "split: train", "split: trian", "cohort.yaml:7:46"),
        ("expect.yaml", "retain:", "retian:", "expect.yaml:10:3"),
    ],
)
def test_a_mistake_in_a_file_is_exit_2_at_its_place(
    example: Path, file: str, before: str, after: str, place: str
) -> None:
    spoil(example / file, before, after)
    done = say("policy", "test", example)
    assert (done.code, done.out) == (2, "")
    assert f"/{place}: " in done.err


@pytest.mark.parametrize("place", ["nowhere", "empty", "retired-camera/policy.yaml"])
def test_a_place_without_a_test_is_exit_2(example: Path, place: str) -> None:
    (example.parent / "empty").mkdir()
    done = say("policy", "test", example.parent / place)
    assert (done.code, done.out) == (2, "")
    assert "Name a folder with policy.yaml" in done.err


def test_a_policy_without_its_test_is_exit_2(example: Path) -> None:
    (example / "expect.yaml").unlink()
    done = say("policy", "test", example.parent)
    assert done.code == 2
    assert "retired-camera has no expect.yaml" in done.err


def test_all_examples_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    done = say("policy", "test")
    assert done.code == 0
    assert re.fullmatch(r"9 policies, \d+ expectations hold\.", done.out.splitlines()[-1])


def test_the_document_says_what_the_lines_say(example: Path) -> None:
    spoil(example / "policy.yaml", "max_percent: 40", "max_percent: 41")
    done = say("policy", "test", example, "--json")
    assert done.code == 1
    assert done.document["schema"] == "maintain.cli.policy-test"
    (policy,) = done.document["policies"]
    assert (policy["policy"], policy["expectations"], policy["held"], policy["holds"]) == (
        "retired-camera",
        38,
        37,
        False,
    )
    assert policy["problems"][0]["message"] == "max_percent was expected as 29.4 of 40, and is 29.4 of 41"


def test_a_new_policy_never_takes_the_place_of_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine", encoding="utf-8")
    done = say("policy", "new", "wrong-labels", "-o", file)
    assert (done.code, file.read_text(encoding="utf-8")) == (2, "mine")
    assert "is there already" in done.err
    assert say("policy", "new", "wrong-labels", "-o", file, "--force").code == 0
    assert say("policy", "validate", file).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "No kind"),
        (("retired-camra",), "Did you mean 'retired-camera'?"),
        (("retired-camera", "--list"), "no kind"),
        (("retired-camera", "--field", "device.model"), "gives no field a value"),
        (("retired-camera", "--field", "site=a"), "tests site not at all"),
        (("retired-camera", "--field", "device.model=a", "--field", "device.model=b"), "given twice"),
        (("retired-camera", "--name", "Our Camera"), "lower-case words"),
        (("retired-camera", "-o", "no/such/folder/p.yaml"), "cannot be written"),
    ],
)
def test_a_wrong_wish_writes_nothing(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = say("policy", "new", *arguments)
    assert (done.code, done.out, list(tmp_path.iterdir())) == (2, "", [])
    assert said in done.err


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_valid_with_its_next_step(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = say("policy", "new", kind, "--name", "ours", "--model", "our-model")
    assert done.code == 0
    assert "`maintain plan ours.yaml`" in done.out
    assert say("policy", "validate", "ours.yaml").code == 0
    assert "name: our-model" in Path("ours.yaml").read_text(encoding="utf-8")


def test_the_list_says_what_each_kind_is_for() -> None:
    done = say("policy", "new", "--list")
    assert done.code == 0
    assert [kind for kind in KINDS if kind not in done.out] == []
    document = say("policy", "new", "--list", "--json").document
    assert [row["kind"] for row in document["kinds"]] == list(KINDS)
