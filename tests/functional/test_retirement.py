"""Retiring a version: what is refused and changes nothing, and that a retired version is loaded by nobody."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from helpers.commands import say
from helpers.lineage import MODEL, add_candidate, make_promoted, manifest_of, opened
from helpers.retiring import ARTIFACT, DESTROY, RETIRE, WHY, bytes_of, events, rows, weights_of
from maintain.errors import RetiredError
from maintain.records import Origin
from maintain.vocabulary import OriginKind
from maintain_pipelines.champions import load_champion, load_version
from maintain_pipelines.rehearsal import load_and_answer


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 2 serves, 1 did before, 3 waits. Copy it."""
    return make_promoted(tmp_path_factory.mktemp("lineage") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, lineage: Path) -> Path:
    return Path(shutil.copytree(lineage, tmp_path / "workspace"))


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("registry", "retire", "nobody", 1, *WHY), 2, "no model called"),
        (("registry", "retire", MODEL, 9, *WHY), 2, "no registered version"),
        (("registry", "retire", MODEL, 2, *WHY), 1, "registry suspend"),
        (("registry", "retire", MODEL, 2, *WHY, "--destroy", "--yes"), 1, "serves, so it is not retired"),
        (("registry", "retire", MODEL, 1, "--reason", " "), 2, "one line"),
        (("registry", "retire", MODEL, 1, "--reason", "asked by patient-0003"), 2, "names a patient"),
        ((*RETIRE, "--destroy"), 2, "Nobody is at the terminal"),
        ((*RETIRE, "--yes"), 2, "belongs to `--destroy`"),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(
    workspace: Path, words: tuple[object, ...], code: int, said: str
) -> None:
    before = (events(workspace), rows(workspace))
    answer = say(*words, workspace=workspace)
    assert (answer.code, said in answer.err) == (code, True), answer.err
    assert (events(workspace), rows(workspace)) == before
    assert (workspace / ARTIFACT).is_file()


def test_what_another_version_still_needs_is_not_deleted(workspace: Path) -> None:
    with opened(workspace) as context:
        twin = add_candidate(context, 2, salt=0)
    assert bytes_of(workspace, twin) == bytes_of(workspace, 1)
    before = events(workspace)
    answer = say(*DESTROY, workspace=workspace)
    assert answer.code == 1
    assert f"with exactly the same weights: {MODEL} {twin}" in answer.err
    assert (events(workspace), (workspace / ARTIFACT).is_file()) == (before, True)


def test_nothing_is_destroyed_that_an_unfinished_run_began_from(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "maintain.db", isolation_level=None)) as raw:
        raw.execute(
            "insert into run (run, model, policy, policy_name, champion, state, slot, started, changed) "
            "values ('r1', ?, 'p', 'p', ?, 'planned', 1, 'now', 'now')",
            (MODEL, weights_of(workspace, 1)),
        )
    answer = say(*DESTROY, workspace=workspace)
    assert (answer.code, "maintain runs abandon r1" in answer.err) == (6, True)


def test_an_alias_that_somebody_moved_is_not_confirmed_on_the_way(workspace: Path) -> None:
    path = workspace / f"registry/{MODEL}/aliases.json"
    document = json.loads(path.read_bytes())
    document["body"]["champion"] = 3
    path.write_text(json.dumps(document))
    answer = say(*RETIRE, workspace=workspace)
    assert (answer.code, "disagree on the champion" in answer.err) == (1, True)


def test_weights_behind_a_link_are_refused_with_the_way_on(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(bytes_of(workspace, 1))
    (workspace / "copy.safetensors").symlink_to(tmp_path / "copy")
    answer = say(*DESTROY, workspace=workspace)
    assert (answer.code, "behind a link: copy.safetensors" in answer.err) == (1, True)
    assert "destruction-ordered" not in events(workspace)


# --- retired ---------------------------------------------------------------------------------------


def test_a_retired_version_is_loaded_by_nobody_and_still_told_of(workspace: Path) -> None:
    done = say(*RETIRE, "--json", workspace=workspace)
    assert (done.code, done.document["cleared"]) == (0, ["previous"])
    assert (workspace / ARTIFACT).is_file()
    with opened(workspace) as context:
        with pytest.raises(RetiredError, match="nothing loads it"):
            load_version(context, MODEL, 1)
        with pytest.raises(RetiredError, match="nothing loads it"):
            load_and_answer(MODEL, 1, context)
        assert load_champion(context, MODEL).version.version == 2
    for words in (
        ("registry", "rollback", MODEL, *WHY, "--to", 1),
        ("registry", "rollback", MODEL, *WHY, "--to", 1, "--dry-run"),
        ("registry", "promote", MODEL, 1),
        ("registry", "diff", MODEL, 1, 2),
    ):
        answer = say(*words, workspace=workspace)
        assert (answer.code, "is retired (ledger entry" in answer.err) == (1, True), answer.err
    assert "none served before" in say("registry", "rollback", MODEL, *WHY, workspace=workspace).err
    page = say("audit", "show", MODEL, 1, workspace=workspace)
    assert (page.code, "its files are kept" in page.out) == (0, True)
    assert "retired" in say("registry", "list", workspace=workspace).out
    assert say("audit", "verify", workspace=workspace).code == 0
    again = say(*RETIRE, workspace=workspace)
    assert (again.code, "retired already" in again.err) == (5, True)


def test_a_champion_whose_alias_was_put_on_a_retired_version_is_not_loaded(workspace: Path) -> None:
    assert say(*RETIRE, workspace=workspace).code == 0
    path = workspace / f"registry/{MODEL}/aliases.json"
    document = json.loads(path.read_bytes())
    document["body"]["champion"] = 1
    path.write_text(json.dumps(document))
    with opened(workspace) as context, pytest.raises(RetiredError):
        load_champion(context, MODEL)


def test_a_rollback_past_a_retired_version_leaves_no_way_back_to_it(workspace: Path) -> None:
    assert say("registry", "promote", MODEL, workspace=workspace).code == 0
    assert say(*RETIRE, workspace=workspace).code == 0
    back = say("registry", "rollback", MODEL, *WHY, "--json", workspace=workspace)
    assert (back.code, back.document["version"], back.document["previous"]) == (0, 2, None)


def test_whoever_began_from_it_is_named_near_and_far(workspace: Path) -> None:
    with opened(workspace) as context:
        number = 1
        for salt in (21, 22):
            record = context.store.get(MODEL, number).record
            origin = Origin(OriginKind.CHECKPOINT, record.weights, record.manifest)
            number = add_candidate(context, 2, manifest_of(range(1, 9), origin=origin), salt=salt)
    done = say(*RETIRE, "--json", workspace=workspace).document
    assert done["heirs"] == {"versions": [f"{MODEL} 4", f"{MODEL} 5"], "unknown": []}
    gone = say(*DESTROY, workspace=workspace)
    assert f"still carry what they learned: {MODEL} 4, {MODEL} 5" in gone.out
