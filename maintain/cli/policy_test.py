"""`maintain policy test`: policies held against their own tests, without a workspace and without a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.policy_expected import PolicyOutcome
    from maintain_policies.testing import PolicyTest

#: What the temporary database is called.
DATABASE = "maintain.db"


def add_to(application: typer.Typer) -> None:
    """Add the command to `maintain policy`."""
    application.command(name="test")(hold)


def hold(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER", help="Folders of tests, or folders that hold such; this one if omitted."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold policies against their own tests: a small cohort, and what is expected of each case.

    A test is a folder with policy.yaml, cohort.yaml and expect.yaml. Exits 1 when an expectation does not hold, or
    when something happens that nobody expected.

    \b
    Example:
      maintain policy test policies/examples
    """
    from maintain_policies.testing import find_tests

    tests = _load(find_tests(folders or [Path()]))
    ended = _run(tests)
    console.answer(_document(ended), _lines(ended), schema="policy-test", as_json=as_json)
    if any(one.problems for one in ended):
        raise typer.Exit(ExitCode.REFUSED)


# --- private ---------------------------------------------------------------------------------------


def _load(folders: tuple[Path, ...]) -> list[PolicyTest]:
    """Every test, or every mistake of all their files at once."""
    from maintain.cli.catalogues import catalogues
    from maintain.errors import PolicyError, Problem
    from maintain_policies.testing import load_test

    known, tests, problems, remedy = catalogues(), list["PolicyTest"](), list[Problem](), ""
    for folder in folders:
        try:
            tests.append(load_test(folder, known))
        except PolicyError as error:
            problems += error.problems
            remedy = error.remedy
    if problems:
        raise PolicyError(problems, remedy=remedy)
    return tests


def _run(tests: list[PolicyTest]) -> list[PolicyOutcome]:
    """Each test in the same temporary database, in which none leaves anything."""
    import tempfile

    from maintain.database import create_database
    from maintain_pipelines.policy_test import run_test

    ended = []
    with tempfile.TemporaryDirectory() as folder:
        database = create_database(Path(folder) / DATABASE)
        try:
            for done, one in enumerate(tests, start=1):
                ended.append(run_test(one, database))
                console.progress("policies", done, len(tests))
        finally:
            database.close()
    return ended


def _lines(ended: list[PolicyOutcome]) -> list[str]:
    problems = [problem.render() for one in ended for problem in one.problems]
    rows = [(one.policy, one.expectations, one.held, "holds" if not one.problems else "FAILS") for one in ended]
    listed = console.table(("policy", "expectations", "held", "outcome"), rows)
    return [*problems, *([""] if problems else []), *listed, "", _summary(ended)]


def _summary(ended: list[PolicyOutcome]) -> str:
    policies = f"{len(ended)} {'policy' if len(ended) == 1 else 'policies'}"
    every, held = sum(one.expectations for one in ended), sum(one.held for one in ended)
    failing = sum(bool(one.problems) for one in ended)
    if not failing:
        return f"{policies}, {every} expectations hold."
    surprises = sum(one.unexpected for one in ended)
    also = f"; {surprises} more that nobody expected" if surprises else ""
    return f"{policies}, {failing} failed: {every - held} of {every} expectations do not hold{also}."


def _document(ended: list[PolicyOutcome]) -> dict[str, object]:
    return {
        "policies": [
            {
                "policy": one.policy,
                "folder": one.folder,
                "expectations": one.expectations,
                "held": one.held,
                "unexpected": one.unexpected,
                "holds": not one.problems,
                "problems": [
                    {"source": item.source, "line": item.line, "column": item.column, "message": item.message}
                    for item in one.problems
                ],
            }
            for one in ended
        ],
        "expectations": sum(one.expectations for one in ended),
        "held": sum(one.held for one in ended),
        "holds": not any(one.problems for one in ended),
    }
