"""What serves, and the way back: promote, rollback and suspend on the consent story."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from functional.conftest import EPOCHS
from helpers.commands import say
from helpers.lineage import opened
from maintain.database import open_database
from maintain.errors import DamagedError
from maintain_pipelines.rehearsal import load_and_answer
from maintain_registry import Ledger

MODEL = "fundus-triage"
WHY = ("--reason", "ticket 4711")


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Path:
    """The finished workspace, in which the candidate was promoted. Copy it."""
    workspace = Path(shutil.copytree(finished, tmp_path_factory.mktemp("promoted") / "workspace"))
    said = say("registry", "promote", MODEL, workspace=workspace)
    assert said.code == 0, said.err
    return workspace


@pytest.fixture
def serving(tmp_path: Path, promoted: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(promoted, tmp_path / "workspace"))


def aliases(workspace: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((workspace / f"registry/{MODEL}/aliases.json").read_bytes())["body"]
    return found


def last_entry(workspace: Path) -> tuple[str, dict[str, Any]]:
    database = open_database(workspace / "maintain.db")
    with database.read() as unit:
        entry = Ledger.entries(Ledger.__new__(Ledger), unit)[-1]
    database.close()
    return entry.event.value, dict(entry.body)


def require_sound(workspace: Path) -> None:
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    told = say("doctor", "--json", workspace=workspace).document["findings"]
    assert [item["said"] for item in told if item["check"] == "registry"] == [
        "2 registered versions, each as its ledger entry says."
    ]


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("promote", "nobody"), 2, "no model called 'nobody'"),
        (("promote", MODEL, 7), 2, "no registered version of fundus-triage called '7'"),
        (("promote", MODEL, 1), 5, "Version 1 of fundus-triage already serves"),
        (("rollback", MODEL, *WHY), 1, "no version of fundus-triage to return to"),
        (("rollback", MODEL, "--to", 2, *WHY), 1, "never served"),
        (("rollback", MODEL, "--to", 1, *WHY), 5, "already serves"),
        (("rollback", MODEL, "--to", 9, *WHY), 2, "no registered version"),
        (("rollback", MODEL), 2, "--reason"),
        (("suspend", MODEL), 2, "--reason"),
        (("suspend", MODEL, "--reason", "two\nlines"), 2, "one line"),
        (("suspend", MODEL, "--reason", ""), 2, "one line"),
        (("suspend", "nobody", *WHY), 2, "no model called"),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(
    finished: Path, words: tuple[object, ...], code: int, said: str
) -> None:
    before = last_entry(finished), aliases(finished)
    answer = say("registry", *words, workspace=finished)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert (last_entry(finished), aliases(finished)) == before


# --- promote ---------------------------------------------------------------------------------------


def test_a_candidate_is_promoted_once(serving: Path) -> None:
    assert aliases(serving) == {"champion": 2, "previous": 1}
    event, body = last_entry(serving)
    assert (event, body["version"], body["left"]) == ("version-promoted", 2, 1)
    assert body["aliases"] == {"champion": 2, "candidate": None, "previous": 1}
    for words in (("promote", MODEL), ("promote", MODEL, 2)):
        again = say("registry", *words, workspace=serving)
        assert again.code == 5
        assert "version 2" in again.err.lower()
        assert "already serves" in again.err
    require_sound(serving)


def test_the_whole_story_run_promote_run_again(serving: Path) -> None:
    again = say("plan", serving / "policies/consent.yaml", workspace=serving)
    assert again.code == 5, again.out + again.err
    again = say("run", serving / "policies/consent.yaml", workspace=serving)
    assert again.code == 5, again.out + again.err


def test_a_version_that_learned_from_what_was_suppressed_since_is_not_promoted(ended: Path) -> None:
    manifest = json.loads((ended / f"registry/{MODEL}/v0002/manifest.json").read_bytes())["body"]
    case = manifest["learned"][0]["case_id"]
    assert say("cohort", "suppress", case, "--reason", "outlier", "--model", MODEL, workspace=ended).code == 0
    answer = say("registry", "promote", MODEL, workspace=ended)
    assert answer.code == 1
    assert "learned from what may not be used any more: 1 cases of 1 people" in answer.err
    assert case not in answer.err
    assert aliases(ended) == {"candidate": 2, "champion": 1}


def test_damaged_weights_never_serve(ended: Path) -> None:
    weights = ended / f"registry/{MODEL}/v0002/weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    answer = say("registry", "promote", MODEL, workspace=ended)
    assert answer.code == 4
    assert "not what was stored" in answer.err
    assert aliases(ended) == {"candidate": 2, "champion": 1}


def test_nothing_is_promoted_over_an_alias_that_was_moved_by_hand(ended: Path) -> None:
    path = ended / f"registry/{MODEL}/aliases.json"
    path.write_bytes(path.read_bytes().replace(b'"champion":1', b'"champion":2'))
    answer = say("registry", "promote", MODEL, workspace=ended)
    assert answer.code == 1
    assert "registry and the ledger disagree" in answer.err
    run = say("run", ended / "policies/consent.yaml", workspace=ended)
    assert (run.code, "registry and the ledger disagree" in run.err) == (1, True)
    told = say("doctor", workspace=ended)
    assert told.code == 1
    assert "The alias champion of fundus-triage points at version 2; the ledger says version 1." in told.out
    back = say("registry", "rollback", MODEL, "--to", 1, *WHY, workspace=ended)
    assert back.code == 1, "version 1 learned from people who took back consent"


# --- the way back ----------------------------------------------------------------------------------


def test_nobody_returns_to_a_version_that_learned_from_people_who_withdrew(serving: Path, hospital: Path) -> None:
    answer = say("registry", "rollback", MODEL, *WHY, workspace=serving)
    assert answer.code == 1
    assert "Version 1 of fundus-triage learned from" in answer.err
    assert "consent withdrawn" in answer.err
    assert "maintain registry suspend" in answer.err
    for line in (hospital / "withdrawals.csv").read_text(encoding="utf-8").splitlines()[1:]:
        assert line.split(",")[0] not in answer.err
    assert aliases(serving) == {"champion": 2, "previous": 1}


# --- rehearsed -------------------------------------------------------------------------------------


def test_a_promotion_is_tried_without_being_made(ended: Path) -> None:
    tried = say("registry", "promote", MODEL, "--dry-run", "--json", workspace=ended)
    assert (tried.code, tried.document["version"], tried.document["dry_run"]) == (0, 2, True)
    assert tried.document["checked"]["apart"] < 1e-5
    assert aliases(ended) == {"champion": 1, "candidate": 2}


def test_a_version_that_answers_otherwise_is_not_returned_to(serving: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(serving) as context:
        rehearsed = load_and_answer(MODEL, 1, context)
        assert rehearsed.apart == 0.0
        monkeypatch.setattr("maintain_pipelines.rehearsal.apart_from_registration", lambda *_: 0.01)
        with pytest.raises(DamagedError, match="otherwise than when it was registered"):
            load_and_answer(MODEL, 1, context)
        monkeypatch.setattr("maintain_pipelines.rehearsal.apart_from_registration", lambda *_: None)
        assert "were not recorded yet" in load_and_answer(MODEL, 1, context).lines()[-1]


@pytest.mark.parametrize("change", ["another", "gone"])
def test_answers_that_somebody_wrote_anew_are_damage(ended: Path, change: str) -> None:
    """The store's own list was forged too: the digest in the ledger is another."""
    folder = ended / f"registry/{MODEL}/v0002"
    listed = json.loads((folder / "files.json").read_bytes())
    if change == "gone":
        (folder / "outputs.json").unlink()
        del listed["body"]["outputs.json"]
    else:
        data = (folder / "outputs.json").read_bytes().replace(b"1", b"2")
        (folder / "outputs.json").write_bytes(data)
        listed["body"]["outputs.json"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "files.json").write_text(json.dumps(listed), encoding="utf-8")
    refused = say("registry", "promote", MODEL, "--dry-run", workspace=ended)
    assert (refused.code, "has another outputs.json than its ledger entry names" in refused.err) == (4, True)
    told = say("audit", "verify", "--registry", workspace=ended)
    assert (told.code, f"outputs.json of {MODEL} version 2" in told.out) == (1, True)
    assert "outputs.json" in say("doctor", workspace=ended).out


