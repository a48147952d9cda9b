"""The contact sheet of a score: pictures on both sides of its cut, as a page that is written where somebody says.

It holds pictures of patients, so it is never written into the workspace, whose every other page holds none, nor over
another file, and only its owner may read it. Whoever withdrew or is suppressed is not on it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from maintain import codec
from maintain.arrays import Pixels
from maintain.errors import InputError
from maintain.report import Picture, Sheet, SheetRow, render_sheet
from maintain.vocabulary import ScoreKind
from maintain_pipelines.context import Context
from maintain_pipelines.reporting import png_of
from maintain_pipelines.score import Scored, ScoredCase
from maintain_pipelines.score_cases import usable_cases

#: What the file's name ends with: browsers then show it.
SUFFIX = ".html"

#: Pictures in one row of the sheet.
IN_A_ROW = 8

#: The longest side of a picture on the sheet, in pixels; larger ones are shrunk by a whole number.
LONGEST_SIDE = 256


def check_sheet(path: Path, context: Context) -> None:
    """Raise `InputError` where no sheet may be written: asked before hours of work, and again when it is written."""
    if path.suffix.lower() != SUFFIX:
        raise _refused(f"The contact sheet is a page, and {path.name!r} does not end in {SUFFIX}.")
    if not path.parent.is_dir():
        raise _refused("There is no such folder to write the contact sheet into.")
    if path.parent.resolve().is_relative_to(context.workspace.root.resolve()):
        raise _refused("The contact sheet holds pictures of patients; a workspace keeps none outside its own store.")
    if os.path.lexists(path):
        raise _refused("There is a file where the contact sheet should be written; it was left as it is.")


def write_sheet(scored: Scored, path: Path, context: Context) -> None:
    """Write the sheet of a score, readable by its owner only. Raises `InputError` as `check_sheet` does."""
    check_sheet(path, context)
    with context.database.read() as unit:
        usable = {case.case_id for case in usable_cases(unit)[0]}
    shown = [case for case in scored.each if case.case_id in usable]
    cut = scored.histogram.cut
    page = render_sheet(
        Sheet(
            score=scored.name,
            method=f"{scored.method} (version {scored.version})",
            cut=cut,
            side="above" if cut > 0.0 else "below",
            beyond=scored.histogram.beyond,
            cases=scored.cases,
            rows=_rows(shown, cut, scored.name, context),
        )
    )
    _write_new(path, page.encode())


# --- private ---------------------------------------------------------------------------------------

#: Colour pictures are shown in colour; pictures of any other number of channels by their mean.
_COLOURS = 3

#: What is farthest on the usual side of the cut.
_OTHER_END = {ScoreKind.OUTLIER.value: "The most usual", ScoreKind.QUALITY.value: "The best"}


def _refused(what: str) -> InputError:
    return InputError(what, remedy=f"Name a new file that ends in {SUFFIX}, in a folder outside the workspace.")


def _rows(cases: Iterable[ScoredCase], cut: float, name: str, context: Context) -> tuple[SheetRow, ...]:
    """Farthest first: the ends of what is beyond and of what is within; no picture stands in two rows."""
    sign = math.copysign(1.0, cut)
    once = {case.pixels: case for case in cases}.values()
    ordered = sorted(once, key=lambda case: (-sign * case.value, case.case_id))
    beyond = [case for case in ordered if sign * case.value > sign * cut]
    within = ordered[len(beyond) :]
    just_beyond = beyond[-IN_A_ROW:]
    just_within = within[:IN_A_ROW]
    farthest = beyond[: len(beyond) - len(just_beyond)][:IN_A_ROW]
    other_end = within[len(just_within) :][-IN_A_ROW:]
    none, few = "No image lies there.", "All that lie there are in the row beside the cut."
    return (
        _row("Farthest beyond the cut", farthest, few if beyond else none, context),
        _row("Just beyond the cut", just_beyond, none, context),
        _row("Just within the cut", just_within, none, context),
        _row(_OTHER_END[name], other_end, few if within else none, context),
    )


def _row(title: str, cases: Iterable[ScoredCase], empty: str, context: Context) -> SheetRow:
    pictures = (
        Picture(case.case_id, f"{case.value:.3f}", png_of(_small(context.arrays.get(case.pixels)))) for case in cases
    )
    return SheetRow(title, tuple(pictures), empty)


def _small(pixels: Pixels) -> Pixels:
    """The picture with blocks of pixels averaged until it fits, in colour or grey."""
    shown = pixels if pixels.shape[2] == _COLOURS else pixels.mean(axis=2, keepdims=True)
    step = -(-max(pixels.shape[:2]) // LONGEST_SIDE)
    height, width = (max(side // step, 1) for side in pixels.shape[:2])
    tall, wide = min(step, pixels.shape[0]), min(step, pixels.shape[1])
    blocks = shown[: height * tall, : width * wide].reshape(height, tall, width, wide, shown.shape[2])
    return np.asarray(np.rint(blocks.mean(axis=(1, 3))), dtype=np.uint8)


def _write_new(path: Path, data: bytes) -> None:
    try:
        codec.write_new(path, data)
    except OSError as error:
        raise _refused(f"The contact sheet could not be written ({error.strerror}).") from error
