"""Options that several commands share, spelled once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

RegistryStore: TypeAlias = Annotated[
    str, typer.Option("--registry", metavar="STORE", help="Where a new workspace keeps versions: mlflow or folder.")
]


@dataclass(frozen=True, slots=True)
class Place:
    """What was said before the command: the workspace, if any was named."""

    workspace: Path | None
