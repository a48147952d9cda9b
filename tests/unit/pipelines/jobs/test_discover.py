"""Which files are jobs, and that one which is none stops no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.nights import LAID, lay, load
from maintain_pipelines.jobs.discover import Found, discover


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "maintain.toml").write_text("")
    return tmp_path


def test_a_folder_that_is_not_there_is_told(root: Path) -> None:
    found = discover(root / "policies", load())
    assert found.jobs == ()
    assert [file.file for file in found.unreadable] == ["policies"]
    (root / "policies").mkdir()
    assert discover(root / "policies", load()) == Found((), ())


def test_what_cannot_be_read_is_told_and_stops_no_other(root: Path) -> None:
    lay(root, "good")
    lay(root, "bad", cron="0 25 * * *")
    (root / "policies" / "worse.yml").write_bytes(b"\xff\xfe\xff")
    (root / "policies" / "gone.yaml").symlink_to(root / "nowhere")
    found = discover(root / "policies", load())
    assert [job.name for job in found.jobs] == ["good"]
    assert [file.file for file in found.unreadable] == ["bad.yaml", "gone.yaml", "worse.yml"]
    bad, gone, worse = (file.told for file in found.unreadable)
    assert bad == "It has 1 mistake; `maintain policy validate policies/bad.yaml` shows where."
    assert "No such file" in gone
    assert str(root) not in gone + worse


def test_two_scheduled_files_of_one_name_are_both_refused(root: Path) -> None:
    lay(root, "twin", file="one.yaml")
    lay(root, "twin", file="two.yml", cron="0 4 * * *")
    lay(root, "other")
    found = discover(root / "policies", load())
    assert [job.name for job in found.jobs] == ["other"]
    assert [file.file for file in found.unreadable] == ["one.yaml", "two.yml"]
    assert all("called twin (one.yaml, two.yml)" in file.told for file in found.unreadable)


def test_a_job_is_a_policy_file_with_a_schedule(root: Path) -> None:
    path = lay(root, "b")
    lay(root, "a", file="z.yml")
    lay(root, "hidden", file=".hidden.yaml")
    lay(root, "test", file="note.txt")
    (root / "policies" / "below").mkdir()
    (root / "policies" / "below" / "policy.yaml").write_text("no policy")
    by_hand = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("schedule"))
    (root / "policies" / "by-hand.yaml").write_text(by_hand.replace("name: b\n", "name: by-hand\n"))
    found = discover(root / "policies", load())
    assert [(job.name, job.file) for job in found.jobs] == [("a", "z.yml"), ("b", "b.yaml")]
    assert found.unreadable == ()
    assert {job.laid for job in found.jobs} == {LAID}
