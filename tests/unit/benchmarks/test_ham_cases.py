"""A made-up file of the same shape as the subset of HAM10000: refused when it is another, else read in by an intake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ham_cases import DICOM, LABELS, Source, export, read_source

from maintain.intake import Pseudonyms, Reading, read_dicom, read_labels

#: A key like any other.
KEY = bytes(range(32))

COLUMNS: dict[str, Any] = {
    "class_names": np.array(["mel", "nv"]),
    "device": np.array([0, 1, 1]),
    "device_names": np.array(["rosendahl", "vienna_dias"]),
    "images": np.arange(3 * 4 * 4 * 3, dtype=np.uint8).reshape(3, 4, 4, 3),
    "labels": np.array([1, 0, 1]),
    "meta_age": np.array([45.0, np.nan, 80.0], dtype=np.float32),
    "meta_image_id": np.array(["ISIC_1", "ISIC_2", "ISIC_3"]),
    "meta_lesion_id": np.array(["HAM_1", "HAM_2", "HAM_3"]),
    "meta_sex": np.array(["male", "unknown", "female"]),
    "readme": np.array(json.dumps({"name": "made up"})),
}


def stored(path: Path, **changed: Any) -> Path:
    """Such a file, with other columns where they are named, and without those that are None."""
    columns = {name: column for name, column in {**COLUMNS, **changed}.items() if column is not None}
    np.savez(path, **columns)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return read_source(stored(tmp_path / "ham.npz"))


def test_another_file_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no meta_sex"):
        read_source(stored(tmp_path / "ham.npz", meta_sex=None))
    (tmp_path / "text.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"text\.npz cannot be read"):
        read_source(tmp_path / "text.npz")


def test_a_folder_that_is_there_is_never_written_into(source: Source, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        export(source, tmp_path)


def test_an_intake_reads_every_image_as_it_was(source: Source, tmp_path: Path) -> None:
    export(source, tmp_path / "out")
    pseudonyms, people = Pseudonyms(KEY), []
    for lesion, pixels in zip(source.lesions, source.pixels, strict=True):
        read = read_dicom(tmp_path / "out" / DICOM / lesion.device / f"{lesion.image_id}.dcm", pseudonyms)
        assert isinstance(read, Reading)
        assert np.array_equal(read.pixels, pixels)
        assert read.case.case_id == pseudonyms.uid("instance", lesion.sop_uid)
        assert read.case.device.model == lesion.device
        assert read.flags == ()
        people.append((read.case.age, read.case.sex))
    assert people == [(45, "M"), (None, None), (80, "F")]


def test_the_table_of_labels_has_both_answers_of_every_image(source: Source, tmp_path: Path) -> None:
    export(source, tmp_path / "out")
    table = read_labels(tmp_path / "out" / LABELS, Pseudonyms(KEY))
    assert table.names == ("diagnosis", "malignancy")
    assert sorted(row.value for row in table.rows) == ["benign", "benign", "malignant", "mel", "nv", "nv"]


def test_equal_sources_write_equal_bytes(source: Source, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(source, tmp_path / name)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) == 4
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
