"""The run and the LoggedModel behind a version: made, found again after a kill, sealed, and removed with their bytes.

MLflow's own deletions are marks that leave every byte where it was; here the bytes go first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from maintain import codec
from maintain.hashing import canonical_json
from maintain.records import ModelVersion, TrainingManifest
from maintain_registry.mlflow_store import tags
from maintain_registry.mlflow_store.connection import Connection, absent, taken
from maintain_registry.port import Content

#: MLflow keeps at most so many characters of the digest of a data set.
DATASET_DIGEST_CHARACTERS = 36


def prepare(connection: Connection, record: ModelVersion, files: Mapping[str, Content]) -> Any:
    """The LoggedModel that shall hold the files: the one that a killed writer began, or a new one.

    What was begun for other content under the same number is removed.
    """
    experiment = _experiment(connection, record.model)
    digest = codec.digest_of(record)
    mine = [item for item in _of_number(connection, experiment, record.version) if item.tags.get(tags.RECORD) == digest]
    for item in _of_number(connection, experiment, record.version):
        if item.model_id not in {kept.model_id for kept in mine[:1]}:
            _remove_holder(connection, item)
    if mine:
        return mine[0]
    run = _run(connection, experiment, record, files)
    return connection.client().create_logged_model(
        experiment,
        name=f"v{record.version:04d}",
        source_run_id=run,
        tags=tags.identity(record),
        model_type="maintain",
    )


def seal(connection: Connection, holder: Any) -> None:
    """Say that the files are whole, here and on the disk."""
    if connection.embedded:
        folder = folder_of(holder.artifact_location)
        flush(folder, *folder.rglob("*"))
    client = connection.client()
    client.finalize_logged_model(holder.model_id, "READY")
    client.set_terminated(holder.source_run_id, "FINISHED")


def remove(connection: Connection, model: str, number: int) -> None:
    """Remove every LoggedModel and run of a number, bytes first; none is fine."""
    experiment = _find_experiment(connection, model)
    if experiment is None:
        return
    for item in _of_number(connection, experiment, number):
        _remove_holder(connection, item)
    client = connection.client()
    for run in client.search_runs([experiment], filter_string=_numbered(number)):
        client.delete_run(run.info.run_id)


def of_model(connection: Connection, model: str) -> tuple[Any, ...]:
    """Every LoggedModel in the experiment of a model."""
    experiment = _find_experiment(connection, model)
    return () if experiment is None else tuple(_search(connection, experiment, None))


def sizes(connection: Connection, location: str) -> dict[str, int]:
    """The files below a place, by name, with their sizes."""
    repository = connection.files_at(location)
    found: dict[str, int] = {}
    folders: list[str | None] = [None]
    while folders:
        for item in repository.list_artifacts(folders.pop()):
            if item.is_dir:
                folders.append(item.path)
            else:
                found[item.path] = item.file_size
    return found


def folder_of(location: str) -> Path:
    """The place on this disk that MLflow calls so."""
    return Path(unquote(urlparse(location).path))


def flush(*paths: Path) -> None:
    """Bring files, and the lists of files of folders, to the disk: what was said survives a power cut."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def experiments(connection: Connection) -> tuple[Any, ...]:
    """Every experiment that is called as one of ours, deleted ones too."""
    from mlflow.entities import ViewType

    found: list[Any] = []
    token: str | None = None
    while True:
        named = f"name LIKE '{connection.experiment('%')[0]}'"
        page = connection.client().search_experiments(ViewType.ALL, filter_string=named, page_token=token)
        found += page
        token = page.token
        if not token:
            return tuple(found)


# --- private ---------------------------------------------------------------------------------------


def _experiment(connection: Connection, model: str) -> str:
    found = _find_experiment(connection, model)
    if found is not None:
        return found
    name, home = connection.experiment(model)
    try:
        return str(connection.client().create_experiment(name, artifact_location=home))
    except Exception as error:
        if taken(error) and (found := _find_experiment(connection, model)) is not None:
            return found
        raise


def _find_experiment(connection: Connection, model: str) -> str | None:
    found = connection.client().get_experiment_by_name(connection.experiment(model)[0])
    return None if found is None else str(found.experiment_id)


def _run(connection: Connection, experiment: str, record: ModelVersion, files: Mapping[str, Content]) -> str:
    """A run that names the data by digest and count, and holds none of it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    client = connection.client()
    mine = f"{_numbered(record.version)} and tags.`{tags.RECORD}` = '{codec.digest_of(record)}'"
    begun = client.search_runs([experiment], filter_string=mine)
    if begun:
        return str(begun[0].info.run_id)
    content = files["manifest.json"]
    text = (content if isinstance(content, bytes) else content.read_bytes()).decode()
    manifest = codec.from_text(TrainingManifest, text, source="manifest.json")
    data = Dataset(
        name=f"{record.model} training manifest",
        digest=record.manifest[:DATASET_DIGEST_CHARACTERS],
        source_type="maintain",
        source=canonical_json({"manifest": record.manifest, "snapshot": manifest.snapshot}),
        profile=canonical_json({"cases": len(manifest.learned)}),
    )
    run = client.create_run(experiment, tags=tags.identity(record), run_name=f"v{record.version:04d}")
    client.log_inputs(run.info.run_id, datasets=[DatasetInput(data, [InputTag("mlflow.data.context", "training")])])
    return str(run.info.run_id)


def _of_number(connection: Connection, experiment: str, number: int) -> list[Any]:
    return list(_search(connection, experiment, _numbered(number)))


def _search(connection: Connection, experiment: str, filter_string: str | None) -> Iterator[Any]:
    token: str | None = None
    while True:
        page = connection.client().search_logged_models([experiment], filter_string=filter_string, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _numbered(number: int) -> str:
    return f"tags.`{tags.NUMBER}` = '{number}'"


def _remove_holder(connection: Connection, holder: Any) -> None:
    repository = connection.files_at(holder.artifact_location)
    for name in sizes(connection, holder.artifact_location):
        try:
            repository.delete_artifacts(name)
        except Exception as error:
            if not absent(error):
                raise
    connection.client().delete_logged_model(holder.model_id)
