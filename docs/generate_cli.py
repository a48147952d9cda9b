"""Write `docs/cli.md` from the program itself, so that the reference cannot lie.

Run `python docs/generate_cli.py` after changing a command; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import typer
from typer.core import TyperCommand

from maintain.cli.app import app

HEAD = """# Command line

Written by `python docs/generate_cli.py` from the program; a test keeps it true. Exit codes are in
[ADR 0002](adr/0002-fail-closed.md). The answer is on stdout, the talk on stderr;
`--json` prints one versioned JSON document.
"""


def reference() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    pages = [HEAD, *(_page(path, command) for path, command in _leaves("maintain", root))]
    return "\n".join(pages)


def _leaves(path: str, command: TyperCommand) -> list[tuple[str, TyperCommand]]:
    if not hasattr(command, "commands"):
        return [(path, command)]
    found: list[tuple[str, TyperCommand]] = [(path, command)] if command.invoke_without_command else []
    for name, below in command.commands.items():
        found += _leaves(f"{path} {name}", below)
    return found


def _page(path: str, command: TyperCommand) -> str:
    context = typer.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    return f"## {path}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")
