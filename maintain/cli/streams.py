"""stdout and stderr that nobody can break: a reader who leaves early changes neither work nor exit code.

`maintain runs list | head` closes the pipe while there is more to say. What nobody reads is dropped, and
a character that a terminal cannot show is escaped, so that telling never ends the work.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def patient_streams() -> None:
    """Put patient streams in the places of stdout and stderr."""
    if sys.stdout is not None:  # None where the process was started without one
        sys.stdout = _patient(sys.stdout, line_buffering=sys.stdout.isatty())
    if sys.stderr is not None:
        sys.stderr = _patient(sys.stderr, line_buffering=True)


# --- private ---------------------------------------------------------------------------------------


class _Patient(io.FileIO):
    """A file descriptor whose reader may have gone."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or drop what nobody will read."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _patient(stream: TextIO, *, line_buffering: bool) -> TextIO:
    stream.flush()
    raw = _Patient(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors="backslashreplace", line_buffering=line_buffering
    )
