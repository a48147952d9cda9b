"""The command `maintain`: every noun, and the one place where errors become exit codes.

Nothing heavy is imported here; `maintain --help` answers in a tenth of a second. Expected failures
are one paragraph; unexpected ones name the place in the code, without values or messages of others,
which may hold patient data.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from maintain import __version__
from maintain.cli import (
    audit,
    bench,
    cohort,
    console,
    demo,
    doctor,
    interruption,
    jobs,
    model,
    plan,
    policy,
    reference,
    registry,
    report,
    request,
    runs,
    workspace,
)
from maintain.cli.exit_codes import ExitCode, of_error
from maintain.cli.options import Place
from maintain.cli.streams import patient_streams
from maintain.errors import MaintainError

app = typer.Typer(
    name="maintain",
    help="Keep clinical imaging models honest: forget what must be forgotten, and prove it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for noun, group, summary in (
    ("cohort", cohort.app, "Cases: read them in, look at them, freeze them."),
    ("model", model.app, "Models: train a first version, or adopt one that was trained elsewhere."),
    ("policy", policy.app, "Policies: what must be forgotten, and why."),
    ("request", request.app, "Requests of people to be forgotten: file, follow, answer, close."),
    ("reference", reference.app, "References: models that never learned from a group, to hold others against."),
    ("runs", runs.app, "Runs: what was done, and how it ended."),
    ("jobs", jobs.app, "Jobs: policies that say when they are due; what a crontab calls."),
    ("registry", registry.app, "Registered versions of each model."),
    ("bench", bench.app, "The verifier on trial: impostors that must fail."),
    ("audit", audit.app, "The ledger: whether the trail is whole."),
):
    app.add_typer(group, name=noun, help=summary, no_args_is_help=True)
app.add_typer(doctor.app, name="doctor")
demo.add_to(app)
workspace.add_to(app)
plan.add_to(app)
runs.add_to(app)
report.add_to(app)


def _tell_version(asked: bool) -> None:
    """Said before anything else is asked for: there need not be a command."""
    if asked:
        console.answer({"program": __version__}, [f"maintain {__version__}"], schema="version", as_json=False)
        raise typer.Exit(ExitCode.PASSED)


@app.callback()
def _common(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", metavar="DIR", help="The workspace, if not here or above."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    context.obj = Place(workspace)


def main() -> None:
    """Run the command line and exit with one of `ExitCode`."""
    interruption.listen()
    patient_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; what tests call."""
    try:
        app(arguments)
    except MaintainError as error:
        console.complain(error, as_json="--json" in arguments)
        return int(of_error(error))
    except interruption.Interrupted:
        console.say("maintain: interrupted. What was finished is kept; say the same command again.")
        return int(ExitCode.WAITING)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(ExitCode.PASSED)
    except Exception as error:  # the last wall: told without its message, and never taken for success
        console.confess(error, as_json="--json" in arguments)
        return int(ExitCode.INTERNAL)
    return int(ExitCode.PASSED)


if __name__ == "__main__":
    main()
