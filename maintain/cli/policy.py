"""`maintain policy`: check a policy, and print the language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson

app = typer.Typer()


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="POLICY...", help="Policy files (YAML).")],
    as_json: AsJson = False,
) -> None:
    """Check policies without a workspace: every mistake at once, with line and column.

    \b
    Example:
      maintain policy validate policies/*.yaml
    """
    from maintain.cli.catalogues import catalogues
    from maintain.errors import PolicyError, Problem
    from maintain_policies import load_policy

    known, problems, lines, documents = catalogues(), list[Problem](), list[str](), list[dict[str, str]]()
    for file in files:
        try:
            policy = load_policy(file, known)
        except PolicyError as error:
            problems += error.problems
            continue
        lines.append(f"{file}: {policy.name} is valid (claim {policy.claim}, gates {policy.gate_set}).")
        lines += [f"  looser than {policy.gate_set}: {figure}" for figure in policy.looser]
        documents.append({"file": str(file), "name": policy.name, "digest": policy.digest})
    if problems:
        raise PolicyError(problems)
    console.answer({"policies": documents}, lines, schema="policy-validate", as_json=as_json)


@app.command()
def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of the policy language, for editors.

    \b
    Example:
      maintain policy schema > policy.schema.json
    """
    import json

    from maintain.cli.catalogues import catalogues
    from maintain_policies import json_schema

    document = json_schema(catalogues())
    console.answer({"json_schema": document}, [json.dumps(document, indent=2)], schema="policy-schema", as_json=as_json)
