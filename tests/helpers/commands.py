"""One command line, run in this process, with what it answered."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maintain.cli import app


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
