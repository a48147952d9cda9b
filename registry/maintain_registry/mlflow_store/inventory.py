"""Everything that MLflow holds, by whomever: what an audit compares with the ledger, and what `doctor` counts.

Asked of MLflow's search and of the files themselves. Nothing here takes a tag's word for anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maintain.errors import DamagedError
from maintain.hashing import Digest, digest_bytes
from maintain_registry import contents
from maintain_registry.holdings import CARD, HeldAlias, HeldVersion, Holdings, Stray
from maintain_registry.mlflow_store import holders, payload, reading, tags
from maintain_registry.mlflow_store.connection import Connection

#: What MLflow's own client leaves beside the files of a version that it loads from this disk: which one it was.
LOADED_FILE = "registered_model_meta"

#: Without a filter MLflow's searches list everything.
_EVERYTHING = ""


def everything(connection: Connection) -> Holdings:
    """Every version, alias and leftover, in models of ours and of others."""
    if not connection.exists():
        return Holdings()
    client = connection.client()
    models = list(reading.every(client.search_registered_models, _EVERYTHING))
    items = list(reading.every(client.search_model_versions, _EVERYTHING))
    return Holdings(
        versions=tuple(_version(connection, item) for item in items),
        aliases=tuple(_aliases(models, items)),
        strays=(*_tags_of_models(models), *leftovers(connection, items)),
    )


def tags_of(item: Any) -> Mapping[str, str]:
    """The tags of a version of MLflow, with its card by digest."""
    card = item.description or ""
    return {**item.tags, CARD: digest_bytes(card.encode())}


def foreign(connection: Connection) -> int:
    """How many versions and files lie beside ours that this store did not put there, or did not finish."""
    if not connection.exists():
        return 0
    items = list(reading.every(connection.client().search_model_versions, _EVERYTHING))
    ours = [item for item in items if tags.number_of(item.tags) is not None]
    mine = {item.name for item in items if item.tags.get(tags.SCHEMA) == tags.SCHEMA_VERSION}
    theirs = [item for item in items if item.name in mine and tags.number_of(item.tags) is None]
    altered = sum(reading.altered(connection, item) for item in ours)
    return len(theirs) + len(list(leftovers(connection, items))) + altered


def leftovers(connection: Connection, items: list[Any]) -> Iterator[Stray]:
    """The LoggedModels in our experiments behind which no version stands."""
    used = {item.tags.get(tags.HOLDER) for item in items if tags.number_of(item.tags) is not None}
    for model in _modelled(connection):
        for holder in holders.of_model(connection, model):
            if holder.model_id not in used:
                number = tags.number_of(holder.tags)
                yield Stray(f"the LoggedModel {holder.model_id} of {model}", model, number)


# --- private ---------------------------------------------------------------------------------------


def _modelled(connection: Connection) -> Iterator[str]:
    """The models that have an experiment of ours, those without any version included."""
    prefix, _ = connection.experiment("")
    found = reading.every(connection.client().search_experiments, f"name LIKE '{prefix}%'")
    for experiment in found:
        model = experiment.name.removeprefix(prefix)
        if contents.is_model_name(model):
            yield model


def _version(connection: Connection, item: Any) -> HeldVersion:
    place, number = f"version {item.version} of MLflow", tags.number_of(item.tags)
    if number is None:
        return HeldVersion(item.name, place, None, tags=tags_of(item))
    files, listed = _files(connection, item.source), _listed(connection, item)
    if files.get(LOADED_FILE) in _loaded(item):  # with any other content it is somebody's file under that name
        del files[LOADED_FILE]
    if listed is None:  # its list is gone or another, which is told; what belongs beside it nobody can say
        listed, known = {}, {*contents.DIGEST_FIELDS, payload.RECORD_FILE, payload.FILES_FILE}
        files = {name: digest for name, digest in files.items() if name in known}
    listed[payload.FILES_FILE] = item.tags.get(tags.FILES, "")
    return HeldVersion(item.name, place, number, files, listed, tags_of(item))


def _loaded(item: Any) -> frozenset[Digest]:
    """The digests of what MLflow's client writes when it loads this version, the number plain or quoted."""
    texts = (f"model_name: {item.name}\nmodel_version: {number}\n" for number in (item.version, f"'{item.version}'"))
    return frozenset(digest_bytes(text.encode()) for text in texts)


def _files(connection: Connection, location: str) -> dict[str, Digest]:
    """Every file below a place of MLflow by the digest of its bytes; one that cannot be read is as good as gone."""
    found: dict[str, Digest] = {}
    for name in holders.sizes(connection, location):
        try:
            found[name] = digest_bytes(reading.fetch(connection, location, name, "a version"))
        except DamagedError:
            continue
    return found


def _listed(connection: Connection, item: Any) -> dict[str, Digest] | None:
    """What the store's own list says; None unless it is the list that the tag names."""
    try:
        data = reading.fetch(connection, item.source, payload.FILES_FILE, "a version")
        if digest_bytes(data) != item.tags.get(tags.FILES):
            return None
        return {name: digest for name, (digest, _) in payload.listed_files(data).items()}
    except (DamagedError, ValueError):
        return None


def _aliases(models: list[Any], items: list[Any]) -> Iterator[HeldAlias]:
    ours = {(item.name, str(item.version)): tags.number_of(item.tags) for item in items}
    for model in models:
        for name, at in sorted(model.aliases.items()):
            number = ours.get((model.name, str(at)))
            place = f"version {number}" if number is not None else f"version {at} of MLflow"
            yield HeldAlias(model.name, name, place, number)


def _tags_of_models(models: list[Any]) -> Iterator[Stray]:
    """Tags of a whole model: this store sets one, and only on a model of ours."""
    for model in models:
        given = dict(model.tags)
        if given.pop(tags.SCHEMA, tags.SCHEMA_VERSION) != tags.SCHEMA_VERSION:
            yield Stray(f"the edited tag {tags.SCHEMA} of the model {model.name}", model.name)
        for name in sorted(given):
            yield Stray(f"the tag {name} of the model {model.name}", model.name)