# --- suspended -------------------------------------------------------------------------------------


def test_a_suspended_model_says_what_leads_on(serving: Path) -> None:
    said = say("registry", "suspend", MODEL, *WHY, workspace=serving)
    assert said.code == 0
    assert "version 2 was left" in said.out
    for command in ("plan", "run"):
        refused = say(command, serving / "policies/consent.yaml", workspace=serving)
        assert refused.code == 2
        assert "no version of it serves" in refused.err
        assert "rollback --to VERSION" in refused.err
    require_sound(serving)
    rehearsed = say("registry", "rollback", MODEL, "--to", 2, *WHY, "--dry-run", workspace=serving)
    assert rehearsed.code == 0, rehearsed.err
    assert "Nothing was changed" in rehearsed.out
    assert "weights.safetensors" in rehearsed.out
    assert "It answered 8 of its validation cases" in rehearsed.out
    assert "answers synthetic pictures as when it was registered" in rehearsed.out
    assert aliases(serving) == {"previous": 1}
    back = say("registry", "rollback", MODEL, "--to", 2, *WHY, "--json", workspace=serving)
    assert (back.code, back.document["version"], back.document["reopened"]) == (0, 2, [])
    assert aliases(serving) == {"champion": 2, "previous": 1}
    require_sound(serving)


def test_a_suspended_model_is_not_trained_on_a_snapshot_from_before(serving: Path) -> None:
    assert say("registry", "suspend", MODEL, *WHY, workspace=serving).code == 0
    said = say("model", "train", MODEL, "--snapshot", "first", "--epochs", 1, workspace=serving)
    assert said.code == 1
    assert "were suppressed since it was taken" in said.err
    assert "maintain cohort snapshot" in said.err
    taken = say("cohort", "snapshot", "second", "--model", MODEL, workspace=serving)
    assert taken.code == 0, taken.err
    trained = say("model", "train", MODEL, "--snapshot", "second", "--epochs", 1, workspace=serving)
    assert trained.code == 0, trained.err
    assert "version 3 is trained and serves" in trained.out
    assert aliases(serving) == {"champion": 3, "previous": 1}


def test_a_suspended_version_is_not_installed_again_by_training_it_again(trained: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(trained, tmp_path / "workspace"))
    assert say("registry", "suspend", MODEL, *WHY, workspace=workspace).code == 0
    said = say("model", "train", MODEL, "--snapshot", "first", "--epochs", EPOCHS, workspace=workspace)
    assert said.code == 1
    assert "came out as version 1" in said.err
    assert aliases(workspace) == {}
