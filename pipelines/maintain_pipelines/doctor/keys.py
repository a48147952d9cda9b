"""The secrets of a workspace: there, readable by their owner alone, and the ones it was begun with."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from maintain.clock import Clock
from maintain.cohort import CohortStore
from maintain.errors import MaintainError
from maintain.intake import load_pseudonyms
from maintain.settings import Workspace
from maintain_pipelines.doctor.findings import Finding, problem, well
from maintain_pipelines.doctor.opening import reading
from maintain_registry import load_public_key, load_signer, public_key_path

#: Rights of others over a folder with which they could put another key in its place.
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_keys(workspace: Workspace, clock: Clock) -> Iterator[Finding]:
    """Each key by itself, then whether they belong together and to this workspace."""
    found = [*_pseudonym(workspace), *_signing(workspace)]
    for path in (workspace.pseudonym_key, workspace.signing_key):
        found += _place(path, workspace.root)
    yield from found
    if not found:
        yield well("keys", "Both keys are there, readable by their owner alone; the public key is the private one's.")


# --- private ---------------------------------------------------------------------------------------


def _pseudonym(workspace: Workspace) -> Iterator[Finding]:
    try:
        pseudonyms = load_pseudonyms(workspace.pseudonym_key)
    except MaintainError as error:
        yield problem("keys", error.message, error.remedy)
        return
    try:
        with reading(workspace) as unit:
            foreign = CohortStore(unit).foreign_keys(pseudonyms.key_id)
    except MaintainError:
        return  # the check of the database tells it
    if foreign:
        yield problem(
            "keys",
            "The cohort was read under another pseudonym key than the one that is there.",
            "Restore the key that this workspace was begun with; nothing can be read in until then.",
        )


def _signing(workspace: Workspace) -> Iterator[Finding]:
    try:
        private = load_signer(workspace.signing_key).public
        public = load_public_key(public_key_path(workspace.signing_key))
    except MaintainError as error:
        yield problem("keys", error.message, error.remedy)
        return
    if private != public:
        yield problem(
            "keys",
            f"{public_key_path(workspace.signing_key).name} is not the public half of {workspace.signing_key.name}.",
            "Restore the pair from a backup: the ledger can only be checked with the key that signed it.",
        )


def _place(path: Path, root: Path) -> Iterator[Finding]:
    """Who owns a key, and who could put another in its place."""
    if not path.exists():
        return
    owner, wanted = path.stat().st_uid, root.stat().st_uid
    if owner not in (wanted, os.geteuid()):
        yield problem(
            "keys",
            f"{path.name} belongs to user {owner}, the workspace to user {wanted}.",
            f"Give it to the owner of the workspace (chown {wanted} {path.name}), and ask who could have copied it.",
        )
    if path.parent.stat().st_mode & _OTHERS_WRITE:
        yield problem(
            "keys",
            f"Others may write the folder of {path.name}, so they could put another key in its place.",
            f"Take the right from them (chmod 700 {path.parent.name}).",
        )
