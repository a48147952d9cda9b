"""What somebody does to a registry behind the ledger's back is named; an undisturbed one is silent all its life."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.lineage import MODEL, add_candidate, install, make_workspace, manifest_of, opened
from helpers.mlflow_registry import copied
from helpers.registering import make_version
from maintain.settings import FOLDER, MLFLOW
from maintain.vocabulary import Alias
from maintain_pipelines.context import Context
from maintain_pipelines.destroy import destroy
from maintain_pipelines.promote import promote
from maintain_pipelines.retire import retire
from maintain_pipelines.rollback import rollback
from maintain_pipelines.suspend import suspend
from maintain_registry import Disagreement, MemoryStore, ModelStore, compare_registry
from maintain_registry.account import account_of
from maintain_registry.agreement import ATTEMPTS, Odd
from maintain_registry.holdings import PROMOTION_TAG
from maintain_registry.mlflow_store.connection import Connection, asked
from maintain_registry.mlflow_store.inventory import LOADED_FILE


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    """Over MLflow: version 2 serves, 1 did before, and 3 waits. Copy it."""
    root = make_workspace(tmp_path_factory.mktemp("lineage") / "workspace", registry=MLFLOW)
    copied(mlflow_template, root / "registry")
    with opened(root) as context:
        live(context)
    return root


@pytest.fixture
def context(tmp_path: Path, lineage: Path) -> Iterator[Context]:
    """A copy of it."""
    with opened(Path(shutil.copytree(lineage, tmp_path / "workspace"))) as ports:
        yield ports


def live(context: Context) -> None:
    """Version 2 serves, 1 did before, and 3 waits."""
    install(context)
    add_candidate(context, 1, salt=1)
    promote(MODEL, None, context)
    add_candidate(context, 2, manifest_of(range(1, 18)), salt=2)


def named(context: Context) -> list[tuple[Odd, str, int | None]]:
    return [(item.kind, item.where, item.entry) for item in found(context)]


def found(context: Context) -> tuple[Disagreement, ...]:
    return compare_registry(context.database, context.store).disagreements


def client(context: Context) -> Any:
    """MLflow's own client, as somebody has it who may write there."""
    with asked():
        return Connection(context.workspace.registry).client()


def entry_of(context: Context, number: int) -> int:
    with context.database.read() as unit:
        return account_of(unit).versions[MODEL, number].entry


# --- by hand, with MLflow's own client -------------------------------------------------------------


def test_an_alias_that_was_moved_is_named(context: Context) -> None:
    with asked():
        client(context).set_registered_model_alias(MODEL, "champion", "1")
    (item,) = found(context)
    assert (item.kind, item.where) == (Odd.ALIAS_MOVED, "alias champion")
    assert item.said == f"The alias champion of {MODEL} points at version 1; ledger entry {item.entry} says version 2."
    assert "version 2 again" in item.repair


def test_an_alias_that_was_removed_is_named(context: Context) -> None:
    with asked():
        client(context).delete_registered_model_alias(MODEL, "previous")
    assert [(kind, where) for kind, where, _ in named(context)] == [(Odd.ALIAS_LOST, "alias previous")]


def test_an_alias_where_none_was_decided_is_named(context: Context) -> None:
    promote(MODEL, None, context)
    with asked():
        client(context).set_registered_model_alias(MODEL, "candidate", "1")
        client(context).set_registered_model_alias(MODEL, "production", "3")
    assert [(kind, where) for kind, where, _ in named(context)] == [
        (Odd.ALIAS_UNKNOWN, "alias production"),
        (Odd.ALIAS_MOVED, "alias candidate"),
    ]


def test_a_tag_that_was_edited_is_named_with_the_entry(context: Context) -> None:
    with asked():
        client(context).set_model_version_tag(MODEL, "2", "maintain.policy", "another")
    (item,) = found(context)
    assert (item.kind, item.entry) == (Odd.TAG_CHANGED, entry_of(context, 2))
    assert item.said.startswith(f"The tag maintain.policy of {MODEL} version 2 was edited; ledger entry")


@pytest.mark.parametrize("name", ["maintain.approved-by", "owner"])
def test_a_tag_that_was_added_is_named(context: Context, name: str) -> None:
    with asked():
        client(context).set_model_version_tag(MODEL, "1", name, "somebody")
    assert named(context) == [(Odd.TAG_CHANGED, f"version 1 of MLflow, {name}", entry_of(context, 1))]


