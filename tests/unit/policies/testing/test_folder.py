"""Tests are found wherever they lie, and a policy without its test never passes for one that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.cli.catalogues import catalogues
from maintain.errors import InputError, PolicyError
from maintain_policies.testing import COHORT_FILE, EXPECT_FILE, POLICY_FILE, find_tests, load_test

FILES = (POLICY_FILE, COHORT_FILE, EXPECT_FILE)


def folder_of(place: Path, *names: str) -> Path:
    """A folder with these files, empty."""
    place.mkdir(parents=True)
    for name in names:
        (place / name).touch()
    return place


@pytest.mark.parametrize("lacking", FILES)
def test_a_test_that_lacks_a_file_is_named(tmp_path: Path, lacking: str) -> None:
    folder_of(tmp_path / "whole", *FILES)
    folder_of(tmp_path / "part", *(name for name in FILES if name != lacking))
    with pytest.raises(InputError, match=rf"part has no {lacking}"):
        find_tests([tmp_path])


@pytest.mark.parametrize("place", ["nowhere", "empty", "a-file"])
def test_a_place_without_tests_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").touch()
    with pytest.raises(InputError, match=place):
        find_tests([tmp_path / place])


def test_each_folder_is_found_once_in_order(tmp_path: Path) -> None:
    inner, outer = folder_of(tmp_path / "b" / "deep", *FILES), folder_of(tmp_path / "a", *FILES)
    assert find_tests([tmp_path, outer]) == (outer, inner)


def test_the_mistakes_of_all_three_files_come_together(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "test", *FILES)
    with pytest.raises(PolicyError) as caught:
        load_test(folder, catalogues())
    assert [Path(problem.source).name for problem in caught.value.problems] == [*FILES]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "test", *FILES)
    (folder / COHORT_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"cohort\.yaml is not UTF-8"):
        load_test(folder, catalogues())
