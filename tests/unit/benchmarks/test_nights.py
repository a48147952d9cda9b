"""A month of nights in small: three nights, a letter on the third, and what a table says of it."""

from __future__ import annotations

from pathlib import Path

import nights
import pytest


def test_three_nights_end_with_every_request_explained_and_the_ledger_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "EPOCHS", 1)
    cell = nights.month(tmp_path, 5, nights=3, patients=60)
    assert cell["ledger_held"] == 3
    assert (cell["registry"], cell["doctor"], cell["holdout_learned"]) == ("agrees", "no problem", 0)
    assert [bool(night["letter"]) for night in cell["nights"]] == [False, False, True]
    [(name, end)] = cell["requests"].items()
    assert name == "R-2026-0001"
    assert end["state"] in ("open", "answered")
    assert end["why"]
    machine = {"cpu": "a processor", "threads": 1, "torch": "2", "date": "2026-01-01"}
    page = nights.render({"machine": machine, "cells": {"5": cell}})
    assert "| 5 | R-2026-0001 " in page
    assert "Not closed, and why:" in page
