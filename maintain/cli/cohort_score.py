"""`maintain cohort score`: figures of each image that a policy can select by, and how they are spread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.vocabulary import OutlierMethod, ScoreKind

if TYPE_CHECKING:
    from maintain_pipelines.score import Scored

#: What is said of every contact sheet, to people and to programs.
HOLDS = "holds pictures of patients and is not for sending on"

#: Characters of the longest bar of a histogram.
BAR = 40

FromModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL[:VERSION]",
        help="Find outliers in what this model makes of the images; its champion unless a version is said.",
    ),
]
OnSheet = Annotated[
    Path | None,
    typer.Option("--sheet", metavar="FILE.html", help="Write a page of images beyond the cut and within it."),
]


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="score")(score)


def score(
    context: typer.Context,
    kind: Annotated[ScoreKind, typer.Option("--kind", "-k", help="What to compute.")] = ScoreKind.OUTLIER,
    method: Annotated[
        OutlierMethod | None,
        typer.Option("--method", help="How far is measured: mahalanobis if nothing is said, knn with --model."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", "-l", help="Hold images against others with the same answer only.")
    ] = None,
    model: FromModel = None,
    sheet: OnSheet = None,
    as_json: AsJson = False,
) -> None:
    """Compute figures of each image that a policy can select by. Saying it again replaces them.

    outlier says how unlike the others of its device the pattern of an image is, in normal deviates: policies ask
    score.outlier. knn overlooks groups of more than a tenth of the images. quality says how good the picture is:
    score.quality is its worst figure, far below 0 where poor, and score.sharpness, score.exposure and score.field
    are the figures. Neither is a diagnosis: look at what lies beyond the cut before a policy forgets it, with --sheet.

    With --model the outlier lies far in the last layer of a registered version. What a model was never asked for it may
    overlook: on the synthetic hospital it is far worse than without (docs/scores.md has the figures).

    The sheet holds pictures of patients. It is written once, outside the workspace, readable by you alone; nobody who
    withdrew or is suppressed is on it. Computed scores are entered in the ledger. Exits 3 where images are too few to
    say what is usual, and 5 where there are none.

    \b
    Examples:
      maintain cohort score --kind outlier --label diagnosis
      maintain cohort score --model fundus-triage:2 --sheet ~/odd.html
      maintain cohort score --kind quality --sheet ~/poor.html
    """
    from maintain.cli.composition import open_context
    from maintain.errors import InputError
    from maintain_pipelines.score import score_outliers, score_quality

    if kind is ScoreKind.QUALITY and (method, label, model) != (None, None, None):
        raise InputError(
            "--method, --label and --model are for outliers; quality is always held against others of the device.",
            remedy="Leave them out, or say `--kind outlier`.",
        )
    with open_context(context.obj) as ports:
        if sheet is not None:
            from maintain_pipelines.score_sheet import check_sheet, write_sheet

            check_sheet(sheet, ports)
        if kind is ScoreKind.QUALITY:
            found = score_quality(ports)
        else:
            usual = OutlierMethod.MAHALANOBIS if model is None else OutlierMethod.KNN
            found = score_outliers(ports, method=method or usual, label=label, model=model)
        if sheet is not None:
            write_sheet(found, sheet, ports)
    console.answer(_document(found, sheet), _lines(found, sheet), schema="cohort-score", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _document(found: Scored, sheet: Path | None) -> dict[str, object]:
    return {
        "score": found.name,
        "method": found.method,
        "method_version": found.version,
        "cases": found.cases,
        "passed_over": found.passed_over,
        "cut": found.histogram.cut,
        "beyond": found.histogram.beyond,
        "histogram": {"edges": list(found.histogram.edges), "counts": list(found.histogram.counts)},
        "sheet": None if sheet is None else {"file": str(sheet), "holds": HOLDS},
    }


def _lines(found: Scored, sheet: Path | None) -> list[str]:
    """The score in a sentence, its histogram with the cut drawn in, and what to do with it."""
    spread = found.histogram
    side, operator = ("above", "gt") if spread.cut > 0 else ("below", "lt")
    lines = [f"score.{found.name} of {found.cases} images, by {found.method} (version {found.version})"]
    if found.passed_over:
        lines += [f"{found.passed_over} images of withdrawn or suppressed patients were not looked at"]
    most, drawn = max(spread.counts), False
    lines += [""]
    for low, count in zip(spread.edges[:-1], spread.counts, strict=True):
        if not drawn and low >= spread.cut:
            lines, drawn = [*lines, f"{'':>8}  - - - the proposed cut, {spread.cut:g} - - -"], True
        lines += [f"{low:8.2f}  {'#' * -(-count * BAR // most):{BAR}}  {count}".rstrip()]
    share = 100.0 * spread.beyond / found.cases
    lines += ["", f"{spread.beyond} images ({share:.1f} %) lie {side} {spread.cut:g}"]
    lines += [f"In a policy: score.{found.name}: {{{operator}: {spread.cut:g}}}"]
    return lines if sheet is None else [*lines, "", f"{sheet} {HOLDS}: delete it once you have looked."]
