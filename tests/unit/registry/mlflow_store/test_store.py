"""What only the store in MLflow promises: what people change there by hand is seen, and bytes go when they should."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.mlflow_registry import copied
from helpers.registering import MODEL, make_version
from maintain import codec
from maintain.errors import DamagedError, InputError, RefusedError, RegistryUnreachableError, WorkspaceError
from maintain.vocabulary import Alias
from maintain_registry.mlflow_store import MlflowStore, holders, reading, tags
from maintain_registry.mlflow_store.connection import Connection, asked


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    """A registry whose version 1 serves. Copy it."""
    made = MlflowStore(copied(mlflow_template, tmp_path_factory.mktemp("serving") / "registry"))
    made.put(*make_version(number=1, revised=True))
    made.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)
    return made.root


@pytest.fixture
def store(tmp_path: Path, serving: Path) -> MlflowStore:
    """Version 1 serves."""
    return MlflowStore(Path(shutil.copytree(serving, tmp_path / "registry")))


def client(store: MlflowStore) -> Any:
    """MLflow's own client, as somebody has it who may write there."""
    return Connection(store.root).client()


def version_of(store: MlflowStore, number: int = 1) -> Any:
    (found,) = (
        item
        for item in reading.every(client(store).search_model_versions, f"name = '{MODEL}'")
        if tags.number_of(item.tags) == number
    )
    return found


def place_of(store: MlflowStore, number: int = 1) -> Path:
    (found,) = (store.root / "artifacts").rglob("version.json")
    return found.parent


# --- by hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weights.safetensors", "spec.json", "manifest.json", "plan.json"])
@pytest.mark.parametrize("change", ["shorter", "flipped", "gone"])
def test_a_file_that_changed_is_never_handed_out(store: MlflowStore, name: str, change: str) -> None:
    path = place_of(store) / name
    data = path.read_bytes()
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if change == "shorter" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamagedError, match=name):
        store.get(MODEL, 1).read(name)


@pytest.mark.parametrize("name", ["version.json", "files.json"])
def test_a_description_that_changed_is_damage(store: MlflowStore, name: str) -> None:
    path = place_of(store) / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with pytest.raises(DamagedError):
        store.get(MODEL, 1)


def test_code_that_was_changed_is_counted_as_foreign(store: MlflowStore) -> None:
    assert store.foreign() == 0
    (path,) = (place_of(store) / "code").rglob("serving.py")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("softmax", "sigmoid"), encoding="utf-8")
    assert store.foreign() == 1


@pytest.mark.parametrize("tag", [tags.RECORD, tags.FILES])
def test_a_tag_that_was_edited_is_damage(store: MlflowStore, tag: str) -> None:
    client(store).set_model_version_tag(MODEL, str(version_of(store).version), tag, "0" * 64)
    with pytest.raises(DamagedError):
        store.get(MODEL, 1)


def test_a_number_that_was_edited_is_damage(store: MlflowStore) -> None:
    client(store).set_model_version_tag(MODEL, str(version_of(store).version), tags.NUMBER, "7")
    assert store.versions(MODEL) == (7,)
    with pytest.raises(DamagedError):
        store.get(MODEL, 7)


def test_two_versions_that_claim_one_number_are_damage(store: MlflowStore) -> None:
    first = version_of(store)
    with asked():
        client(store).create_model_version(MODEL, source=first.source, run_id=first.run_id, tags=dict(first.tags))
    with pytest.raises(DamagedError, match="claim to be version 1"):
        store.versions(MODEL)


def test_an_alias_on_a_version_of_somebody_else_is_not_unset(store: MlflowStore) -> None:
    first = version_of(store)
    with asked():
        theirs = client(store).create_model_version(MODEL, source=first.source, run_id=first.run_id)
        client(store).set_registered_model_alias(MODEL, "champion", str(theirs.version))
    assert store.versions(MODEL) == (1,)
    assert store.foreign() == 1
    with pytest.raises(DamagedError, match="did not store"):
        store.alias(MODEL, Alias.CHAMPION)
    with pytest.raises(DamagedError):
        store.set_alias(MODEL, Alias.CHAMPION, 1, expected=None)


