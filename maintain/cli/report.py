"""`maintain report`: what a run found, for people, for tickets and for programs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson

RunName = Annotated[str, typer.Argument(metavar="RUN", help="The name of a run; `maintain runs list` has them.")]


class Edition(StrEnum):
    """Which edition of a report is wanted."""

    HTML = "html"
    """The page for readers; its place is told."""
    MARKDOWN = "markdown"
    """Printed."""
    JSON = "json"
    """Printed: the document itself, schema `maintain.report`."""


def add_to(application: typer.Typer) -> None:
    """Add the command to the application."""
    application.command(name="report")(report)


def report(
    context: typer.Context,
    run: RunName,
    edition: Annotated[
        Edition, typer.Option("--format", help="Say where the page lies, or print the report itself.")
    ] = Edition.HTML,
    with_images: Annotated[
        bool, typer.Option("--with-images", help="Write a page with some forgotten images, as a file of its own.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the report of a run again, from its folder, and say where it lies.

    Every edition is written: 05-report.html, 05-report.md and 05-report.json. None holds pixels. With --with-images
    one more page does, 05-report-with-images.html; it is refused for the reasons consent and data-subject (exit 2).

    \b
    Examples:
      maintain report 20260101-120000-consent-withdrawal-1a2b
      maintain report 20260101-120000-consent-withdrawal-1a2b --format markdown
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines import journal
    from maintain_pipelines.report import write_report, write_report_with_images
    from maintain_pipelines.rundir import REPORT_JSON, REPORT_MARKDOWN, RunFolder

    with open_context(context.obj) as ports:
        with ports.database.read() as unit:
            journal.get(unit, run)
        folder = RunFolder(ports.workspace.runs / run)
        pictured = write_report_with_images(run, folder, ports) if with_images else None
        path = write_report(run, folder, ports)
    printed = {Edition.MARKDOWN: REPORT_MARKDOWN, Edition.JSON: REPORT_JSON}.get(edition)
    if printed is not None and not as_json:
        lines = folder.file(printed).read_text(encoding="utf-8").splitlines()
    else:
        lines = [f"Report: {path}", *([f"With images, not for sending on: {pictured}"] if pictured else [])]
    document = {
        "run": run,
        "report": str(path),
        "markdown": str(folder.file(REPORT_MARKDOWN)),
        "json": str(folder.file(REPORT_JSON)),
        "with_images": None if pictured is None else str(pictured),
    }
    console.answer(document, lines, schema="report", as_json=as_json)
