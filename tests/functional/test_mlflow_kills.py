"""Kill -9 between any two calls of MLflow, and eight processes at once: nothing is lost, doubled or left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from helpers.lineage import MODEL, add_candidate, install, make_workspace, manifest_of, opened
from helpers.mlflow_registry import emptied
from helpers.services import RegistryServer
from maintain.settings import MLFLOW
from maintain_pipelines.context import Context
from maintain_pipelines.promote import promote
from maintain_registry import Aliases, EventKind, aliases_of, compare_registry, irregularities, registered, serving_of

#: Calls of a first registration, in order: two that only a first one makes, and of the rest those that leave most
#: behind. `benchmarks/mlflow_kills.py` kills at every call of the rest, and over a server too.
REGISTERING = ("experiment made", "some files copied", "model made", "version made")

PROCESSES = 8

#: What a process imports that asks MLflow, before it is forked; none of it opens a database.
IMPORTED = ("mlflow", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace over MLflow without any model. Copy it."""
    return make_workspace(tmp_path_factory.mktemp("empty") / "workspace", registry=MLFLOW)


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Path:
    """Version 2 serves, 1 did before, and 3 waits. Copy it."""
    root = Path(shutil.copytree(empty, tmp_path_factory.mktemp("lineage") / "workspace"))
    with opened(root) as context:
        live(context)
    return root


def live(context: Context) -> None:
    """Version 2 serves, 1 did before, and 3 waits."""
    install(context)
    add_candidate(context, 1, salt=1)
    promote(MODEL, None, context)
    add_candidate(context, 2, manifest_of(range(1, 18)), salt=2)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    with killing.nursery(tmp_path_factory.mktemp("nursery"), *IMPORTED, "helpers.lineage") as opened_nursery:
        yield opened_nursery


def require_agreement(workspace: Path, numbers: tuple[int, ...], aliases: Aliases) -> None:
    """Store and ledger agree, every byte belongs to a version, and the ledger holds one entry a version."""
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    with opened(workspace) as context, context.database.read() as unit:
        assert irregularities(unit, context.store) == ()
        assert registered(unit, MODEL) == context.store.versions(MODEL) == numbers
        assert serving_of(unit, MODEL).aliases == aliases_of(context.store, MODEL) == aliases
        assert context.store.foreign() == 0
        assert compare_registry(context.database, context.store).disagreements == ()
        kinds = [entry.event for entry in context.ledger.entries(unit)]
        embedded = not context.workspace.settings.registry.uri
    assert sum(kind in (EventKind.MODEL_INSTALLED, EventKind.VERSION_REGISTERED) for kind in kinds) == len(numbers)
    if embedded:
        assert len(list((workspace / "registry").rglob("weights.safetensors"))) == len(numbers)
    assert not [item for item in (workspace / "registry").iterdir() if item.name.startswith(".staging")]


def require_nothing_unverified(workspace: Path) -> None:
    with opened(workspace) as context, context.database.read() as unit:
        known = registered(unit, MODEL)
        assert {number for number in aliases_of(context.store, MODEL).document().values() if number} <= set(known)


def test_a_first_registration_killed_at_every_call_ends_as_if_undisturbed(
    tmp_path: Path, empty: Path, nursery: killing.Nursery
) -> None:
    workspace = Path(shutil.copytree(empty, tmp_path / "workspace"))
    for point in REGISTERING:
        killed = nursery.run(workspace=workspace, call="helpers.lineage:say_install", point=point)
        assert killed.code == -9, f"{point}: {killed.said}"
        require_nothing_unverified(workspace)
    ended = nursery.run(workspace=workspace, call="helpers.lineage:say_install")
    assert ended.code == 0, ended.said
    require_agreement(workspace, (1,), Aliases(champion=1))


