"""What `audit verify` reads: the database, the head file, the public key, and when told to, the registry.

The workspace is not opened for work, since a ledger that disagrees must be told, not mended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maintain.cli.options import Place
from maintain.settings import find_workspace

if TYPE_CHECKING:
    from maintain_registry import AuditReport, Comparison


def verify_ledger(place: Place) -> AuditReport:
    """Verify the ledger of a workspace. Raises `BrokenChainError` at the first entry that disagrees."""
    from maintain.database import open_database
    from maintain_registry import load_public_key, public_key_path, verify_chain

    workspace = find_workspace(place.workspace)
    public_key = load_public_key(public_key_path(workspace.signing_key))
    database = open_database(workspace.database)
    try:
        with database.read() as unit:
            return verify_chain(unit, heads=workspace.ledger_heads, public_keys=(public_key,))
    finally:
        database.close()


def compare_with_registry(place: Place) -> Comparison:
    """Compare the registry with the ledger. Raises `RegistryUnreachableError` when it does not answer."""
    from maintain.database import open_database
    from maintain_registry import compare_registry, open_store

    workspace = find_workspace(place.workspace)
    database = open_database(workspace.database)
    try:
        return compare_registry(database, open_store(workspace))
    finally:
        database.close()
