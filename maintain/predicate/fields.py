"""The fields a predicate can test: their names, kinds, and where in a case they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from maintain.errors import UnknownNameError
from maintain.predicate.tree import Kind
from maintain.records import Case
from maintain.vocabulary import ConsentStatus, Eye, RequestState

Values: TypeAlias = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing of a case that can be tested. `choices` are all values it can have, where closed.

    A family is named `prefix.NAME`; `read` is given the case and, for a family, the name.
    """

    name: str
    kind: Kind
    doc: str
    read: Callable[[Case, str], Values]
    multi: bool = False
    choices: tuple[str, ...] = ()

    @property
    def family(self) -> bool:
        """Whether this stands for every field with its prefix."""
        return self.name.endswith(".NAME")

    @property
    def prefix(self) -> str:
        """What the names of a family begin with, the dot included."""
        return self.name.removesuffix("NAME")


def field_named(name: str) -> Field | None:
    """The field, or the family that the name belongs to; None where no table knows it."""
    family = _family_of(name)
    if family is not None:
        return family if _MEMBER.fullmatch(name.removeprefix(family.prefix)) else None
    return FIELDS.get(name)


def is_later(name: str) -> bool:
    """Whether the language has this field, but this version cannot test it yet."""
    prefixes = [later.rpartition(".")[0] + "." for later in LATER_FIELDS if later.rpartition(".")[2].isupper()]
    return name in LATER_FIELDS or name.startswith(tuple(prefixes))


def field_values(case: Case, name: str) -> Values:
    """The values of a case, empty where missing. Raises `UnknownNameError` for an unknown field."""
    field = field_named(name)
    if field is None:
        raise UnknownNameError("field", name, FIELDS)
    return field.read(case, name.removeprefix(field.prefix) if field.family else "")


def _one(value: str | int | None) -> Values:
    return () if value is None else (value,)


def _label(case: Case, name: str) -> Values:
    label = case.label(name)
    return () if label is None else (label.value,)


def _score(case: Case, name: str) -> Values:
    score = case.score(name)
    return () if score is None else (score.value,)


_TABLE = (
    Field(
        "patient.sex",
        Kind.TEXT,
        "DICOM Patient's Sex (0010,0040)",
        lambda case, _: _one(case.sex),
        choices=("F", "M", "O"),
    ),
    Field(
        "patient.age",
        Kind.NUMBER,
        "years at acquisition; 90 stands for 90 and over",
        lambda case, _: _one(case.age),
    ),
    Field("study.date", Kind.DATE, "the day of the visit", lambda case, _: _one(case.study_date)),
    Field(
        "device.manufacturer",
        Kind.TEXT,
        "who made the device",
        lambda case, _: _one(case.device.manufacturer),
    ),
    Field("device.model", Kind.TEXT, "the normalised name", lambda case, _: _one(case.device.model)),
    Field("device.model_raw", Kind.TEXT, "what the file said", lambda case, _: _one(case.device.model_raw)),
    Field("device.serial", Kind.TEXT, "a keyed pseudonym", lambda case, _: _one(case.device.serial)),
    Field("device.station", Kind.TEXT, "a keyed pseudonym", lambda case, _: _one(case.device.station)),
    Field(
        "device.software",
        Kind.TEXT,
        "its software versions; one that matches is enough",
        lambda case, _: tuple(case.device.software),
        multi=True,
    ),
    Field(
        "site",
        Kind.TEXT,
        "where the visit took place: a keyed code; cohort status lists them",
        lambda case, _: _one(case.site),
    ),
    Field(
        "image.eye",
        Kind.TEXT,
        "DICOM Image Laterality (0020,0062)",
        lambda case, _: _one(None if case.eye is None else case.eye.value),
        choices=tuple(eye.value for eye in Eye),
    ),
    Field("label.NAME", Kind.TEXT, "the recorded answer called NAME", _label),
    Field(
        "consent.status",
        Kind.TEXT,
        "what the consent register says of the patient",
        lambda case, _: _one(case.consent.value),
        choices=tuple(status.value for status in ConsentStatus),
    ),
    Field(
        "request.status",
        Kind.TEXT,
        "how a request stands that is about the image; one that matches is enough",
        lambda case, _: tuple(state.value for state in case.requests),
        multi=True,
        choices=tuple(state.value for state in RequestState if not state.ended),
    ),
    Field("score.NAME", Kind.NUMBER, "the score called NAME that cohort score computed", _score),
)

#: Every field that this version can test, in the order in which people are shown them.
FIELDS: Mapping[str, Field] = MappingProxyType({field.name: field for field in _TABLE})

#: What a label may be called where one is recorded: a name that a policy can write after `label.` without quotes.
LABEL_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")

#: Fields that the language has and this version cannot test yet.
LATER_FIELDS = ("attribute.KEYWORD",)


# --- private ---------------------------------------------------------------------------------------

#: Names of labels and scores: what people call them in column headings, without spaces.
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _family_of(name: str) -> Field | None:
    return next((field for field in _TABLE if field.family and name.startswith(field.prefix)), None)
