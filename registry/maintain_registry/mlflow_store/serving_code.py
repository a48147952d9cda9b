"""The code that travels with a version, so that it can be asked where `maintain` is not installed.

It is the code that trained and judged the version, copied file by file, not a second implementation. The
copy has a package name of its own, made of its digest: versions of several ages, and an installed
`maintain`, can be loaded side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from maintain.hashing import canonical_json, digest_bytes, short

#: Everything that `maintain.imaging.serving` imports, directly or not; a test walks the imports.
MODULES = (
    "codec",
    "errors",
    "hashing",
    "imaging.__init__",
    "imaging.architectures",
    "imaging.batches",
    "imaging.blueprint",
    "imaging.compute",
    "imaging.heads",
    "imaging.loader",
    "imaging.networks",
    "imaging.serving",
    "imaging.transforms",
    "imaging.weights",
    "options",
    "records.__init__",
    "records.cohort",
    "records.evidence",
    "records.models",
    "records.runs",
    "vocabulary",
)

#: The module of the copy that MLflow asks for a model.
ENTRY = "imaging.serving"


@cache
def serving_code() -> tuple[str, Mapping[str, bytes]]:
    """The name of the copied package, and its files by their place below the code folder."""
    root = files("maintain")
    sources = {path: root.joinpath(path).read_text(encoding="utf-8") for path in map(_path, MODULES)}
    package = f"maintain_serving_{short(digest_bytes(canonical_json(sources).encode()))}"
    copied = {f"{package}/{path}": _renamed(text, package).encode() for path, text in sources.items()}
    return package, {f"{package}/__init__.py": _FRONT.encode(), **copied}


# --- private ---------------------------------------------------------------------------------------

_FRONT = '"""What a version of `maintain` needs to be asked: a copy of the code that made it."""\n'

#: `maintain.` where it names one of our own modules; names of schemas begin with it too and stay.
_OWN = re.compile(rf"\bmaintain\.(?=(?:{'|'.join(sorted({name.split('.')[0] for name in MODULES}))})\b)")
_FRONT_DOOR = re.compile(r"\bfrom maintain import ")


def _path(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _renamed(text: str, package: str) -> str:
    return _FRONT_DOOR.sub(f"from {package} import ", _OWN.sub(f"{package}.", text))
