"""The process that opens a file of foreign weights: alone, with little memory, and with nothing worth stealing.

Run as a script by `foreign`, in isolated mode, so it imports nothing of this program. It turns a state_dict into
safetensors and says in one line of JSON how that went, in words of a closed list: texts of a pickle never travel.
"""

from __future__ import annotations

import json
import pickle
import resource
import sys
import warnings
from collections.abc import Mapping
from typing import Any

#: Longest name of a tensor; torch's own are far shorter, and names travel into messages.
LONGEST_NAME = 200

#: A file may describe this many times its own bytes: tied tensors are counted once in the file, each time here.
MOST_EXPANSION = 4

#: Bytes that any file may describe, whatever its size.
SPARE_BYTES = 1 << 20

#: Names that an answer lists.
LISTED = 3


class Refusal(Exception):
    """One word of the closed list, and names of tensors that it is about."""

    def __init__(self, word: str, names: list[str] | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.names = names or []


def convert(source: str, target: str, kind: str, size: int) -> dict[str, Any]:
    """Write the tensors of `source` to `target` as safetensors; how many there are. Raises `Refusal`."""
    found = _loaded(source, kind)
    if not isinstance(found, Mapping):
        raise Refusal("not-a-mapping")
    tensors = _tensors(found, MOST_EXPANSION * size + SPARE_BYTES)
    from safetensors.torch import save_file

    save_file(tensors, target)
    return {"tensors": len(tensors)}


def main(source: str, target: str, kind: str, size: str, memory: str, seconds: str) -> None:
    """Convert within limits, and answer with one line of JSON."""
    _limit(int(size), int(memory), int(seconds))
    warnings.simplefilter("ignore")
    try:
        answer = convert(source, target, kind, int(size))
    except Refusal as refusal:
        answer = {"refused": refusal.word, "names": refusal.names}
    except MemoryError:
        answer = {"refused": "memory", "names": []}
    sys.stdout.write(json.dumps(answer) + "\n")


# --- private ---------------------------------------------------------------------------------------


def _limit(size: int, memory: int, seconds: int) -> None:
    """Set before torch is there and the file is opened: memory, time, bytes written, no memory left on the disk."""
    written = MOST_EXPANSION * size + 2 * SPARE_BYTES
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))


def _loaded(source: str, kind: str) -> Any:
    try:
        if kind == "safetensors":
            from safetensors.torch import load_file

            return load_file(source)
        import torch

        return torch.load(source, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except pickle.UnpicklingError as error:
        raise Refusal("pickled") from error
    except Exception as error:  # a file may make a reader raise anything; none of it is repeated
        raise Refusal("broken") from error


def _tensors(found: Mapping[Any, Any], most_bytes: int) -> dict[str, Any]:
    import torch

    if not found:
        raise Refusal("empty")
    if any(not isinstance(name, str) or not name.isprintable() or len(name) > LONGEST_NAME for name in found):
        raise Refusal("names")
    if other := [name for name, value in found.items() if not isinstance(value, torch.Tensor)]:
        raise Refusal("not-tensors", sorted(other)[:LISTED])
    odd = [name for name, value in found.items() if value.layout is not torch.strided or value.is_quantized]
    if odd or any(value.device.type != "cpu" for value in found.values()):
        raise Refusal("not-plain", sorted(odd)[:LISTED])
    if sum(value.numel() * value.element_size() for value in found.values()) > most_bytes:
        raise Refusal("memory")
    if bad := [name for name, value in found.items() if not bool(torch.isfinite(value).all())]:
        raise Refusal("not-finite", sorted(bad)[:LISTED])
    return {name: value.detach().clone().contiguous() for name, value in found.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
