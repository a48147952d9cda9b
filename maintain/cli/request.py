"""`maintain request`: letters of people who want to be forgotten, from the day they arrive to the day they are done."""

from __future__ import annotations

from typing import Annotated

import typer

from maintain.cli import console, request_close, request_file, request_reply
from maintain.cli.options import AsJson
from maintain.errors import InputError
from maintain.vocabulary import RequestState

app = typer.Typer()

request_file.add_to(app)
request_close.add_to(app)
request_reply.add_to(app)

Name = Annotated[str, typer.Argument(metavar="REQUEST", help="Its name, for example R-2026-0007.")]


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