def test_a_version_that_was_deleted_by_hand_is_absent(store: MlflowStore) -> None:
    client(store).delete_model_version(MODEL, str(version_of(store).version))
    assert store.versions(MODEL) == ()
    assert store.alias(MODEL, Alias.CHAMPION) is None


# --- numbers, bytes and places ---------------------------------------------------------------------


def test_our_number_is_free_again_and_that_of_mlflow_is_not(store: MlflowStore) -> None:
    store.put(*make_version(number=2, salt=2))
    store.discard(MODEL, 2)
    store.put(*make_version(number=2, salt=3))
    assert store.versions(MODEL) == (1, 2)
    assert int(version_of(store, 2).version) == 3
    assert store.get(MODEL, 2).record == make_version(number=2, salt=3)[0]


def test_discarding_removes_every_byte(store: MlflowStore) -> None:
    before = sorted(store.root.rglob("*.*"))
    version, files = make_version(number=2, salt=2)
    store.put(version, files)
    store.discard(MODEL, 2)
    assert sorted(store.root.rglob("*.*")) == before
    assert holders.of_model(Connection(store.root), MODEL)[0].tags[tags.NUMBER] == "1"
    assert store.foreign() == 0


def test_what_was_begun_with_other_content_gives_way(store: MlflowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(MlflowStore, "_announce", killed)
        with pytest.raises(KeyboardInterrupt):
            store.put(*make_version(number=2, salt=2))
    assert store.versions(MODEL) == (1,)
    assert store.foreign() == 1
    store.put(*make_version(number=2, salt=3))
    assert store.foreign() == 0
    assert len(list(store.root.rglob("weights.safetensors"))) == 2


def test_a_source_that_changes_while_it_is_copied_is_not_stored(
    store: MlflowStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, files = make_version(number=2)
    (tmp_path / "log").write_bytes(files["loader-log.jsonl"])
    monkeypatch.setattr(
        "maintain_registry.mlflow_store.store.contents.check", lambda *_: (tmp_path / "log").write_bytes(b"changed")
    )
    with pytest.raises(DamagedError):
        store.put(version, {**files, "loader-log.jsonl": tmp_path / "log"})
    assert store.versions(MODEL) == (1,)


def test_files_that_are_not_what_they_are_called_are_refused(store: MlflowStore) -> None:
    from dataclasses import replace

    from maintain.hashing import digest_bytes

    version, files = make_version(number=2, revised=True)
    other = digest_bytes(b"{}\n")
    for name, broken in (
        ("spec.json", replace(version, spec=other)),
        ("verdict.json", replace(version, verdict=other)),
    ):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            store.put(broken, {**files, name: b"{}\n"})
    assert store.versions(MODEL) == (1,)


def test_a_copied_registry_finds_its_own_files(store: MlflowStore, tmp_path: Path) -> None:
    copy = MlflowStore(Path(shutil.copytree(store.root, tmp_path / "copy")))
    shutil.move(store.root, tmp_path / "away")
    assert copy.get(MODEL, 1).read("weights.safetensors")
    copy.put(*make_version(number=2, salt=2))
    copy.discard(MODEL, 2)
    assert len(list((tmp_path / "away").rglob("weights.safetensors"))) == 1
    assert str(store.root) not in str(version_of(copy).source)


def test_an_alias_that_somebody_moves_at_the_same_moment_is_told(
    store: MlflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow has no compare-and-swap: whoever is not bound by the lock writes last, and is seen."""
    store.put(*make_version(number=2, salt=2))
    kind = type(client(store))
    honest = kind.set_registered_model_alias

    def beaten(self: Any, name: str, alias: str, version: str) -> None:
        honest(self, name, alias, version)
        honest(self, name, alias, str(version_of(store, 1).version))

    monkeypatch.setattr(kind, "set_registered_model_alias", beaten)
    with pytest.raises(RefusedError, match="is version 1, not version 2"):
        store.set_alias(MODEL, Alias.CHAMPION, 2, expected=1)


# --- weights that go -------------------------------------------------------------------------------


def retired(store: MlflowStore) -> str:
    store.clear_alias(MODEL, Alias.CHAMPION, expected=1)
    return store.get(MODEL, 1).record.weights


def test_a_file_that_is_listed_and_cannot_be_read_proves_nothing(
    store: MlflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = retired(store)

    def unread(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("maintain_registry.mlflow_store.erasing.digest_file", unread)
    for ask in (lambda: store.places_of(weights), lambda: store.erase(MODEL, 1)):
        with pytest.raises((PermissionError, WorkspaceError)):
            ask()
    assert (place_of(store) / "weights.safetensors").is_file()


def test_edited_tags_neither_keep_weights_nor_hide_copies(store: MlflowStore) -> None:
    weights = retired(store)
    data = (place_of(store) / "weights.safetensors").read_bytes()
    (place_of(store).parent / "copy of another name").write_bytes(data)
    client(store).set_model_version_tag(MODEL, str(version_of(store).version), tags.WEIGHTS, "0" * 64)
    assert len(store.places_of(weights)) == 2
    store.erase(MODEL, 1)
    assert store.places_of(weights) == ()
    assert "weights.safetensors" not in store.get(MODEL, 1).files


def test_a_list_of_files_that_names_another_length_hides_nothing(store: MlflowStore) -> None:
    weights = retired(store)
    listed = place_of(store) / "files.json"
    document = json.loads(listed.read_bytes())
    document["body"]["weights.safetensors"]["bytes"] += 1
    listed.write_text(json.dumps(document))
    assert len(store.places_of(weights)) == 1


# --- what people read ------------------------------------------------------------------------------


def test_tags_card_and_data_hold_digests_and_counts_alone(store: MlflowStore) -> None:
    record = store.get(MODEL, 1).record
    found = version_of(store)
    for name in ("weights", "spec", "manifest", "plan", "verdict"):
        assert found.tags[f"maintain.{name}"] == getattr(record, name)
    assert "maintain.parent" not in found.tags
    assert found.tags[tags.RECORD] == codec.digest_of(record)
    assert "version 1" in found.description
    assert "glaucoma, normal" in found.description
    assert found.tags["maintain.method"] == "train"
    assert found.tags[tags.OUTCOME] == found.tags["maintain.gate.retention"] == "pass"
    assert found.tags["maintain.gate.equivalence"] == "not-evaluated (reported)"
    assert "retention pass, equivalence not-evaluated (reported)" in found.description
    run = client(store).get_run(found.run_id)
    (given,) = run.inputs.dataset_inputs
    assert record.manifest.startswith(given.dataset.digest)
    assert json.loads(given.dataset.source) == {"manifest": record.manifest, "snapshot": None}
    assert json.loads(given.dataset.profile) == {"cases": 0}


# --- a server that is not there --------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def test_a_server_that_is_away_is_told_without_its_address(impatient: None, tmp_path: Path) -> None:
    from helpers.mlflow_server import free_port

    port = free_port()
    store = MlflowStore(tmp_path, f"http://127.0.0.1:{port}")
    for ask in (store.models, lambda: store.versions(MODEL), lambda: store.put(*make_version(number=1))):
        with pytest.raises(RegistryUnreachableError) as caught:
            ask()
        assert str(port) not in caught.value.message + caught.value.remedy
        assert caught.value.__cause__ is None


def test_credentials_are_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "registry.credentials"
    store = MlflowStore(tmp_path, "http://127.0.0.1:1", path)
    for text, mode, said in (("u:secret\n", 0o644, "Others may read"), ("secret\n", 0o600, "holds no credentials")):
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        with pytest.raises(InputError, match=said) as caught:
            store.models()
        assert "secret" not in caught.value.message + caught.value.remedy
