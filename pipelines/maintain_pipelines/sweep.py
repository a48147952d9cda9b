"""Every file of a workspace that holds certain weights, copies that a killed process left half-written included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maintain.errors import RefusedError
from maintain.hashing import Digest, digest_file
from maintain_pipelines.context import Context
from maintain_pipelines.weight_walk import Walk, begins, walk
from maintain_registry import weight_files

#: How a file is called while it is written, and a version's folder while it is filled.
PARTIAL, STAGING = ".partial", ".staging-"


@dataclass(frozen=True, slots=True)
class Swept:
    """The files by place, each with the digest of its bytes.

    `ours`: those places that only this program names; `links`: how many files have names that were not found;
    `closed`: files that could not be opened.
    """

    found: Mapping[str, Digest]
    ours: tuple[str, ...]
    links: int
    searched: int
    closed: tuple[str, ...]


def sweep(model: str, weights: Digest, context: Context) -> Swept:
    """Look at every file of the workspace. Raises `RefusedError` where weights lie behind a link to a file.

    Whoever calls holds the claim on the model: what is half-written in its folders is then nobody's work.
    """
    root = context.workspace.root
    seen = walk(root)
    held = {item.place: item.file for item in seen.holding(weights)}
    linked = [place for place in held if (root / place).is_symlink()]
    if linked:
        raise RefusedError(
            f"These weights lie behind a link: {', '.join(linked)}.",
            remedy="Remove the file that it leads to, then the link, and say it again.",
        )
    left = dict(_leftovers(seen, held, weights, model, context))
    return Swept(
        found={**held, **left},
        ours=tuple(left),
        links=_links([root / place for place in (*held, *left)]),
        searched=seen.files,
        closed=tuple(place for place in seen.closed if place not in left),
    )


def reference_of(place: str, context: Context) -> Path | None:
    """The folder of the reference that a file belongs to, or None: without its weights it is no reference."""
    path = context.workspace.root / place
    below = path.parent.parent == context.workspace.references
    return path.parent if below else None


# --- private ---------------------------------------------------------------------------------------


def _leftovers(
    seen: Walk, held: Mapping[str, Digest], weights: Digest, model: str, context: Context
) -> Iterator[tuple[str, Digest]]:
    """Beginnings of these weights, and in the model's folders whatever was written half and cannot be told."""
    root = context.workspace.root
    whole = next((root / place for place, file in held.items() if file == weights), None)
    for item in seen.lying:
        part = item.place.endswith(PARTIAL) or STAGING in item.place
        if part and item.place not in held and whole is not None and begins(root / item.place, whole):
            yield item.place, item.file
    with context.database.read() as unit:
        rows = [PurePosixPath(row.place) for row in weight_files(unit) if row.model == model]
    folders = {folder.as_posix() for row in rows for folder in (row, row.parent)}
    for place in seen.closed:
        if place.endswith(PARTIAL) and PurePosixPath(place).parent.as_posix() in folders:
            yield place, digest_file(root / place)


def _links(paths: list[Path]) -> int:
    """How many files have names that were not found."""
    names: dict[tuple[int, int], list[int]] = {}
    for path in paths:
        status = path.stat()
        names.setdefault((status.st_dev, status.st_ino), []).append(status.st_nlink)
    return sum(max(counts) > len(counts) for counts in names.values())
