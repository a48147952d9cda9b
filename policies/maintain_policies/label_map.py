"""The map of a table of labels: which of its columns say the image, and which say the answers.

Nothing that stands in the file is quoted except the keys of a mapping: whoever hands over the table itself by mistake
must not find its first rows in a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maintain.errors import InputError, PolicyError
from maintain.predicate import LABEL_NAME
from maintain_policies.language import unknown
from maintain_policies.plain import mistakes, text_of
from maintain_policies.tree import Node, Notes, Pairs, Place, Scalar, notes_for, read_tree

#: Names of files that may hold a map: a table is not even opened as one.
SUFFIXES = (".yaml", ".yml")

#: The page that shows a whole map.
PAGE = "docs/tutorial.md"

#: Keys that say which image a row is about.
INSTANCE, ACCESSION, EYE_KEYS = "instance", "accession", ("patient", "date", "eye")

#: What else `join` may say: who issued the numbers of patients or studies, and how dates are written.
BESIDE = ("issuer", "issued_by", "date_format")

#: What may stand beside an accession number.
BESIDE_ACCESSION = ("eye", "issuer", "issued_by")

#: The parts of a map, and the keys that each may hold; those of `labels` are the names of labels.
PARTS: Mapping[str, tuple[str, ...]] = {
    "join": (INSTANCE, ACCESSION, *EYE_KEYS, *BESIDE),
    "eyes": ("R", "L", "B"),
    "labels": (),
}

#: How a date may be written, by the names that a map gives them.
DATE_FORMATS: Mapping[str, str] = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYYMMDD": "%Y%m%d",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
}


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Columns by what they say: of the image, of the eyes (their words, by R, L and B), and of each label."""

    join: Mapping[str, str]
    eyes: Mapping[str, str]
    labels: Mapping[str, str]

    @property
    def date_form(self) -> str:
        """How dates are written, as `strptime` takes it; ISO unless the map says otherwise."""
        return DATE_FORMATS[self.join.get("date_format", "YYYY-MM-DD")]


def read_label_map(path: Path) -> LabelMap:
    """Read a map of a table of labels. Raises `InputError` with every mistake at its line and column."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            "The map of a table of labels is a file that ends in .yaml or .yml.",
            remedy="Name the table first and its map after --map.",
        )
    text = text_of(path, "map of labels")
    notes = notes_for("", source=path.name)  # no lines: nothing of the file is shown again
    try:
        parts = _parts(read_tree(text, notes), notes)
    except PolicyError as error:
        raise mistakes(error, "map of labels", page=PAGE) from error
    if notes.problems:
        raise mistakes(notes.stop(), "map of labels", page=PAGE)
    return LabelMap(*({key: word.text for key, word in parts[name].items()} for name in PARTS))


# --- private ---------------------------------------------------------------------------------------


def _parts(root: Node, notes: Notes) -> Mapping[str, Mapping[str, Scalar]]:
    """The words of every part, checked; those of a part that is not there are none."""
    parts: dict[str, dict[str, Scalar]] = {name: {} for name in PARTS}
    if not isinstance(root, Pairs):
        notes.add(root.place, f"a map is a mapping of {', '.join(PARTS)}")
        return parts
    places = {word.text: node.place for word, node in root.pairs}
    for word, node in root.pairs:
        if word.text not in PARTS:
            notes.add(word.place, unknown("part of a map", word.text, tuple(PARTS)))
        else:
            parts[word.text] = _words(word.text, node, notes)
    if not notes.problems:
        _check_join(parts["join"], places.get("join", root.place), notes)
        _check_eyes(parts["eyes"], parts["join"], notes)
        _check_labels(parts["labels"], parts["join"], places.get("labels", root.place), notes)
    return parts


def _words(part: str, node: Node, notes: Notes) -> dict[str, Scalar]:
    if not isinstance(node, Pairs):
        notes.add(node.place, f"{part} is a mapping")
        return {}
    known, words = PARTS[part], {}
    for key, value in node.pairs:
        if known and key.text not in known:
            notes.add(key.place, unknown(f"key of {part}", key.text, known))
        elif part == "labels" and LABEL_NAME.fullmatch(key.text) is None:
            notes.add(key.place, "a label is called in small letters, digits and single - or _, as retinopathy-grade")
        elif not isinstance(value, Scalar) or not value.text.strip() or (value.plain and value.text in ("~", "null")):
            notes.add(value.place, f"{part}.{key.text} must be text")
        else:
            words[key.text] = value
    return words


def _check_join(join: Mapping[str, Scalar], place: Place, notes: Notes) -> None:
    missing = [key for key in EYE_KEYS if key not in join]
    if INSTANCE in join:
        beside = [key for key in join if key != INSTANCE]
        if beside:
            notes.add(join[beside[0]].place, "instance says which image it is; nothing stands beside it")
    elif ACCESSION in join:
        beside = [key for key in join if key not in (ACCESSION, *BESIDE_ACCESSION)]
        if beside:
            notes.add(join[beside[0]].place, "beside an accession number stand only eye, issuer or issued_by")
    elif missing:
        ways = "the instance, of the accession number, or those of patient, date and eye"
        notes.add(place, f"join names the column of {ways}; no {missing[0]}")
    if "issuer" in join and "issued_by" in join:
        notes.add(join["issued_by"].place, "issuer is a column, issued_by is who issued every number; say one of them")
    form = join.get("date_format")
    if form is not None and form.text not in DATE_FORMATS:
        notes.add(form.place, unknown("form of dates", form.text, tuple(DATE_FORMATS)))


def _check_eyes(eyes: Mapping[str, Scalar], join: Mapping[str, Scalar], notes: Notes) -> None:
    said: set[str] = set()
    for word in eyes.values():
        if word.text.casefold() in said:
            notes.add(word.place, "the same word for two eyes")
        said.add(word.text.casefold())
        if INSTANCE in join:
            notes.add(word.place, "instance says which image it is; words for eyes are of no use")
        elif "eye" not in join:
            notes.add(word.place, "join names no column of eyes; words for them are of no use")


def _check_labels(labels: Mapping[str, Scalar], join: Mapping[str, Scalar], place: Place, notes: Notes) -> None:
    if not labels:
        notes.add(place, "labels names no column; write NAME: COLUMN")
    joining = {word.text.casefold() for key, word in join.items() if key not in ("issued_by", "date_format")}
    for name, word in labels.items():
        if word.text.casefold() in joining:
            notes.add(word.place, f"labels.{name} is a column that says the image; it would be written down as a label")
