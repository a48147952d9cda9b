"""What the demo prepares: a hospital that is whole, and a key that protects nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintain.errors import InputError
from maintain_pipelines.context import silence
from maintain_pipelines.demo import DemoOrder, demo_key, prepare_hospital


def test_a_folder_that_is_no_whole_hospital_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "hospital").mkdir()
    (tmp_path / "hospital" / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match="not a whole synthetic hospital"):
        prepare_hospital(tmp_path / "hospital", DemoOrder(10, 1, 1), silence())
    assert (tmp_path / "hospital" / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_a_hospital_is_drawn_once_and_its_withdrawn_camera_is_the_rarest(tmp_path: Path) -> None:
    place, order = tmp_path / "hospital", DemoOrder(patients=120, seed=1, epochs=1)
    prepare_hospital(place, order, silence())
    assert not (tmp_path / ".hospital.partial").exists()
    before = (place / "truth.jsonl").stat().st_mtime_ns
    prepare_hospital(place, order, silence())
    assert (place / "truth.jsonl").stat().st_mtime_ns == before
    assert (place / "truth.jsonl").read_text(encoding="utf-8").count("Cirrus 800 FA") < 120


def test_keys_differ_by_seed_and_are_whole() -> None:
    assert len(demo_key(1)) == len(demo_key(2)) == 32
    assert demo_key(1) != demo_key(2)