@pytest.mark.parametrize("point", ["files copied"])
def test_a_candidate_killed_once_is_registered_once(
    tmp_path: Path, lineage: Path, nursery: killing.Nursery, point: str
) -> None:
    workspace = Path(shutil.copytree(lineage, tmp_path / "workspace"))
    words = ("2", "9")
    killed = nursery.run(*words, workspace=workspace, call="helpers.lineage:say_candidate", point=point)
    assert killed.code == -9, killed.said
    require_nothing_unverified(workspace)
    ended = nursery.run(*words, workspace=workspace, call="helpers.lineage:say_candidate")
    assert ended.code == 0, ended.said
    require_agreement(workspace, (1, 2, 3, 4), Aliases(champion=2, candidate=4, previous=1))


@pytest.mark.parametrize("point", ["second alias of MLflow set", "alias of MLflow removed", "promotion tagged"])
def test_a_promotion_killed_between_two_calls_is_finished(
    tmp_path: Path, lineage: Path, nursery: killing.Nursery, point: str
) -> None:
    workspace = Path(shutil.copytree(lineage, tmp_path / "workspace"))
    killed = nursery.run("registry", "promote", MODEL, workspace=workspace, point=point)
    assert killed.code == -9, killed.said
    require_nothing_unverified(workspace)
    assert nursery.run("registry", "promote", MODEL, workspace=workspace).code == 5
    require_agreement(workspace, (1, 2, 3), Aliases(champion=3, previous=2))


@pytest.mark.parametrize("point", ["holder removed"])
def test_giving_up_killed_between_two_calls_leaves_no_bytes(
    tmp_path: Path, lineage: Path, nursery: killing.Nursery, point: str
) -> None:
    workspace = Path(shutil.copytree(lineage, tmp_path / "workspace"))
    begun = nursery.run("2", "9", workspace=workspace, call="helpers.lineage:say_candidate", point="version made")
    assert begun.code == -9, begun.said
    killed = nursery.run("9", workspace=workspace, call="helpers.lineage:say_abandon", point=point)
    assert killed.code == -9, killed.said
    assert nursery.run("registry", "list", workspace=workspace).code == 0
    require_agreement(workspace, (1, 2, 3), Aliases(champion=2, candidate=3, previous=1))


def test_eight_processes_register_and_promote_at_once(tmp_path: Path, lineage: Path, nursery: killing.Nursery) -> None:
    contend_at_once(Path(shutil.copytree(lineage, tmp_path / "workspace")), nursery)


def test_eight_processes_register_and_promote_at_once_over_a_server(
    tmp_path: Path, mlflow_server: RegistryServer, nursery: killing.Nursery
) -> None:
    """PostgreSQL and passwords: MLflow there refuses and repeats what SQLite lets wait."""
    emptied(mlflow_server.uri, mlflow_server.credentials)
    root = make_workspace(tmp_path / "workspace", registry=MLFLOW)
    settings = root / "maintain.toml"
    named = f'store = "{MLFLOW}"\nuri = "{mlflow_server.uri}"\ncredentials = "{mlflow_server.credentials}"'
    text = settings.read_text(encoding="utf-8").replace(f'store = "{MLFLOW}"', named)
    settings.write_text(text, encoding="utf-8")
    with opened(root) as context:
        live(context)
    contend_at_once(root, nursery)


def contend_at_once(workspace: Path, nursery: killing.Nursery) -> None:
    """Eight processes offer a candidate of version 2 each: one of them serves, every other is told, none is lost."""
    ended = nursery.run(str(PROCESSES), "2", workspace=workspace, call="helpers.lineage:contend_at_once")
    assert ended.code == 0, ended.said
    with opened(workspace) as context, context.database.read() as unit:
        numbers = registered(unit, MODEL)
        promoted = [item for item in context.ledger.entries(unit) if item.event is EventKind.VERSION_PROMOTED][1:]
        candidate = aliases_of(context.store, MODEL).candidate
    assert len(promoted) == 1
    assert 4 <= len(numbers) <= 3 + PROCESSES
    champion = promoted[0].body["version"]
    assert isinstance(champion, int)
    require_agreement(workspace, numbers, Aliases(champion=champion, previous=2, candidate=candidate))
