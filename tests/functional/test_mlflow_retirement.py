"""Destroying weights that lie in MLflow: refusals first, then every byte is gone, whatever MLflow still keeps of it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import killing
from helpers.commands import say
from helpers.destroying import COPIES, connection_of, everywhere, strew, weights_of
from helpers.lineage import MODEL, add_candidate, install, make_workspace, manifest_of, opened
from helpers.mlflow_registry import copied, emptied
from helpers.services import RegistryServer
from maintain.errors import RegistryUnreachableError
from maintain.settings import MLFLOW
from maintain_pipelines.promote import promote
from maintain_registry import EventKind, WeightKind, irregularities, weight_files
from maintain_registry.mlflow_store import MlflowStore
from maintain_registry.mlflow_store.connection import quiet

RETIRE = ("registry", "retire", MODEL, 1, "--reason", "ticket 4711")
DESTROY = (*RETIRE, "--destroy", "--yes")

#: What a process imports that asks MLflow, before it is forked; none of it opens a database.
IMPORTED = ("mlflow", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")

#: No other test on the server has these weights.
ONLY_HERE = 4711

#: One kill of each kind; `benchmarks/mlflow_kills.py` has the others.
KILLS = (
    ("ordered, nothing deleted", 0),
    ("no marker", 0),
    ("marker stored", 0),
    ("1 deleted in MLflow", 0),
    ("shown, no tombstone", 0),
    ("tombstone, not said", 5),
)


@pytest.fixture(scope="module")
def lineage(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Path:
    """Version 2 serves, 1 did before, 3 waits. Copy it."""
    root = make_workspace(tmp_path_factory.mktemp("lineage") / "workspace", registry=MLFLOW)
    copied(mlflow_template, root / "registry")
    grow(root)
    return root


@pytest.fixture
def workspace(tmp_path: Path, lineage: Path) -> Path:
    return Path(shutil.copytree(lineage, tmp_path / "workspace"))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[killing.Nursery]:
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    with killing.nursery(tmp_path_factory.mktemp("nursery"), *IMPORTED) as opened_nursery:
        yield opened_nursery


def grow(root: Path) -> None:
    with opened(root) as context:
        install(context)
        add_candidate(context, 1, salt=1)
        promote(MODEL, None, context)
        add_candidate(context, 2, manifest_of(range(1, 18)), salt=2)


def rows(workspace: Path) -> dict[str, str | None]:
    with opened(workspace) as context, context.database.read() as unit:
        return {row.place: row.weights for row in weight_files(unit)}


def tombstone(workspace: Path) -> dict[str, object]:
    with opened(workspace) as context, context.database.read() as unit:
        (entry,) = [item for item in context.ledger.entries(unit) if item.event is EventKind.WEIGHTS_DESTROYED]
    assert entry.envelope is not None
    return dict(entry.body)


def require_gone(workspace: Path, digest: str, *folders: Path) -> None:
    """No byte of it anywhere, no row, nothing that disagrees; everything else of the version is told of as before."""
    assert everywhere(digest, workspace, *folders) == []
    assert digest not in rows(workspace).values()
    assert say("audit", "verify", "--require-anchor", workspace=workspace).code == 0
    with opened(workspace) as context, context.database.read() as unit:
        assert irregularities(unit, context.store) == ()
        assert context.store.foreign() == 0
        stored = context.store.get(MODEL, 1)
        assert {"manifest.json", "spec.json", "loader-log.jsonl"} == set(stored.files)
        assert all(stored.read(name) for name in stored.files)
        assert context.store.get(MODEL, 2).read("weights.safetensors")
    assert not [item.name for item in (workspace / "registry").iterdir() if item.name.startswith((".sta", ".reading-"))]


def test_a_version_that_serves_is_refused_and_keeps_its_bytes(workspace: Path) -> None:
    answer = say("registry", "retire", MODEL, 2, "--reason", "x", "--destroy", "--yes", workspace=workspace)
    assert (answer.code, "serves, so it is not retired" in answer.err) == (1, True)
    assert len(everywhere(weights_of(workspace, 2), workspace)) == 1


def test_weights_that_a_living_twin_needs_are_refused_and_stay(workspace: Path) -> None:
    with opened(workspace) as context:
        twin = add_candidate(context, 2, salt=0)
    answer = say(*DESTROY, workspace=workspace)
    assert (answer.code, f"the same weights: {MODEL} {twin}" in answer.err) == (1, True)
    assert len(everywhere(weights_of(workspace, 1), workspace)) == 2


def test_a_registry_that_does_not_answer_proves_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RegistryUnreachableError("The model registry did not answer.")

    monkeypatch.setattr(MlflowStore, "places_of", away)
    assert say(*DESTROY, workspace=workspace).code == 6
    assert len(everywhere(weights_of(workspace, 1), workspace)) == 1


def test_nothing_below_the_workspace_holds_destroyed_weights(workspace: Path) -> None:
    digest = weights_of(workspace, 1)
    others = {weights_of(workspace, number) for number in (2, 3)}
    strew(workspace, 1)
    lying = everywhere(digest, workspace)
    assert len(lying) == COPIES + 2
    gone = say(*DESTROY, "--json", workspace=workspace)
    assert gone.code == 0, gone.err
    require_gone(workspace, digest)
    assert [len(everywhere(other, workspace)) for other in others] == [1, 1]
    told = tombstone(workspace)
    files = told["files"]
    assert isinstance(files, list)
    places = [item["place"] for item in files]
    assert len(places) == len(set(places))
    assert sum(place.startswith("registry/artifacts/") for place in places) == 1
    assert "notes" not in json.dumps(told)
    assert any("rows of MLflow's database" in str(said) for said in list(told["out_of_reach"]))  # type: ignore[call-overload]
    again = say(*DESTROY, workspace=workspace)
    assert (again.code, "none holds them" in again.err) == (5, True)


def test_mlflow_says_that_a_destroyed_version_cannot_be_asked(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    with opened(workspace) as context:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", connection_of(context.store).address)
    monkeypatch.setattr("sys.path", list(sys.path))
    assert say(*DESTROY, workspace=workspace).code == 0
    with quiet(), pytest.raises(Exception, match="were destroyed for good") as caught:
        mlflow.pyfunc.load_model(f"models:/{MODEL}/1")
    assert type(caught.value).__name__ == "RefusedError"


def test_a_version_that_somebody_deleted_with_mlflows_own_client_is_destroyed_too(workspace: Path) -> None:
    digest = weights_of(workspace, 1)
    with opened(workspace) as context:
        client = connection_of(context.store).client()
        (mine,) = [item for item in client.search_model_versions() if item.tags["maintain.version"] == "1"]
        client.delete_model_version(MODEL, str(mine.version))
        client.delete_logged_model(mine.tags["maintain.logged_model"])
    assert len(everywhere(digest, workspace)) == 1
    gone = say(*DESTROY, workspace=workspace)
    assert gone.code == 0, gone.err
    assert everywhere(digest, workspace) == []


def test_the_register_knows_every_place_and_doctor_agrees(workspace: Path) -> None:
    wanted = {weights_of(workspace, number) for number in (1, 2, 3)}
    known = rows(workspace)
    assert set(known.values()) == wanted
    assert all((workspace / place).is_file() for place in known)
    assert "3 files hold weights, each with its row in the register" in say("doctor", workspace=workspace).out
    strew(workspace, 1)
    assert f"{COPIES + 1} files with weights are not in the register" in say("doctor", workspace=workspace).out
    mended = say("doctor", "weights", "--json", workspace=workspace).document
    assert (len(mended["entered"]), mended["struck"]) == (COPIES + 1, [])
    with opened(workspace) as context, context.database.read() as unit:
        below = [row.model for row in weight_files(unit) if row.place.startswith(f"registry/artifacts/{MODEL}/")]
    assert below == [MODEL] * (COPIES + 2)
    assert say("doctor", "weights", "--json", workspace=workspace).document["entered"] == []
    assert say(*DESTROY, workspace=workspace).code == 0
    assert say("doctor", "weights", "--json", workspace=workspace).document["struck"] == []


def test_a_row_of_a_server_that_nobody_can_ask_is_kept(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "mlflow-artifacts:/1/models/m-0/artifacts/weights.safetensors"
    monkeypatch.setattr(MlflowStore, "outside", lambda _: {address: weights_of(workspace, 2)})
    assert say("doctor", "weights", "--json", workspace=workspace).document["entered"] == [address]
    with opened(workspace) as context, context.database.read() as unit:
        (found,) = [row for row in weight_files(unit) if row.place == address]
    assert (found.kind, found.model, found.weights) == (WeightKind.VERSION, MODEL, weights_of(workspace, 2))
    monkeypatch.setattr(MlflowStore, "outside", lambda _: {})
    assert say("doctor", "weights", "--json", workspace=workspace).document["struck"] == []


@pytest.mark.parametrize(("point", "code"), KILLS)
def test_killed_between_any_two_steps_it_ends_as_if_undisturbed(
    workspace: Path, nursery: killing.Nursery, point: str, code: int
) -> None:
    digest = weights_of(workspace, 1)
    strew(workspace, 1)
    killed = nursery.run(*DESTROY, workspace=workspace, point=point)
    assert killed.code == -9, killed.said
    again = nursery.run(*DESTROY, workspace=workspace)
    assert again.code == code, again.said
    require_gone(workspace, digest)
    assert tombstone(workspace)["version"] == 1


def test_nothing_on_a_server_with_passwords_holds_destroyed_weights(
    tmp_path: Path, nursery: killing.Nursery, mlflow_server: RegistryServer
) -> None:
    """Through the server's own interface alone; and killed between two deletions."""
    emptied(mlflow_server.uri, mlflow_server.credentials)
    workspace = make_workspace(tmp_path / "workspace", registry=MLFLOW)
    settings = workspace / "maintain.toml"
    named = f'store = "{MLFLOW}"\nuri = "{mlflow_server.uri}"\ncredentials = "{mlflow_server.credentials}"'
    text = settings.read_text(encoding="utf-8").replace(f'store = "{MLFLOW}"', named)
    settings.write_text(text, encoding="utf-8")
    with opened(workspace) as context:
        install(context, salt=ONLY_HERE)
        add_candidate(context, 1, salt=1)
        promote(MODEL, None, context)
        place = context.store.weights_place(MODEL, 1)
    digest, files = weights_of(workspace, 1), mlflow_server.credentials.parent / "files"
    assert set(rows(workspace).values()) == {digest, weights_of(workspace, 2)}
    strew(workspace, 1)
    (workspace / "registry" / ".reading-dead").mkdir()
    (workspace / "registry" / ".reading-dead" / "weights.safetensors").write_bytes(b"half of it")
    assert len(everywhere(digest, workspace, files)) == COPIES + 2
    killed = nursery.run(*DESTROY, workspace=workspace, point="2 deleted in MLflow")
    assert killed.code == -9, killed.said
    assert len(everywhere(digest, workspace, files)) == COPIES - 1
    gone = say(*DESTROY, workspace=workspace)
    assert gone.code == 0, gone.err
    require_gone(workspace, digest, files)
    told = tombstone(workspace)
    listed = told["files"]
    assert isinstance(listed, list)
    assert [item["place"].partition(" (")[0] for item in listed] == [
        "elsewhere in the registry's server",
        "elsewhere in the workspace",
        place,
    ]
    assert any("MLflow server" in str(said) for said in list(told["out_of_reach"]))  # type: ignore[call-overload]
    mended = say("doctor", "weights", "--json", workspace=workspace).document
    assert (mended["entered"], mended["struck"]) == ([], [])
