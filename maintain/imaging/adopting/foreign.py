"""Foreign weights become ours: read once in a child process with limits, written as safetensors, read from there.

`weights_only=True` lets torch build tensors and plain containers only. A defect in it would run in a process
without our environment, which may use little memory, little time, and write one file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from maintain.errors import InputError
from maintain.imaging.adopting import opening
from maintain.imaging.weights import read_weights

#: What the child may take of memory beside the file: torch needs less than 1 GiB here, builds for cards several.
SPARE_MEMORY = 8 << 30

#: How many times the file's size the child may hold: read, copied, written.
COPIES = 8

#: Seconds that opening may take: a large file on a slow disk needs a minute.
SECONDS = 600

#: Variables that the child keeps: where programs and libraries lie, and nothing that could be a secret.
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT")

#: How a safetensors file is recognised.
SAFETENSORS = ".safetensors"


def read_foreign(path: Path, scratch: Path, *, seconds: float = SECONDS) -> dict[str, Tensor]:
    """The tensors of a state_dict or safetensors file, converted once. `scratch` is written, and removed at the end.

    Raises:
        InputError: The file is missing, pickled, broken, holds something else than finite tensors, or is too much.
    """
    size = _size(path)
    kind = "safetensors" if path.suffix == SAFETENSORS else "state_dict"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    try:
        answer = _answer(path, scratch, kind, size, seconds)
        if "refused" in answer:
            raise _refused(path, str(answer["refused"]), _names(answer.get("names")))
        return read_weights(scratch)
    finally:
        scratch.unlink(missing_ok=True)


# --- private ---------------------------------------------------------------------------------------

_SAVE = "Save it again with torch.save(model.state_dict(), FILE), or as safetensors."

#: Word of the child -> what was found, and what to do.
_WORDS: Mapping[str, tuple[str, str]] = {
    "pickled": ("holds more than tensors, and pickled code is never run", _SAVE),
    "broken": ("is no whole file of weights", "Copy it again, and compare its size with the original. " + _SAVE),
    "not-a-mapping": ("is not a state_dict: names with tensors", _SAVE),
    "not-tensors": ("has entries that are not tensors", "A checkpoint of a trainer holds more. " + _SAVE),
    "not-plain": ("has tensors that are sparse or quantised", "Save the weights as plain numbers. " + _SAVE),
    "not-finite": ("has tensors with NaN or infinity", "These weights cannot serve; find the ones that do."),
    "names": ("has tensors without a printable name", _SAVE),
    "empty": ("holds no tensor", _SAVE),
    "memory": ("describes more than it holds, or needs more memory than opening it may take", _SAVE),
    "died": ("could not be opened within the limits of memory and time", "Look whether it is the file you mean."),
}


def _size(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            return os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise InputError(
            f"The weights {path.name} cannot be read ({error.strerror}).", remedy="Name a file that can."
        ) from error


def _answer(path: Path, scratch: Path, kind: str, size: int, seconds: float) -> Mapping[str, object]:
    """What the child says; a child that says nothing that can be read has died."""
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    memory = SPARE_MEMORY + COPIES * size
    words = (str(path.absolute()), str(scratch.absolute()), kind, str(size), str(memory), str(int(seconds) + 1))
    try:
        done = subprocess.run(
            [sys.executable, "-I", opening.__file__, *words],
            env={**environment, "OMP_NUM_THREADS": "1"},
            cwd=scratch.absolute().parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else None
    except (subprocess.TimeoutExpired, ValueError):
        answer = None
    return answer if isinstance(answer, dict) else {"refused": "died", "names": []}


def _names(said: object) -> list[str]:
    """The names that the child lists, as far as they may stand in a message."""
    names = [name for name in said if isinstance(name, str)] if isinstance(said, list) else []
    return [name[: opening.LONGEST_NAME] for name in names[: opening.LISTED] if name.isprintable()]


def _refused(path: Path, word: str, names: list[str]) -> InputError:
    what, remedy = _WORDS.get(word, _WORDS["died"])
    listed = f": {', '.join(names)}" if names else ""
    return InputError(f"The weights {path.name}: the file {what}{listed}.", remedy=remedy)
