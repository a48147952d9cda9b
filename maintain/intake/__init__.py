"""Intake: the room where identifiers end. DICOM files and tables in, pseudonymous values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maintain.intake.declared import FileRow, MemberRow, OutputRow, read_files, read_members, read_outputs
from maintain.intake.devices import normalise_device
from maintain.intake.identity import Pseudonyms, create_key, load_pseudonyms
from maintain.intake.mapped import (
    AccessionColumns,
    EyeColumns,
    InstanceColumn,
    MappedRow,
    MappedTable,
    StudyKey,
    read_mapped_labels,
)
from maintain.intake.sheets import describe_lines
from maintain.intake.tables import ConsentRow, ConsentTable, LabelRow, LabelTable, read_consents, read_labels
from maintain.intake.wishes import PERSONAL, Wanted, WishRow, read_identifiers, read_wishes, wanted

if TYPE_CHECKING:
    from maintain.intake.dicom import read_dicom
    from maintain.intake.idx import FASHION_MNIST, IdxImages, IdxPart, read_idx
    from maintain.intake.reading import Flag, Reading, Rejection, RejectionReason
    from maintain.intake.walk import FoundFile, find_files

__all__ = [
    "FASHION_MNIST",
    "PERSONAL",
    "AccessionColumns",
    "ConsentRow",
    "ConsentTable",
    "EyeColumns",
    "FileRow",
    "Flag",
    "FoundFile",
    "IdxImages",
    "IdxPart",
    "InstanceColumn",
    "LabelRow",
    "LabelTable",
    "MappedRow",
    "MappedTable",
    "MemberRow",
    "OutputRow",
    "Pseudonyms",
    "Reading",
    "Rejection",
    "RejectionReason",
    "StudyKey",
    "Wanted",
    "WishRow",
    "create_key",
    "describe_lines",
    "find_files",
    "load_pseudonyms",
    "normalise_device",
    "read_consents",
    "read_dicom",
    "read_files",
    "read_identifiers",
    "read_idx",
    "read_labels",
    "read_mapped_labels",
    "read_members",
    "read_outputs",
    "read_wishes",
    "wanted",
]

#: Names behind pydicom and numpy, imported when they are asked for: `maintain init` needs the key only.
_HEAVY = {
    "FASHION_MNIST": "idx",
    "Flag": "reading",
    "FoundFile": "walk",
    "IdxImages": "idx",
    "IdxPart": "idx",
    "Reading": "reading",
    "Rejection": "reading",
    "RejectionReason": "reading",
    "find_files": "walk",
    "read_dicom": "dicom",
    "read_idx": "idx",
}


def __getattr__(name: str) -> Any:
    """Import a heavy name on its first use."""
    import importlib

    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"maintain.intake.{_HEAVY[name]}"), name)
