"""What `maintain plan` says of minutes and disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maintain.cli import console

if TYPE_CHECKING:
    from maintain_pipelines.expecting import Disk, Expected, Range

#: Below this many seconds people read seconds.
_IN_SECONDS = 90.0

#: Bytes in the unit that people read.
_MEGABYTE = 1e6

#: Megabytes from which on gigabytes are said.
_IN_GIGABYTES = 1000.0

NOT_KNOWN = "no recorded run of this network on this machine: not known"


def expected_lines(expected: Expected) -> list[str]:
    """Every part with what it took before, the whole run, and the disk."""
    rows = [
        (
            part.name,
            part.known,
            NOT_KNOWN if part.seconds is None else _span(part.seconds),
            "-" if part.seconds is None else len(part.seconds.runs),
        )
        for part in expected.parts
    ]
    return [
        "",
        *console.table(("to expect", "known", "time", "recorded runs"), rows),
        _whole_line(expected),
        _disk_line(expected.disk),
    ]


def disk_warning(disk: Disk) -> str:
    """What to say where a run may not fit."""
    refused = ", so `maintain run` would refuse it" if disk.free < disk.least else ""
    return f"The run may take {_megabytes(disk.most)}, and {_megabytes(disk.free)} are free{refused}."


# --- private ---------------------------------------------------------------------------------------


def _whole_line(expected: Expected) -> str:
    if expected.whole is None:
        parts = ", ".join(expected.unknown) or "no method can be tried"
        return f"Time      of the whole run: not known ({parts})."
    runs = len(expected.whole.runs)
    counted = "1 recorded run" if runs == 1 else f"{runs} recorded runs"
    left_out = f", without {', '.join(expected.unknown)}" if expected.unknown else ""
    return f"Time      of the whole run{left_out}: {_span(expected.whole)}, by {counted} here."


def _disk_line(disk: Disk) -> str:
    without = "" if disk.measured else " without its measurements, whose size no recorded run tells"
    return (
        f"Disk      {_megabytes(disk.least)} to {_megabytes(disk.most)}{without}; one file of weights is"
        f" {_megabytes(disk.weights)}. {_megabytes(disk.free)} are free. Checkpoints come on top while it trains."
    )


def _span(seconds: Range) -> str:
    least, most = _time(seconds.least), _time(seconds.most)
    return least if least == most else f"{least} to {most}"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _IN_SECONDS else f"{seconds / 60:.1f} min"


def _megabytes(count: int) -> str:
    megabytes = count / _MEGABYTE
    return f"{megabytes:.1f} MB" if megabytes < _IN_GIGABYTES else f"{megabytes / _IN_GIGABYTES:.1f} GB"
