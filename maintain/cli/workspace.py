"""`maintain init`, `maintain plan`, `maintain report`: commands without a noun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.options import AsJson, RegistryStore
from maintain.settings import STORE_OF_NEW_WORKSPACES, RegistrySettings


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command(name="init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")] = Path(),
    registry: RegistryStore = STORE_OF_NEW_WORKSPACES,
    uri: Annotated[
        str, typer.Option("--registry-uri", metavar="URI", help="An MLflow server, instead of SQLite in the workspace.")
    ] = "",
    credentials: Annotated[
        str, typer.Option("--registry-credentials", metavar="FILE", help="The file with user:password for it.")
    ] = RegistrySettings().credentials,
    as_json: AsJson = False,
) -> None:
    """Make a workspace: settings, database, keys, an example policy.

    \b
    Examples:
      maintain init triage && cd triage
      maintain init elsewhere --registry folder
      maintain init shared --registry-uri https://mlflow.hospital.example
    """
    from maintain.cli.composition import actor
    from maintain.clock import SystemClock
    from maintain_pipelines.workspace import create_workspace

    workspace = create_workspace(
        folder.absolute(),
        clock=SystemClock(),
        actor=actor(),
        registry=registry,
        registry_uri=uri,
        registry_credentials=credentials,
    )
    keys = workspace.settings.keys
    lines = [
        f"A workspace is ready in {folder}.",
        f"Keep a copy of {keys.pseudonym} and {keys.signing} in your key store, and move",
        f"{workspace.settings.ledger.heads} to another host when you can ([ledger] heads in maintain.toml).",
        "Next: maintain cohort ingest FOLDER --kind dicom",
    ]
    console.answer({"workspace": str(workspace.root)}, lines, schema="init", as_json=as_json)
