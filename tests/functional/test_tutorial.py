"""docs/tutorial.md and docs/install.md: every command, in order, on a hospital as small as it may be."""

from __future__ import annotations

import io
import json
import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.commands import Said, say
from maintain_pipelines.demo import demo_key

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")

#: How a block is said to end, and its lines.
BLOCKS = re.findall(r"(?:<!-- exits (\d) -->\n)?```sh\n(.*?)```", PAGE, re.DOTALL)

#: Smaller and easier than the page's, where a command allows it: the page takes minutes.
QUICKER: dict[tuple[str, ...], list[str]] = {
    ("cohort", "sample"): ["--patients", "260", "--difficulty", "0.5", "--seed", "3"],
    ("model", "train"): ["--epochs", "6"],
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    """What every line of the page answered; each must end as the page says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("reader"))
        patch.setattr(secrets, "token_bytes", lambda count: demo_key(3)[:count])
        answered = {}
        for code, block in BLOCKS:
            for line in _lines(block):
                said = _do(line, patch)
                assert said.code == int(code or 0), f"{line}: {said.out}{said.err}"
                assert line not in answered or line == "maintain runs list", f"said twice: {line}"
                answered[line] = said
        return answered


def test_the_page_leads_from_dicom_to_the_report_and_on(answers: dict[str, Said]) -> None:
    nouns = [tuple(shlex.split(line)[1:3]) for line in answers if line.startswith("maintain ")]
    for command in ("cohort ingest", "cohort split", "model train", "registry promote", "audit verify"):
        assert tuple(command.split()) in nouns
    assert answers["maintain report RUN"].out.strip().endswith("05-report.html")
    assert len(answers) > 25


def test_a_patient_who_asks_is_answered(answers: dict[str, Said]) -> None:
    (asked,) = [line for line in answers if "audit exposure" in line]
    assert "fundus-triage        2  champion  NO" in answers[asked].out


def test_the_model_from_elsewhere_is_refused_adopted_and_proven(answers: dict[str, Said]) -> None:
    refused, adopted = (said for line, said in answers.items() if "model adopt" in line)
    assert "does not answer what production answered" in refused.err
    assert "Manifest declared" in adopted.out
    assert "manifest     proven" in answers["maintain model show fundus-other"].out


def test_the_verdict_that_is_no_is_the_one_that_the_page_shows(answers: dict[str, Said]) -> None:
    sentence = "the share of decisions that change (churn) is shown above 0.01."
    assert sentence in answers["maintain run policies/expired.yaml"].out
    assert PAGE.count(sentence) == 2


def test_what_the_page_shows_is_what_is_said(answers: dict[str, Said]) -> None:
    """Every line of an output on the page that has no figure in it is said by some command, word for word."""
    said = " ".join(" ".join(one.out.split()) for one in answers.values())
    shown = [line for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    words = [" ".join(line.split()) for line in shown if not re.search(r"\d", line) and set(line) - set("- ")]
    assert len(words) > 8
    assert [line for line in words if line not in said and "SOPInstanceUID" not in line] == []


# --- private ---------------------------------------------------------------------------------------


def _lines(block: str) -> list[str]:
    """The commands of a block; one with a text of its own inside stays whole."""
    return re.findall(r"^[^\n]*<<'END'\n.*?^END$|^[^\n]+$", block, re.DOTALL | re.MULTILINE)


def _do(line: str, patch: pytest.MonkeyPatch) -> Said:
    """One line: `maintain` in this process, what it is fed and everything else by the shell."""
    fed, _, command = line.rpartition(" | ")
    words = shlex.split(command) if command.startswith("maintain ") else shlex.split(line.partition("\n")[0])
    if words[0] == "cd":
        patch.chdir(Path.cwd() / words[1])
        return Said(0, "", "")
    if words[0] != "maintain":
        return _by_shell(line.replace("python3 CHECKOUT", f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT))}"))
    if fed:
        patch.setattr(sys, "stdin", io.StringIO(_by_shell(fed).out))
    words = [_first_run() if word == "RUN" else word for word in words[1:]]
    if words[0] == "run":
        _widen_margins(Path(words[1]))
    return say(*words, *QUICKER.get(tuple(words[:2]), []))


def _by_shell(line: str) -> Said:
    done = subprocess.run(["sh", "-euc", line], capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def _first_run() -> str:
    (first, *_) = json.loads(say("runs", "list", "--json").out)["runs"]
    return str(first["run"])


def _widen_margins(policy: Path) -> None:
    """The tests' hospital is too small for the default margins; the page's own is not."""
    text = policy.read_text(encoding="utf-8")
    wider = re.sub(r"\ngates: default\b", "\ngates: [default, {retention: {max_churn: 1}}]", text)
    wider = wider.replace("{max_churn:", "{margin: 0.15, lineage_margin: 0.15, max_churn:")
    assert "margin: 0.15" in wider
    if "margin: 0.15" not in text:
        policy.write_text(wider, encoding="utf-8")
