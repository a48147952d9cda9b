"""The page about HAM10000 says what its cells say, and whose images they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ham10000 import STORIES
from ham_page import TEXTS, render

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def committed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / "ham10000.json").read_text(encoding="utf-8"))
    return document


def test_the_committed_page_is_that_of_the_committed_cells() -> None:
    page = (RESULTS / "ham10000.md").read_text(encoding="utf-8")
    assert page.endswith(render(committed()))


def test_every_story_has_its_words() -> None:
    assert [story.name for story in STORIES] == list(TEXTS)


def test_it_names_source_licence_and_the_verdicts_sentence() -> None:
    document = committed()
    page = render(document)
    assert "CC BY-NC-SA 4.0" in page
    assert "Sci Data 5:180161 (2018)" in page
    assert all(cell["reason"] in page for cell in document["cells"].values())


def test_every_model_is_told_of_inside_nevi_too() -> None:
    for cell in committed()["cells"].values():
        for counts in cell["figures"].values():
            for arm in counts.values():
                assert arm == {} or arm["nv"][1] < arm["all"][1]


def test_no_identifier_of_the_source_is_in_it() -> None:
    text = (RESULTS / "ham10000.json").read_text(encoding="utf-8")
    assert "ISIC_" not in text
    assert "HAM_" not in text
