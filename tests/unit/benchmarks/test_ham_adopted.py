"""The page about the adopted model says what its cell says."""

from __future__ import annotations

import json
from pathlib import Path

from ham_adopted import CELL, render

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"


def test_the_committed_page_is_that_of_the_committed_cell_and_names_no_patient() -> None:
    text = (RESULTS / "ham_adopted.json").read_text(encoding="utf-8")
    page = (RESULTS / "ham_adopted.md").read_text(encoding="utf-8")
    assert page.endswith(render(json.loads(text)))
    assert "HAM_" not in text
    assert "ISIC_" not in text


def test_weights_that_never_served_were_refused() -> None:
    cell = json.loads((RESULTS / "ham_adopted.json").read_text(encoding="utf-8"))["cells"][CELL]
    assert "does not answer what production answered" in cell["refused"]
    assert [one["exit"] for one in cell["commands"] if "earlier.pt" in one["words"]] == [2]
