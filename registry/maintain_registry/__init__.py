"""Registered versions and the ledger that says how each came to be.

The front door. Everything is imported on first use, so that naming this package costs nothing
where only a part of it is wanted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain_registry.agreement import Comparison, Disagreement, compare_registry
    from maintain_registry.aliases import Aliases, aliases_of
    from maintain_registry.contents import OUTPUTS_FILE, WEIGHTS_FILE, check_model_name
    from maintain_registry.events import Event, EventKind
    from maintain_registry.folder import FolderStore
    from maintain_registry.holdings import Holdings
    from maintain_registry.inspection import Irregularity, irregularities
    from maintain_registry.intents import (
        UNNUMBERED,
        Intent,
        abandon,
        known_models,
        reconcile,
        register,
        registered,
        same_weights,
    )
    from maintain_registry.ledger import Entry, Ledger, last_entry_time, stored_body
    from maintain_registry.lock import alone
    from maintain_registry.memory import MemoryStore
    from maintain_registry.mlflow_store import MlflowStore
    from maintain_registry.moves import Move, move_aliases
    from maintain_registry.opening import browsing_command, open_store, prepare_store
    from maintain_registry.port import Content, ModelStore, StoredVersion, WeightPlaces, getter_of
    from maintain_registry.proof import entries_about, entry_of_version, require_record, require_signed, require_whole
    from maintain_registry.retirement import Retirement, doomed_weights, require_not_retired, retirements
    from maintain_registry.serving import Serving, serving_of
    from maintain_registry.signing import (
        PublicKey,
        Signer,
        create_signing_key,
        load_public_key,
        load_signer,
        public_key_path,
        verify_envelope,
    )
    from maintain_registry.verify import AuditReport, verify_chain
    from maintain_registry.weights import WeightFile, WeightKind, enter_weights, strike_weights, weight_files

__all__ = [
    "OUTPUTS_FILE",
    "UNNUMBERED",
    "WEIGHTS_FILE",
    "Aliases",
    "AuditReport",
    "Comparison",
    "Content",
    "Disagreement",
    "Entry",
    "Event",
    "EventKind",
    "FolderStore",
    "Holdings",
    "Intent",
    "Irregularity",
    "Ledger",
    "MemoryStore",
    "MlflowStore",
    "ModelStore",
    "Move",
    "PublicKey",
    "Retirement",
    "Serving",
    "Signer",
    "StoredVersion",
    "WeightFile",
    "WeightKind",
    "WeightPlaces",
    "abandon",
    "aliases_of",
    "alone",
    "browsing_command",
    "check_model_name",
    "compare_registry",
    "create_signing_key",
    "doomed_weights",
    "enter_weights",
    "entries_about",
    "entry_of_version",
    "getter_of",
    "irregularities",
    "known_models",
    "last_entry_time",
    "load_public_key",
    "load_signer",
    "move_aliases",
    "open_store",
    "prepare_store",
    "public_key_path",
    "reconcile",
    "register",
    "registered",
    "require_not_retired",
    "require_record",
    "require_signed",
    "require_whole",
    "retirements",
    "same_weights",
    "serving_of",
    "stored_body",
    "strike_weights",
    "verify_chain",
    "verify_envelope",
    "weight_files",
]

_ROOMS = {
    "agreement": ("Comparison", "Disagreement", "compare_registry"),
    "aliases": ("Aliases", "aliases_of"),
    "contents": ("OUTPUTS_FILE", "WEIGHTS_FILE", "check_model_name"),
    "events": ("Event", "EventKind"),
    "folder": ("FolderStore",),
    "intents": (
        "UNNUMBERED",
        "Intent",
        "abandon",
        "known_models",
        "reconcile",
        "register",
        "registered",
        "same_weights",
    ),
    "holdings": ("Holdings",),
    "inspection": ("Irregularity", "irregularities"),
    "ledger": ("Entry", "Ledger", "last_entry_time", "stored_body"),
    "lock": ("alone",),
    "memory": ("MemoryStore",),
    "mlflow_store": ("MlflowStore",),
    "moves": ("Move", "move_aliases"),
    "opening": ("browsing_command", "open_store", "prepare_store"),
    "port": ("Content", "ModelStore", "StoredVersion", "WeightPlaces", "getter_of"),
    "proof": ("entries_about", "entry_of_version", "require_record", "require_signed", "require_whole"),
    "retirement": ("Retirement", "doomed_weights", "require_not_retired", "retirements"),
    "serving": ("Serving", "serving_of"),
    "signing": (
        "PublicKey",
        "Signer",
        "create_signing_key",
        "load_public_key",
        "load_signer",
        "public_key_path",
        "verify_envelope",
    ),
    "verify": ("AuditReport", "verify_chain"),
    "weights": ("WeightFile", "WeightKind", "enter_weights", "strike_weights", "weight_files"),
}

_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
