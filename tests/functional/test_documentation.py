"""Documentation that cannot lie: every command of the README is run, every command is in the reference."""

from __future__ import annotations

import os
import re
import runpy
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.commands import say
from maintain.hospital.painting import LESION_COLOURS
from maintain.imaging.adopting import NamedTransform, chain_of, known_transforms
from maintain.unlearn import METHODS
from maintain_pipelines.adopting.recipes import read_recipe
from maintain_pipelines.demo import demo_key
from maintain_policies import read_named

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_every_command_of_the_tour_works(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "hospital").symlink_to(hospital)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(secrets, "token_bytes", lambda count: demo_key(3)[:count])
    ran = 0
    for line in "".join(BLOCKS).splitlines():
        words = shlex.split(line)
        if words[0] == "cd":
            monkeypatch.chdir(Path.cwd() / words[1])
        elif words[0] == "maintain":
            said = say(*words[1:])
            assert said.code == 0, f"{line}: {said.out}{said.err}"
            ran += 1
            if words[1] == "init":
                _widen_margin(Path(words[2]) / "policies" / "consent-withdrawal.yaml")
        else:
            assert words[0] == "export", f"a command that no test runs: {line}"
    assert ran > 12
    _ask_what_serves(Path.cwd())


def _ask_what_serves(workspace: Path) -> None:
    """The example in Python, in a process that has never heard of `maintain`."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", example], env=environment, cwd=workspace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().strip("[]'") in LESION_COLOURS


def _widen_margin(policy: Path) -> None:
    """The tests' hospital is too small for the default margin; the README's own is not."""
    text = policy.read_text(encoding="utf-8")
    assert "\ngates: default" in text
    wider = "\ngates: [default, {retention: {margin: 0.15}}]"
    policy.write_text(text.replace("\ngates: default", wider), encoding="utf-8")


def test_the_two_commands_are_verbs_of_the_makefile() -> None:
    verbs = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"^    make (\w+)", README, re.MULTILINE)
    assert named == ["demo", "test"]
    assert set(named) <= set(verbs)


def test_every_link_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md")]
    assert len(pages) > 8
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_reference_is_what_the_program_says() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "generate_cli.py"))["reference"]()
    assert reference.count("\n## maintain ") >= 18
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference, "run python docs/generate_cli.py"


def test_the_page_of_the_gates_is_what_the_table_says() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "generate_gates.py"))["reference"]()
    assert reference.count("\n## ") >= 11
    assert (ROOT / "docs" / "gates.md").read_text(encoding="utf-8") == reference, "run python docs/generate_gates.py"


def test_the_page_of_the_methods_is_what_the_table_says() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "generate_methods.py"))["reference"]()
    page = (ROOT / "docs" / "methods" / "reference.md").read_text(encoding="utf-8")
    assert page == reference, "run python docs/generate_methods.py"
    language = (ROOT / "policies" / "README.md").read_text(encoding="utf-8")
    assert [name for name in METHODS if f"`{name}`" not in language] == []


def test_the_page_of_the_policy_language_is_what_the_catalogues_say() -> None:
    reference = runpy.run_path(str(ROOT / "docs" / "generate_policy.py"))["reference"]()
    assert (ROOT / "docs" / "policy.md").read_text(encoding="utf-8") == reference, "run python docs/generate_policy.py"


def test_every_command_has_an_example() -> None:
    pages = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert [page.splitlines()[0] for page in pages if "Example" not in page] == []


def test_every_setting_is_documented() -> None:
    from dataclasses import fields

    from maintain.settings import Settings

    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    settings = Settings()
    keys = [f"{s.name}.{key.name}" for s in fields(settings) for key in fields(getattr(settings, s.name))]
    assert [key for key in keys if f"`{key}`" not in page] == []


def test_the_files_of_the_page_on_adopting_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
    blocks = {block.split("\n")[0]: block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)}
    for name, block in blocks.items():
        (tmp_path / f"{name.strip('# ')}.yaml").write_text(block, encoding="utf-8")
    entries = read_named(tmp_path / "preprocessing.yaml", what="preprocessing")
    steps = chain_of([NamedTransform(entry.name, entry.options, entry.place) for entry in entries])
    assert [step.name for step in steps] == ["to-float", "resize", "standardise"]
    assert read_recipe(tmp_path / "recipe.yaml") is not None
    assert all(f"`{name}`" in page for name in known_transforms())
