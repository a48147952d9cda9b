"""A champion of another network than the demo's: its options are said at the command line and kept with it."""

from __future__ import annotations

from pathlib import Path

from helpers.commands import say


def test_a_network_is_trained_with_the_options_that_were_said(fresh: Path) -> None:
    say("cohort", "split", "second", "--train", 2, "--validation", 1, "--holdout", 9, workspace=fresh)
    assert say("cohort", "snapshot", "for-second", "--model", "second", workspace=fresh).code == 0
    said = say(
        *("model", "train", "second", "--snapshot", "for-second", "--epochs", 1),
        *("--network", "all-cnn", "--network-option", "width=half"),
        workspace=fresh,
    )
    assert said.code == 0, said.err
    shown = say("model", "show", "second", "--json", workspace=fresh).document
    assert shown["spec"]["network"] == {"name": "all-cnn", "options": [{"name": "width", "value": "half"}]}
    assert "all-cnn, width half" in say("model", "show", "second", workspace=fresh).out
    assert say("audit", "verify", workspace=fresh).code == 0
