"""The contract of every store, run over each; then what only the folder promises."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.mlflow_registry import copied, emptied
from helpers.registering import MODEL, make_version
from helpers.services import RegistryServer
from maintain.errors import (
    DamagedError,
    InputError,
    MaintainError,
    RefusedError,
    UnknownNameError,
    WorkspaceError,
)
from maintain.vocabulary import Alias
from maintain_registry.contents import OUTPUTS_FILE
from maintain_registry.folder import FolderStore
from maintain_registry.memory import MemoryStore
from maintain_registry.mlflow_store import MlflowStore
from maintain_registry.port import ModelStore, WeightPlaces

#: Threads that swap at once: each needs a version, and a server takes its time to keep one.
CONTENDERS = 4


@pytest.fixture(params=["memory", "folder", "mlflow", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ModelStore:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore(tmp_path / "registry")
    if request.param == "server":
        at: RegistryServer = request.getfixturevalue("mlflow_server")
        emptied(at.uri, at.credentials)
        return MlflowStore(tmp_path / "registry", at.uri, at.credentials)
    template: Path = request.getfixturevalue("mlflow_template")
    return MlflowStore(copied(template, tmp_path / "registry"))


def test_other_content_under_a_number_that_is_taken_is_refused(store: ModelStore) -> None:
    store.put(*make_version(number=1))
    with pytest.raises(RefusedError, match="stored already"):
        store.put(*make_version(number=1, salt=9))
    assert store.get(MODEL, 1).record == make_version(number=1)[0]


def test_unsafe_files_are_refused_and_nothing_is_kept(store: ModelStore) -> None:
    version, files = make_version(number=1)
    with pytest.raises(MaintainError):
        store.put(version, {**files, "weights.safetensors": b"x"})
    with pytest.raises(InputError):
        store.put(version, {**files, "notes": b"x"})
    assert store.models() == ()
    assert store.versions(MODEL) == ()


def test_what_is_absent_is_unknown(store: ModelStore) -> None:
    assert store.models() == ()
    assert store.versions(MODEL) == ()
    assert store.alias(MODEL, Alias.CHAMPION) is None
    store.put(*make_version(number=2))
    with pytest.raises(UnknownNameError) as caught:
        store.get(MODEL, 3)
    assert "2" in caught.value.remedy
    with pytest.raises(UnknownNameError):
        store.get(MODEL, 2).read("version.json")
    with pytest.raises(UnknownNameError):
        store.set_alias(MODEL, Alias.CHAMPION, 3, expected=None)


@pytest.mark.parametrize("name", ["../escape", "a/b", ""])
def test_every_method_checks_the_name(store: ModelStore, name: str) -> None:
    version, files = make_version(model=name, number=1)
    attempts: list[Callable[[], object]] = [
        lambda: store.versions(name),
        lambda: store.get(name, 1),
        lambda: store.put(version, files),
        lambda: store.discard(name, 1),
        lambda: store.alias(name, Alias.CHAMPION),
        lambda: store.set_alias(name, Alias.CHAMPION, 1, expected=None),
        lambda: store.clear_alias(name, Alias.CHAMPION, expected=None),
    ]
    for attempt in attempts:
        with pytest.raises(InputError):
            attempt()


def test_a_file_that_is_not_there_cannot_be_put(store: ModelStore, tmp_path: Path) -> None:
    version, files = make_version(number=1)
    with pytest.raises(InputError, match="cannot be read"):
        store.put(version, {**files, "spec.json": tmp_path / "absent.json"})


def test_what_is_put_can_be_read(store: ModelStore, tmp_path: Path) -> None:
    version, files = make_version(number=1, revised=True)
    (tmp_path / "w").write_bytes(files["weights.safetensors"])
    store.put(version, {**files, "weights.safetensors": tmp_path / "w"})
    store.put(version, files)
    stored = store.get(MODEL, 1)
    assert stored.record == version
    assert stored.files == tuple(sorted(files))
    assert {name: stored.read(name) for name in stored.files} == files
    store.put(*make_version(number=10, salt=1))
    store.put(*make_version(model="a", number=1))
    assert store.versions(MODEL) == (1, 10)
    assert store.models() == ("a", MODEL)


def test_answers_beside_the_record_are_kept_and_read_back(store: ModelStore) -> None:
    version, files = make_version(number=1)
    store.put(version, {**files, OUTPUTS_FILE: b"answers\n"})
    store.put(version, {**files, OUTPUTS_FILE: b"answers of another attempt\n"})
    stored = store.get(MODEL, 1)
    assert stored.files == tuple(sorted((*files, OUTPUTS_FILE)))
    assert stored.read(OUTPUTS_FILE) == b"answers\n"


def test_aliases_move_by_compare_and_swap(store: ModelStore) -> None:
    for number in (1, 2):
        store.put(*make_version(number=number, salt=number))
    store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    for expected in (None, 2):
        with pytest.raises(RefusedError, match="version 1"):
            store.set_alias(MODEL, Alias.CHAMPION, 2, expected=expected)
        with pytest.raises(RefusedError, match="version 1"):
            store.clear_alias(MODEL, Alias.CHAMPION, expected=expected)
    store.set_alias(MODEL, Alias.CHAMPION, 2, expected=1)
    store.set_alias(MODEL, Alias.PREVIOUS, 1, expected=None)
    assert store.alias(MODEL, Alias.CHAMPION) == 2
    store.clear_alias(MODEL, Alias.CHAMPION, expected=2)
    assert (store.alias(MODEL, Alias.CHAMPION), store.alias(MODEL, Alias.PREVIOUS)) == (None, 1)


def test_only_what_has_no_alias_can_be_discarded(store: ModelStore) -> None:
    for number in (1, 2):
        store.put(*make_version(number=number, salt=number))
    store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    with pytest.raises(RefusedError, match="alias"):
        store.discard(MODEL, 1)
    store.discard(MODEL, 2)
    store.discard(MODEL, 2)
    assert store.versions(MODEL) == (1,)


def test_weights_with_an_alias_are_not_erased(store: ModelStore) -> None:
    version, files = make_version(number=1)
    store.put(version, files)
    store.set_alias(MODEL, Alias.PREVIOUS, 1, expected=None)
    with pytest.raises(RefusedError, match="has an alias"):
        store.erase(MODEL, 1)
    assert store.get(MODEL, 1).read("weights.safetensors") == files["weights.safetensors"]
    with pytest.raises(UnknownNameError):
        store.erase(MODEL, 2)


def test_an_erased_version_keeps_everything_but_its_weights(store: ModelStore) -> None:
    version, files = make_version(number=1)
    for number in (1, 2):
        store.put(replace(version, version=number), files)
    for _ in range(2):
        store.erase(MODEL, 1)
        stored = store.get(MODEL, 1)
        assert stored.record == version
        assert set(stored.files) == set(files) - {"weights.safetensors"}
        with pytest.raises(MaintainError):
            stored.read("weights.safetensors")
        assert {name: stored.read(name) for name in stored.files} == {name: files[name] for name in stored.files}
    assert store.get(MODEL, 2).read("weights.safetensors") == files["weights.safetensors"]
    assert store.foreign() == 0


def test_files_that_no_version_may_have_get_no_place(store: ModelStore) -> None:
    version, files = make_version(number=1)
    if not isinstance(store, MemoryStore | FolderStore):
        with pytest.raises(InputError):
            store.reserve(version, {**files, "notes": b"x"})
    assert store.weights_place(MODEL, 1) is None or isinstance(store, FolderStore)


def test_a_place_is_said_before_anything_lies_there_and_stays(store: ModelStore) -> None:
    version, files = make_version(number=1)
    place = store.reserve(version, files)
    assert store.versions(MODEL) == ()
    assert store.reserve(version, files) == place
    if isinstance(store, WeightPlaces):
        assert store.places_of(version.weights) == ()
    store.put(version, files)
    assert store.reserve(version, files) == store.weights_place(MODEL, 1) == place
    if isinstance(store, WeightPlaces):
        assert store.places_of(version.weights) == (place,)
        assert store.outside() in ({}, {place: version.weights})
        store.remove_copies(version.weights)
        assert store.places_of(version.weights) == (place,)
        store.erase(MODEL, 1)
        assert (store.places_of(version.weights), store.outside()) == ((), {})
        assert store.out_of_reach()


def test_of_many_that_swap_at_once_one_wins(store: ModelStore) -> None:
    numbers = range(1, CONTENDERS + 1)
    for number in numbers:
        store.put(*make_version(number=number, salt=number))
    won: list[int] = []

    def swap(number: int) -> None:
        try:
            store.set_alias(MODEL, Alias.CANDIDATE, number, expected=None)
        except RefusedError:
            return
        won.append(number)

    threads = [threading.Thread(target=swap, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.alias(MODEL, Alias.CANDIDATE)]


# --- the folder ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "registry")
    store.put(*make_version(number=1, revised=True))
    store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    return store


@pytest.mark.parametrize("name", ["weights.safetensors", "spec.json", "manifest.json", "plan.json"])
@pytest.mark.parametrize("change", ["shorter", "flipped", "gone"])
def test_a_file_that_changed_is_never_handed_out(folder: FolderStore, name: str, change: str) -> None:
    path = folder.root / MODEL / "v0001" / name
    data = path.read_bytes()
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if change == "shorter" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamagedError, match=name):
        folder.get(MODEL, 1).read(name)


def test_answers_that_changed_are_never_handed_out(folder: FolderStore) -> None:
    version, files = make_version(number=2)
    folder.put(version, {**files, OUTPUTS_FILE: b"answers\n"})
    (folder.root / MODEL / "v0002" / OUTPUTS_FILE).write_bytes(b"Answers\n")
    with pytest.raises(DamagedError, match=OUTPUTS_FILE):
        folder.get(MODEL, 2).read(OUTPUTS_FILE)


@pytest.mark.parametrize("name", ["version.json", "files.json"])
@pytest.mark.parametrize("text", ["", "{}", "[]", "\xff", '{"schema":"maintain.version-files","version":1}'])
def test_a_description_that_changed_is_damage(folder: FolderStore, name: str, text: str) -> None:
    (folder.root / MODEL / "v0001" / name).write_text(text, encoding="latin-1")
    with pytest.raises(DamagedError):
        folder.get(MODEL, 1)


def test_descriptions_must_agree_with_each_other(folder: FolderStore) -> None:
    path = folder.root / MODEL / "v0001" / "files.json"
    document = json.loads(path.read_text())
    document["body"]["spec.json"]["sha256"] = "0" * 64
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedError):
        folder.get(MODEL, 1)
    document["body"]["spec.json"] = 1
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedError):
        folder.get(MODEL, 1)


def test_a_version_in_another_ones_place_is_damage(folder: FolderStore) -> None:
    (folder.root / MODEL / "v0001").rename(folder.root / MODEL / "v0002")
    with pytest.raises(DamagedError):
        folder.get(MODEL, 2)


@pytest.mark.parametrize("body", ['{"champion":"1"}', '{"boss":1}', '{"champion":true}', "1"])
def test_broken_aliases_are_damage(folder: FolderStore, body: str) -> None:
    text = f'{{"schema":"maintain.aliases","version":1,"body":{body}}}'
    (folder.root / MODEL / "aliases.json").write_text(text)
    with pytest.raises(DamagedError):
        folder.alias(MODEL, Alias.CHAMPION)
    with pytest.raises(DamagedError):
        folder.set_alias(MODEL, Alias.CHAMPION, 1, expected=1)


def test_what_a_killed_writer_left_is_neither_seen_nor_kept(folder: FolderStore) -> None:
    (folder.root / MODEL / ".staging-dead").mkdir()
    (folder.root / MODEL / ".staging-dead" / "weights.safetensors").write_bytes(b"half")
    assert folder.versions(MODEL) == (1,)
    folder.put(*make_version(number=2))
    assert sorted(item.name for item in (folder.root / MODEL).iterdir()) == [
        ".lock",
        "aliases.json",
        "v0001",
        "v0002",
    ]


def test_a_source_that_changes_while_it_is_copied_is_not_stored(
    folder: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, files = make_version(number=2)
    (tmp_path / "spec").write_bytes(files["spec.json"])
    monkeypatch.setattr(
        "maintain_registry.folder.contents.check", lambda *_: (tmp_path / "spec").write_bytes(b"changed")
    )
    with pytest.raises(DamagedError):
        folder.put(version, {**files, "spec.json": tmp_path / "spec"})
    assert folder.versions(MODEL) == (1,)


def test_numbers_have_one_spelling(folder: FolderStore) -> None:
    folder.put(*make_version(number=12345))
    for odd in ("v1", "v00001", "v0001x", "0002", "v0000"):
        (folder.root / MODEL / odd).mkdir()
    assert folder.versions(MODEL) == (1, 12345)
    (folder.root / "NOT A MODEL").mkdir()
    assert folder.models() == (MODEL,)


def test_a_registry_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "registry").write_text("a file")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        FolderStore(tmp_path / "registry").put(*make_version(number=1))