@pytest.mark.parametrize("name", ["maintain.plan", "maintain.logged_model", PROMOTION_TAG])
def test_a_tag_that_was_removed_is_named(context: Context, name: str) -> None:
    with asked():
        client(context).delete_model_version_tag(MODEL, "2", name)
    assert [(item.kind, item.where) for item in found(context) if item.kind is Odd.TAG_CHANGED] == [
        (Odd.TAG_CHANGED, f"version 2 of MLflow, {name}")
    ]


def test_a_number_that_was_edited_is_a_version_lost_and_one_unknown(context: Context) -> None:
    with asked():
        client(context).set_model_version_tag(MODEL, "1", "maintain.version", "7")
    kinds = {kind for kind, _, _ in named(context)}
    assert {Odd.VERSION_LOST, Odd.VERSION_UNKNOWN} <= kinds


def test_a_promotion_that_nobody_decided_is_named(context: Context) -> None:
    with asked():
        client(context).set_model_version_tag(MODEL, "3", PROMOTION_TAG, "4")
    assert named(context) == [(Odd.TAG_CHANGED, f"version 3 of MLflow, {PROMOTION_TAG}", entry_of(context, 3))]


def test_a_card_that_was_written_anew_is_named(context: Context) -> None:
    with asked():
        client(context).update_model_version(MODEL, "1", "Approved for all cameras.")
    (item,) = found(context)
    assert item.said.startswith(f"The card of {MODEL} version 1 was edited")
    assert "Approved" not in item.said + item.repair


def test_a_version_that_was_deleted_is_named_with_the_entry(context: Context) -> None:
    with asked():
        client(context).delete_model_version(MODEL, "1")
    assert named(context) == [
        (Odd.ALIAS_LOST, "alias previous", 5),
        (Odd.VERSION_LOST, "version 1", entry_of(context, 1)),
    ]


@pytest.mark.parametrize("model", [MODEL, "somebody-elses"])
def test_a_version_of_somebody_else_is_named(context: Context, model: str) -> None:
    with asked():
        mlflow = client(context)
        if model != MODEL:
            mlflow.create_registered_model(model)
        made = mlflow.create_model_version(model, source="file:///tmp/anything", await_creation_for=0)
    (item,) = found(context)
    assert (item.kind, item.model, item.where) == (Odd.VERSION_UNKNOWN, model, f"version {made.version} of MLflow")


def test_a_version_that_claims_a_number_is_named_with_the_one_it_imitates(context: Context) -> None:
    mlflow = client(context)
    first = mlflow.get_model_version(MODEL, "1")
    with asked():
        mlflow.create_model_version(MODEL, source=first.source, run_id=first.run_id, tags=dict(first.tags))
    assert [kind for kind, _, _ in named(context)] == [Odd.VERSION_UNKNOWN, Odd.VERSION_UNKNOWN]


def test_a_tag_of_a_whole_model_is_named(context: Context) -> None:
    with asked():
        client(context).set_registered_model_tag(MODEL, "stage", "Production")
    (item,) = found(context)
    assert (item.kind, item.where) == (Odd.STRAY, f"the tag stage of the model {MODEL}")


@pytest.mark.parametrize(
    ("name", "change"),
    [("weights.safetensors", "flipped"), ("manifest.json", "gone"), ("serving.py", "flipped"), ("notes.txt", "added")],
)
def test_a_file_that_was_touched_is_named(context: Context, name: str, change: str) -> None:
    place = version_folder(context, 2)
    path = place / "notes.txt" if change == "added" else next(place.rglob(name))
    if change == "gone":
        path.unlink()
    else:
        data = path.read_bytes() if path.exists() else b"\0"
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (item,) = found(context)
    assert item.kind is Odd.FILE_CHANGED
    assert name in item.said
    assert item.entry == entry_of(context, 2)


def test_a_list_of_files_that_was_forged_with_its_tag_is_named(context: Context) -> None:
    """Code, list and tag were written anew so that they agree with each other: the entry holds the tag."""
    from maintain.hashing import digest_bytes

    path = version_folder(context, 2) / "files.json"
    path.write_bytes(path.read_bytes() + b"\n")
    with asked():
        client(context).set_model_version_tag(MODEL, "2", "maintain.files", digest_bytes(path.read_bytes()))
    assert named(context) == [(Odd.TAG_CHANGED, "version 2 of MLflow, maintain.files", entry_of(context, 2))]


def test_what_a_client_leaves_when_it_loads_a_version_is_no_finding_and_anything_else_there_is(
    context: Context,
) -> None:
    from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

    folder = version_folder(context, 2)
    with asked():
        client(context)
        held = SimpleNamespace(model_name=MODEL, model_version="2")
        ModelsArtifactRepository._add_registered_model_meta_file(held, str(folder))
    left = folder / LOADED_FILE
    assert left.is_file()
    assert not found(context)
    left.write_text(left.read_text(encoding="utf-8") + "and: more\n", encoding="utf-8")
    (item,) = found(context)
    assert item.where.endswith(LOADED_FILE)


