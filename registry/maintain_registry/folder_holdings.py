"""Everything in a registry that is a folder, damaged or not, with the digest of every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from maintain.errors import DamagedError
from maintain.hashing import digest_bytes, digest_file
from maintain_registry.contents import is_model_name
from maintain_registry.holdings import HeldAlias, HeldVersion, Holdings, Stray


def folder_holdings(
    root: Path,
    *,
    numbered: Callable[[str], int | None],
    aliases: Callable[[str], Mapping[str, int]],
    own: frozenset[str],
    lists: frozenset[str],
) -> Holdings:
    """Read a registry below a folder.

    `numbered` is the number of a version by the name of its folder, `own` what the store itself keeps beside the
    versions of a model, `lists` what it keeps beside the files of a version.
    """
    strays = list(strays_in(root, numbered=numbered, own=own))
    versions, held = [], []
    for folder in _models(root):
        for place in sorted(folder.iterdir()):
            number = numbered(place.name)
            if number is not None:
                versions.append(HeldVersion(folder.name, place.name, number, _files(place, lists)))
        try:
            found = sorted(aliases(folder.name).items())
        except DamagedError:
            strays.append(Stray(f"the damaged file of the aliases of {folder.name}", folder.name))
            continue
        held += [HeldAlias(folder.name, name, f"version {number}", number) for name, number in found]
    return Holdings(tuple(versions), tuple(held), tuple(strays))


def strays_in(root: Path, *, numbered: Callable[[str], int | None], own: frozenset[str]) -> Iterator[Stray]:
    """What lies there and is no version, by name."""
    if not root.is_dir():
        return
    models = {folder.name for folder in _models(root)}
    for item in sorted(root.iterdir()):
        if item.name not in models:
            yield Stray(f"{item.name} in the registry folder")
    for folder in _models(root):
        for item in sorted(folder.iterdir()):
            if numbered(item.name) is None and item.name not in own:
                yield Stray(f"{item.name} in the registry folder of {folder.name}", folder.name)


# --- private ---------------------------------------------------------------------------------------

#: What stands for the content of a file that cannot be read: no file has it.
_UNREADABLE = digest_bytes(b"a file that cannot be read")


def _models(root: Path) -> tuple[Path, ...]:
    if not root.is_dir():
        return ()
    return tuple(sorted(item for item in root.iterdir() if is_model_name(item.name) and item.is_dir()))


def _files(folder: Path, lists: frozenset[str]) -> dict[str, str]:
    found = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    names = {str(path.relative_to(folder)): path for path in found}
    return {name: _digest(path) for name, path in names.items() if name not in lists}


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError:
        return _UNREADABLE
