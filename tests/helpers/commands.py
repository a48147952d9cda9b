"""One command line, run in this process, with what it answered."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.cli import app

#: For command lines in a process of their own: the same packages, and the program itself.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
PROGRAM = "from maintain.cli.app import main; main()"


@dataclass(frozen=True, slots=True)
class Said:
    """What one command line answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document of stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def say(*arguments: object, workspace: Path | None = None) -> Said:
    """Run one command line in this process."""
    place = ["--workspace", str(workspace)] if workspace else []
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = app.run([*place, *map(str, arguments)])
    return Said(code, out.getvalue(), err.getvalue())