def version_folder(context: Context, number: int) -> Path:
    holder = client(context).get_model_version(MODEL, str(number)).tags["maintain.logged_model"]
    (place,) = (context.workspace.registry / "artifacts").rglob(holder)
    return place / "artifacts"


# --- undisturbed -----------------------------------------------------------------------------------


@pytest.fixture(params=["memory", FOLDER, MLFLOW])
def young(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    """A workspace without a model, over each store."""
    kind = MLFLOW if request.param == MLFLOW else FOLDER
    root = make_workspace(tmp_path / "workspace", registry=kind)
    store: ModelStore | None = MemoryStore() if request.param == "memory" else None
    if kind == MLFLOW:
        copied(request.getfixturevalue("mlflow_template"), root / "registry")
    with opened(root, store) as ports:
        yield ports


def test_a_whole_life_is_silent(young: Context) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: install(young),
        lambda: add_candidate(young, 1, salt=1),
        lambda: promote(MODEL, None, young),
        lambda: add_candidate(young, 2, salt=2),
        lambda: rollback(MODEL, young, reason="worse on the new camera"),
        lambda: suspend(MODEL, young, reason="recall"),
        lambda: retire(MODEL, 2, young, reason="never again"),
    )
    assert found(young) == ()
    for act in acts:
        act()
        assert found(young) == ()
    if not isinstance(young.store, MemoryStore):  # which shares no disk, so nothing is destroyed in it
        destroy(MODEL, 2, young, reason="never again")
        assert found(young) == ()
    compared = compare_registry(young.database, young.store)
    assert (compared.models, compared.versions, compared.untagged) == (1, 3, 0)


def test_what_only_a_store_has_is_named_in_every_store(young: Context) -> None:
    install(young)
    young.store.put(*make_version(model=MODEL, number=2, salt=9))
    young.store.put(*make_version(model="another", number=1, salt=8))
    assert [(item.kind, item.model) for item in found(young)] == [
        (Odd.VERSION_UNKNOWN, "another"),
        (Odd.VERSION_UNKNOWN, MODEL),
    ]


def test_what_is_lost_is_named_in_every_store(young: Context) -> None:
    install(young)
    young.store.clear_alias(MODEL, Alias.CHAMPION, expected=1)
    young.store.discard(MODEL, 1)
    assert [kind for kind, _, _ in named(young)] == [Odd.ALIAS_LOST, Odd.VERSION_LOST]


def test_a_registration_under_way_is_explained(young: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    install(young)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("maintain_registry.intents._record", killed)
        with pytest.raises(KeyboardInterrupt):
            add_candidate(young, 1, salt=1)
    assert young.store.versions(MODEL) == (1, 2)
    assert found(young) == ()


@pytest.mark.parametrize("shown", [0, 1, 2, 3])
def test_a_promotion_that_is_half_shown_is_explained(
    young: Context, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    from maintain_registry import aliases

    install(young)
    add_candidate(young, 1, salt=1)
    honest = aliases._show
    calls: list[tuple[Any, ...]] = []

    def killed(*arguments: Any) -> None:
        if len(calls) == shown:
            raise KeyboardInterrupt
        calls.append(arguments)
        honest(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(aliases, "_show", killed)
        patched.setattr(aliases, "_show_promotion", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(MODEL, None, young)
    assert found(young) == ()


def test_a_registry_that_never_stands_still_is_not_judged(young: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    from maintain.errors import WaitingError

    install(young)
    salts = iter(range(10, 10 + ATTEMPTS))
    honest = young.store.holdings
    busy = type("Busy", (), {"holdings": lambda _: (add_candidate(young, 1, salt=next(salts)), honest())[1]})()
    with pytest.raises(WaitingError, match="worked on"):
        compare_registry(young.database, busy)


def test_an_entry_without_tags_is_told_and_its_tags_are_not_compared(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with context.database.read() as unit:
        account = account_of(unit)
    old = {key: replace(claimed, tags=None) for key, claimed in account.versions.items()}
    monkeypatch.setattr("maintain_registry.agreement.account_of", lambda _: replace(account, versions=old))
    with asked():
        client(context).set_model_version_tag(MODEL, "1", "owner", "somebody")
    compared = compare_registry(context.database, context.store)
    assert (compared.untagged, compared.disagreements) == (3, ())
