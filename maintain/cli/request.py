"""`maintain request`: letters of people who want to be forgotten, from the day they arrive to the day they are done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maintain.cli import console, request_reply
from maintain.cli.options import AsJson
from maintain.errors import InputError
from maintain.vocabulary import LegalBasis, Reason, RequestState

app = typer.Typer()

#: Whatever stands behind `file` and is no option: taken, so that no usage error repeats it, and refused.
_SWALLOW = {"allow_extra_args": True, "ignore_unknown_options": True}

Name = Annotated[str, typer.Argument(metavar="REQUEST", help="Its name, for example R-2026-0007.")]


@app.command(context_settings=_SWALLOW)
def file(
    context: typer.Context,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="REASON", help="consent or data-subject: what the letter says.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="TEXT", help="Who issued the PatientID, where it is known.")
    ] = None,
    basis: Annotated[
        str | None,
        typer.Option(
            "--basis", metavar="BASIS", help="gdpr-7-3, gdpr-17-1, gdpr-21 or other; by the reason if omitted."
        ),
    ] = None,
    received: Annotated[
        str | None, typer.Option("--received", metavar="DATE", help="When it came; today if omitted.")
    ] = None,
    due: Annotated[
        str | None,
        typer.Option("--due", metavar="DATE", help="By when it must be answered; requests.answer_days if omitted."),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Read the PatientIDs from a file, one a line.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="FILE",
            help="Many requests at once: CSV with PatientID, reason and, if you like, IssuerOfPatientID, basis, "
            "received, due, request.",
        ),
    ] = None,
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
    from maintain.cli.request_pages import filed_document, filed_lines
    from maintain.cli.request_reading import choice, day, identifiers, load_shelf
    from maintain_pipelines import requests

    if context.args:
        raise InputError(
            "`maintain request file` takes no identifier on the command line, and knows no such option.",
            remedy="Give the PatientID on stdin. What was typed stands in your shell's history now: delete it there.",
        )
    alone = {"reason": reason, "issuer": issuer, "basis": basis, "received": received, "due": due, "from": source}
    if table is not None and any(value is not None for value in alone.values()):
        raise InputError("A table says everything itself.", remedy="Leave the other options out, or leave --table out.")
    if table is None and reason is None:
        raise InputError("Nobody said why.", remedy="Add `--reason consent` or `--reason data-subject`.")
    why = None if reason is None else choice(Reason, reason, "--reason", only=lambda one: one.personal)
    ground = None if basis is None else choice(LegalBasis, basis, "--basis")
    when, until = day(received, "--received"), day(due, "--due")
    with open_context(context.obj) as ports:
        if why is None:
            orders = requests.orders_of_table(table, ports) if table else ()
        else:
            given = identifiers(source)
            order = requests.order_of(given, ports, reason=why, issuer=issuer, basis=ground, received=when, due=until)
            orders = (order,)
        filed = requests.file_requests(orders, ports, policies=load_shelf(ports))
        today = ports.clock.now().date()
    lines = (line for one in filed for line in ([one.request.name] if table else filed_lines(one, today)))
    document = {"requests": [filed_document(one) for one in filed]}
    console.answer(document, lines, schema="request-file", as_json=as_json)


@app.command(name="list")
def list_requests(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Closed and withdrawn ones too.")] = False,
    state: Annotated[
        RequestState | None, typer.Option("--state", metavar="STATE", help="open, answered, closed or withdrawn only.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every request that is not done: how it stands, by when it must be answered, and what it waits for.

    \b
    Examples:
      maintain request list
      maintain request list --state open --json
    """
    from maintain.cli.composition import open_context
    from maintain.cli.request_pages import list_lines, standing_document
    from maintain.cli.request_reading import load_shelf
    from maintain_pipelines import requests

    if everything and state is not None:
        raise InputError("`--all` and `--state` say different things.", remedy="Say one of the two.")
    wanted = tuple(one for one in RequestState if everything or one is state or (state is None and not one.ended))
    with open_context(context.obj) as ports:
        requests.settle_after(ports)
        found = requests.standings(ports, states=wanted, policies=load_shelf(ports))
    document = {"requests": [standing_document(one) for one in found]}
    console.answer(document, list_lines(found), schema="request-list", as_json=as_json)


@app.command()
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """One request: its images and duties, every model with its versions, what is in the way, and the evidence.

    \b
    Example:
      maintain request show R-2026-0007
    """
    from maintain.cli.composition import open_context
    from maintain.cli.request_pages import show_lines, standing_document
    from maintain.cli.request_reading import load_shelf
    from maintain_pipelines import requests

    with open_context(context.obj) as ports:
        requests.settle_after(ports)
        found = requests.standing_of(name, ports, policies=load_shelf(ports))
    console.answer(standing_document(found), show_lines(found), schema="request-show", as_json=as_json)


@app.command()
def withdraw(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """The person took the request back: their images may be used again, unless something else bars them.

    What was retrained without them stays as it is. Exits 5 for one that was withdrawn before, 1 for one whose erasure
    has begun.

    \b
    Example:
      maintain request withdraw R-2026-0007
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.cli.request_pages import withdrawn_lines
    from maintain_pipelines import requests

    with open_context(context.obj) as ports:
        requests.settle_after(ports)
        done = requests.withdraw_request(name, ports)
    console.answer(codec.encode(done), withdrawn_lines(done), schema="request-withdraw", as_json=as_json)


request_reply.add_to(app)
