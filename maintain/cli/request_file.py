"""`maintain request file`: a letter comes in. An identifier has no place on the command line, and none in a message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from maintain.cli import console
from maintain.cli.options import AsJson
from maintain.errors import InputError
from maintain.vocabulary import LegalBasis, Reason

if TYPE_CHECKING:
    from maintain_pipelines.context import Context
    from maintain_pipelines.requests import RequestOrder

#: Whatever stands behind `file` and is no option: taken, so that no usage error repeats it, and refused.
SWALLOW = {"allow_extra_args": True, "ignore_unknown_options": True}

Why: TypeAlias = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="consent or data-subject: what the letter says.")
]
Issuer: TypeAlias = Annotated[
    str | None, typer.Option("--issuer", metavar="TEXT", help="Who issued the PatientID, where it is known.")
]
Basis: TypeAlias = Annotated[
    str | None,
    typer.Option("--basis", metavar="BASIS", help="gdpr-7-3, gdpr-17-1, gdpr-21 or other; by the reason if omitted."),
]
Received: TypeAlias = Annotated[
    str | None, typer.Option("--received", metavar="DATE", help="When it came; today if omitted.")
]
Due: TypeAlias = Annotated[
    str | None,
    typer.Option("--due", metavar="DATE", help="By when it must be answered; requests.answer_days if omitted."),
]
Source: TypeAlias = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="Read the PatientIDs from a file, one a line.")
]
Table: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="FILE",
        help="Many requests at once: CSV with PatientID, reason and, if you like, IssuerOfPatientID, basis, received, "
        "due, request.",
    ),
]


def add_to(application: typer.Typer) -> None:
    """Add the command to the noun."""
    application.command(name="file", context_settings=SWALLOW)(file)


def file(
    context: typer.Context,
    reason: Why = None,
    issuer: Issuer = None,
    basis: Basis = None,
    received: Received = None,
    due: Due = None,
    source: Source = None,
    table: Table = None,
    as_json: AsJson = False,
) -> None:
    """File a request to be forgotten: from now on nobody may use the person's images, in any role.

    The PatientID is read from stdin, one person a line, hidden at a terminal, or from a file; never taken as an
    argument, never kept and never said. One request may name several people. Then it is said which images that are,
    what is owed to each, and for every model what will answer the request. In a table, rows that share a word in the
    column `request` are one request; all rows are filed or none.

    \b
    Examples:
      maintain request file --reason consent
      maintain request file --reason data-subject --issuer SYNTHETIC-HOSPITAL < patient.txt
      maintain request file --table letters.csv
    """
    from maintain.cli.composition import open_context
    from maintain.cli.request_pages import brief_line, filed_document, filed_lines
    from maintain.cli.request_reading import load_shelf
    from maintain_pipelines import requests

    if context.args:
        raise InputError(
            "`maintain request file` takes no identifier on the command line, and knows no such option.",
            remedy="Give the PatientID on stdin. What was typed stands in your shell's history now: delete it there.",
        )
    letter = _Letter(reason, issuer, basis, received, due, source)
    letter.check(table)
    with open_context(context.obj) as ports:
        orders = (letter.order(ports),) if table is None else requests.orders_of_table(table, ports)
        filed = requests.file_requests(orders, ports, policies=load_shelf(ports))
        today = ports.clock.now().date()
    for one in filed if table else ():
        console.say(brief_line(one))
    lines = (line for one in filed for line in ([one.request.name] if table else filed_lines(one, today)))
    document = {"requests": [filed_document(one) for one in filed]}
    console.answer(document, lines, schema="request-file", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Letter:
    """What was said of one letter beside whom it names."""

    reason: str | None
    issuer: str | None
    basis: str | None
    received: str | None
    due: str | None
    source: Path | None

    def check(self, table: Path | None) -> None:
        """Raise `InputError` unless a table says everything, or the options say why."""
        if table is None and self.reason is None:
            raise InputError("Nobody said why.", remedy="Add `--reason consent` or `--reason data-subject`.")
        if table is not None and self != _Letter(None, None, None, None, None, None):
            raise InputError(
                "A table says everything itself.", remedy="Leave the other options out, or leave --table out."
            )

    def order(self, ports: Context) -> RequestOrder:
        """The order of the letter; whom it names is read now."""
        from maintain.cli.request_reading import choice, day, identifiers
        from maintain_pipelines.requests import order_of

        reason = choice(Reason, self.reason or "", "--reason", only=lambda one: one.personal)
        basis = None if self.basis is None else choice(LegalBasis, self.basis, "--basis")
        received, due = day(self.received, "--received"), day(self.due, "--due")
        given = identifiers(self.source)
        return order_of(given, ports, reason=reason, issuer=self.issuer, basis=basis, received=received, due=due)
