"""Retiring a version and destroying its weights: refusals first, kills between any two steps, and a look everywhere."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch

from helpers import killing
from helpers.commands import say
from helpers.lineage import MODEL, add_candidate, make_promoted, manifest_of, opened
from maintain.errors import RefusedError, RetiredError
from maintain.hashing import digest_file
from maintain.imaging import save_weights
from maintain.records import Origin
from maintain.unlearn.checkpoint import Checkpoint, write_checkpoint
from maintain.vocabulary import OriginKind
from maintain_pipelines.champions import load_champion, load_version
from maintain_pipelines.rehearsal import load_and_answer
from maintain_pipelines.weight_walk import walk
from maintain_registry import EventKind, WeightFile, WeightKind, enter_weights, irregularities, weight_files

WHY = ("--reason", "ticket 4711")
RETIRE = ("registry", "retire", MODEL, 1, *WHY)
DESTROY = (*RETIRE, "--destroy", "--yes")
ARTIFACT = f"registry/{MODEL}/v0001/weights.safetensors"


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 2 serves, 1 did before, 3 waits. Copy it."""
    return make_promoted(tmp_path_factory.mktemp("lineage") / "workspace")


@pytest.fixture
def workspace(tmp_path: Path, lineage: Path) -> Path:
    return Path(shutil.copytree(lineage, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    with killing.nursery(tmp_path_factory.mktemp("nursery")) as opened_nursery:
        yield opened_nursery


def weights_of(workspace: Path, number: int) -> str:
    record = json.loads((workspace / f"registry/{MODEL}/v{number:04d}/version.json").read_bytes())
    found: str = record["body"]["weights"]
    return found


def bytes_of(workspace: Path, number: int) -> bytes:
    return (workspace / f"registry/{MODEL}/v{number:04d}/weights.safetensors").read_bytes()


def everywhere(workspace: Path, digest: str) -> list[str]:
    """Every file with these very bytes, looked for without the program's own walk."""
    files = [path for path in workspace.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(workspace)) for path in files if digest_file(path) == digest)


def rows(workspace: Path) -> dict[str, WeightFile]:
    with opened(workspace) as context, context.database.read() as unit:
        return {row.place: row for row in weight_files(unit)}


def events(workspace: Path) -> list[str]:
    with opened(workspace) as context, context.database.read() as unit:
        return [entry.event.value for entry in context.ledger.entries(unit)]


def tombstone(workspace: Path) -> dict[str, object]:
    with opened(workspace) as context, context.database.read() as unit:
        entries = [entry for entry in context.ledger.entries(unit) if entry.event is EventKind.WEIGHTS_DESTROYED]
    (entry,) = entries
    assert entry.envelope is not None
    return dict(entry.body)


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
            "insert into run values ('r1', ?, 'p', 'p', ?, 'planned', 1, null, null, null, 'now', 'now')",
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


# --- destroyed -------------------------------------------------------------------------------------


def plant(workspace: Path) -> set[str]:
    """Copies in every room: registered, unregistered, half-written, in a checkpoint; and the rows of some."""
    data, digest = bytes_of(workspace, 1), weights_of(workspace, 1)
    training = workspace / "trainings" / f"{MODEL}-x"
    reference = workspace / "references" / "abc"
    run = workspace / "runs" / "r-1"
    staging = workspace / "registry" / MODEL / ".staging-old"
    for folder in (training, reference / "checkpoints", run / "checkpoints", staging):
        folder.mkdir(parents=True)
    (training / "weights.safetensors").write_bytes(data)
    (training / ".checkpoint.pt.7.partial").write_bytes(b"PK\x03\x04 cut short")
    (reference / "weights.safetensors").write_bytes(data)
    (reference / "reference.json").write_text("{}")
    (run / "abc.weights.safetensors").write_bytes(data)
    (staging / "weights.safetensors").write_bytes(data[:-3])
    (workspace / "forgotten-copy").write_bytes(data)
    with opened(workspace) as context, context.database.begin() as unit:
        enter_weights(unit, WeightFile(f"trainings/{MODEL}-x/checkpoint.pt", WeightKind.CHECKPOINT, MODEL))
        place = f"trainings/{MODEL}-x/weights.safetensors"
        enter_weights(unit, WeightFile(place, WeightKind.TRAINING, MODEL, digest, digest))
        place = "references/abc/weights.safetensors"
        enter_weights(unit, WeightFile(place, WeightKind.REFERENCE, MODEL, digest, digest))
    return {
        ARTIFACT,
        f"trainings/{MODEL}-x/weights.safetensors",
        f"trainings/{MODEL}-x/.checkpoint.pt.7.partial",
        f"registry/{MODEL}/.staging-old/weights.safetensors",
    }


def require_gone(workspace: Path, digest: str) -> None:
    assert everywhere(workspace, digest) == []
    assert not list(workspace.rglob(".staging-*"))
    assert not list(workspace.rglob("*.partial"))
    assert not (workspace / "references" / "abc").exists()
    assert all(row.weights != digest for row in rows(workspace).values())
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    with opened(workspace) as context, context.database.read() as unit:
        assert irregularities(unit, context.store) == ()


def test_nothing_below_the_workspace_holds_destroyed_weights(workspace: Path) -> None:
    named, digest = plant(workspace), weights_of(workspace, 1)
    others = {number: weights_of(workspace, number) for number in (2, 3)}
    assert len(everywhere(workspace, digest)) == 5
    gone = say(*DESTROY, "--json", workspace=workspace)
    assert gone.code == 0, gone.err
    require_gone(workspace, digest)
    for number, other in others.items():
        assert everywhere(workspace, other) == [f"registry/{MODEL}/v{number:04d}/weights.safetensors"]
    told = tombstone(workspace)
    files = told["files"]
    assert isinstance(files, list)
    assert named <= {item["place"] for item in files}
    assert "forgotten-copy" not in json.dumps(told)
    assert any(item["place"].startswith("elsewhere in the workspace") for item in files)
    assert (told["weights"], told["version"]) == (digest, 1)
    assert any("backups" in str(what) for what in list(told["out_of_reach"]))  # type: ignore[call-overload]
    assert say("audit", "show", MODEL, 1, workspace=workspace).code == 0
    assert say("registry", "show", MODEL, 1, workspace=workspace).code == 0
    exposed = say("audit", "exposure", "case-0003", "--json", workspace=workspace).document["versions"]
    assert [item["answer"] for item in exposed] == ["yes", "yes", "yes"]
    assert say(*RETIRE, workspace=workspace).code == 5


def test_said_twice_it_looks_again_and_a_copy_that_came_back_goes_too(workspace: Path) -> None:
    data, digest = bytes_of(workspace, 1), weights_of(workspace, 1)
    assert say(*DESTROY, workspace=workspace).code == 0
    before = events(workspace)
    again = say(*DESTROY, workspace=workspace)
    assert (again.code, "none holds them" in again.err, events(workspace)) == (5, True, before)
    (workspace / "restored").write_bytes(data)
    assert "whose destruction was ordered" in say("doctor", workspace=workspace).out
    assert say(*DESTROY, workspace=workspace).code == 0
    assert everywhere(workspace, digest) == []
    assert events(workspace) == [*before, "destruction-ordered", "weights-destroyed"]


def test_the_weights_in_a_checkpoint_are_found_whatever_its_name(workspace: Path) -> None:
    path = workspace / "trainings" / "odd" / "bin"
    path.parent.mkdir(parents=True)
    state = {"layer.weight": torch.arange(6.0)}
    digest = save_weights(workspace / "plain.safetensors", state)
    other = {"layer.weight": torch.zeros(6)}
    write_checkpoint(path, Checkpoint("t", "i", 1, state, {}, {}, {}, [], []))
    write_checkpoint(path.with_name("kept"), Checkpoint("t", "i", 1, other, {}, {}, {}, [], [], kept=state))
    held = {item.place for item in walk(workspace).holding(digest)}
    assert held == {"plain.safetensors", "trainings/odd/bin", "trainings/odd/kept"}


def test_a_copy_under_another_name_of_the_same_file_is_told_as_out_of_reach(workspace: Path, tmp_path: Path) -> None:
    os.link(workspace / ARTIFACT, tmp_path / "backup")
    gone = say(*DESTROY, workspace=workspace)
    assert (gone.code, "1 of the deleted files had another name outside" in gone.out) == (0, True)


def test_archives_are_not_claimed_to_be_free_of_them(workspace: Path) -> None:
    shutil.make_archive(str(workspace / "keep"), "gztar", workspace / "registry")
    gone = say(*DESTROY, workspace=workspace)
    assert (gone.code, "1 files of the workspace that are archives" in gone.out) == (0, True)


def test_destroyed_weights_are_never_registered_again(workspace: Path) -> None:
    assert say(*DESTROY, workspace=workspace).code == 0
    with opened(workspace) as context, pytest.raises(RefusedError, match="were destroyed for good"):
        add_candidate(context, 2, salt=0)
    assert everywhere(workspace, weights_of(workspace, 1)) == []


def test_what_is_typed_at_a_terminal_must_be_the_version(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for typed, code in (("yes\n", 2), ("", 2), (f"{MODEL} 2\n", 2), (f"{MODEL} 1\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        assert say(*RETIRE, "--destroy", workspace=workspace).code == code


def test_weights_that_vanish_without_an_order_are_damage(workspace: Path) -> None:
    folder = workspace / f"registry/{MODEL}/v0001"
    document = {"file": "weights.safetensors", "sha256": weights_of(workspace, 1)}
    schema = {"schema": "maintain.version-erased", "version": 1, "body": document}
    (folder / "erased.json").write_text(json.dumps(schema))
    (folder / "weights.safetensors").unlink()
    assert "has lost its weights" in say("doctor", workspace=workspace).out
    answer = say("audit", "show", MODEL, 1, workspace=workspace)
    assert (answer.code, "no entry of the ledger ordered that" in answer.err) == (4, True)


# --- killed ----------------------------------------------------------------------------------------


#: One point of each kind, so that this file stays quick; `killing.RETIREMENT` has the others.
KILLS = (
    "retired, not committed",
    "retired, no order",
    "2 removed, row there",
    "marker written, artifact there",
    "artifact removed, folder not flushed",
    "shown, no tombstone",
    "tombstone, not said",
)


@pytest.mark.parametrize("point", KILLS)
def test_killed_between_any_two_steps_it_ends_as_if_undisturbed(
    workspace: Path, nursery: killing.Nursery, point: str
) -> None:
    plant(workspace)
    digest = weights_of(workspace, 1)
    killed = nursery.run(*DESTROY, workspace=workspace, point=point)
    assert killed.code == -9, killed.said
    assert say("audit", "verify", workspace=workspace).code == 0
    lying = everywhere(workspace, digest)
    with opened(workspace) as context, context.database.read() as unit:
        found = [item for item in irregularities(unit, context.store) if item.serious]
        told = EventKind.WEIGHTS_DESTROYED in [entry.event for entry in context.ledger.entries(unit)]
    assert not (told and lying)
    if ARTIFACT not in lying and not told:
        assert any("was ordered" in item.said for item in found)
    again = nursery.run(*DESTROY, workspace=workspace)
    assert again.code == (5 if told else 0), again.said
    require_gone(workspace, digest)
    counted = events(workspace)
    assert [counted.count(kind.value) for kind in (EventKind.VERSION_RETIRED, EventKind.DESTRUCTION_ORDERED)] == [1, 1]
    places = {item["place"] for item in tombstone(workspace)["files"]}  # type: ignore[attr-defined]
    assert {ARTIFACT, f"trainings/{MODEL}-x/weights.safetensors"} <= places


# --- the register ----------------------------------------------------------------------------------


def test_doctor_names_what_the_register_lacks_and_what_it_has_too_much(workspace: Path) -> None:
    plant(workspace)
    (workspace / f"registry/{MODEL}/v0003/weights.safetensors").rename(workspace / "elsewhere.bin")
    text = say("doctor", workspace=workspace).out
    assert "files with weights are not in the register" in text
    assert "places of the register lie nowhere any more" in text
    mended = say("doctor", "weights", "--json", workspace=workspace)
    assert mended.code == 0, mended.err
    assert mended.document["struck"] == [
        f"registry/{MODEL}/v0003/weights.safetensors",
        f"trainings/{MODEL}-x/checkpoint.pt",
    ]
    assert {"elsewhere.bin", "forgotten-copy", "runs/r-1/abc.weights.safetensors"} <= set(mended.document["entered"])
    assert say("doctor", "weights", "--json", workspace=workspace).document["entered"] == []
    kinds = {place: row.kind for place, row in rows(workspace).items()}
    assert kinds["elsewhere.bin"] is WeightKind.FOUND
    assert kinds["runs/r-1/abc.weights.safetensors"] is WeightKind.CANDIDATE
