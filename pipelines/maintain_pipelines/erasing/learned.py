"""Which weights of a workspace may stay: those whose manifests show that they learned from nobody who is erased.

A version is judged by its proven chain of manifests; a reference or a candidate by its own, and by the version that
it began from. Weights that no manifest accounts for are never taken for clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from maintain import codec
from maintain.cohort import Marks
from maintain.errors import MaintainError
from maintain.hashing import Digest
from maintain.records import Candidate, ModelVersion, Origin, Reference, TrainingManifest
from maintain.vocabulary import Exposed, OriginKind
from maintain_pipelines.champions import MANIFEST_FILE
from maintain_pipelines.context import Context
from maintain_pipelines.exposure import Exposure, Sought, exposures
from maintain_pipelines.references.keeping import REFERENCE_FILE
from maintain_pipelines.rundir import CANDIDATE, RunFolder
from maintain_pipelines.states import LAST_SLOT


def exposed(marks: Marks, context: Context) -> tuple[Exposure, ...]:
    """The versions that learned from one of the images, or of which nobody can say it."""
    found = exposures(Sought(marks.cases), context) if marks.cases else ()
    return tuple(item for item in found if item.answer is not Exposed.NO)


def clean_weights(marks: Marks, context: Context) -> frozenset[Digest]:
    """The digests of all weights that provably learned from none of the images."""
    versions = tuple(_clean_versions(marks, context))
    origins = {(version.weights, version.manifest) for version in versions}
    found = {version.weights for version in versions}
    for folder in _folders(context.workspace.references):
        found |= set(_of_reference(folder, marks, origins))
    for folder in _folders(context.workspace.runs):
        found |= set(_of_run(folder, marks, origins))
    return frozenset(found)


# --- private ---------------------------------------------------------------------------------------


def _clean_versions(marks: Marks, context: Context) -> Iterator[ModelVersion]:
    dirty = {(item.model, item.version) for item in exposed(marks, context)}
    for model in context.store.models():
        for number in context.store.versions(model):
            if (model, number) not in dirty:
                yield context.store.get(model, number).record


def _folders(room: Path) -> list[Path]:
    return sorted(path for path in room.iterdir() if path.is_dir()) if room.is_dir() else []


def _of_reference(folder: Path, marks: Marks, origins: Set[tuple[Digest, Digest | None]]) -> Iterator[Digest]:
    try:
        record = codec.read(folder / REFERENCE_FILE, Reference)
        manifest = codec.read(folder / MANIFEST_FILE, TrainingManifest, expected=record.manifest)
    except MaintainError:
        return
    if _clean(manifest, marks, origins):
        yield record.weights


def _of_run(path: Path, marks: Marks, origins: Set[tuple[Digest, Digest | None]]) -> Iterator[Digest]:
    for slot in range(1, LAST_SLOT + 1):
        folder = RunFolder(path, slot)
        try:
            candidate = folder.read(CANDIDATE, Candidate)
            manifest = folder.read(f"02-{MANIFEST_FILE}", TrainingManifest, expected=candidate.manifest)
        except MaintainError:
            continue
        if _clean(manifest, marks, origins):
            yield candidate.weights


def _clean(manifest: TrainingManifest, marks: Marks, origins: Set[tuple[Digest, Digest | None]]) -> bool:
    """Whether a manifest lists none of the images, whatever for: one that does is erased, and vouches for nothing."""
    listed = {ref.case_id for ref in (*manifest.learned, *manifest.unlearned, *manifest.selected_with)}
    return not listed & marks.cases and _began_clean(manifest.origin, origins)


def _began_clean(origin: Origin, origins: Set[tuple[Digest, Digest | None]]) -> bool:
    return origin.kind is OriginKind.INITIALISATION or (origin.weights, origin.manifest) in origins
