"""`cohort.yaml`: a cohort written by hand, one case a line, in the words of the policy language.

What a case does not say it takes from cases that it shares a patient, a study or a series with, else from
`every_case`. Values are read as a `where` reads them, and an empty one says that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from maintain.predicate import FIELDS, Compare, Kind, Operator, check, field_named
from maintain.vocabulary import ConsentStatus, Eye, Reason, RequestState, Split
from maintain_policies.language import LANGUAGE_VERSION, unknown
from maintain_policies.reading import found_as, read_choice, read_integer, read_text, read_value
from maintain_policies.testing.values import Membership, SampleCase, SampleCohort, Sheet
from maintain_policies.tree import Hole, Items, Node, Notes, Pairs, Place, Scalar, notes_for, read_tree

#: How cases, patients, studies and series are called: short enough for a line, safe in every message.
NAME = r"[a-z0-9]+(-[a-z0-9]+)*"

#: Most cases of one line: enough for every limit, and filed in a second.
MOST_TIMES = 1_000

#: What belongs to a level of the hierarchy rather than to the image: said once, true of all that share it.
SHARED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "series": (
            "study",
            "device.manufacturer",
            "device.model",
            "device.model_raw",
            "device.serial",
            "device.station",
            "device.software",
        ),
        "study": ("study.date", "site"),
        "patient": ("split", "patient.sex", "consent.status", "request.status"),
    }
)

#: Where a case stands in the champion's manifest if it does not say: as its patient's side has it.
USUAL: Mapping[Split | None, Membership] = MappingProxyType(
    {
        Split.TRAIN: Membership.LEARNED,
        Split.VALIDATION: Membership.SELECTED_WITH,
        Split.HOLDOUT: Membership.NONE,
        None: Membership.NONE,
    }
)


def read_cohort(text: str, *, source: str) -> SampleCohort:
    """The cohort of a text. Raises `PolicyError` with every mistake at once."""
    notes = notes_for(text, source=source)
    root = read_tree(text, notes)
    keys = _keys(root, notes)
    if "version" in keys:
        read_integer(keys["version"], notes, name="version", minimum=LANGUAGE_VERSION, maximum=LANGUAGE_VERSION)
    label = read_text(keys["label"], notes, name="label") if "label" in keys else None
    usual = _facts(keys["every_case"], notes, _DEFAULTS, what="every_case") if "every_case" in keys else {}
    drafts = list(_drafts(keys.get("cases"), notes))
    _share(drafts, notes)
    for draft in drafts:
        draft.facts = {**usual, **draft.facts}
    cases = tuple(_case(draft, {other.name for other in drafts}, notes) for draft in drafts)
    _check_copies(drafts, notes)
    if notes.problems or label is None:
        raise notes.stop()
    return SampleCohort(sheet=Sheet(source, tuple(notes.lines)), label=label, cases=cases)


# --- private ---------------------------------------------------------------------------------------

_Value: TypeAlias = str | int | float | tuple[str, ...] | None
_Facts: TypeAlias = dict[str, tuple[_Value, Place]]

_KEYS = ("version", "label", "every_case", "cases")
_REQUIRED = ("version", "label", "cases")
_OWN = ("case", "patient", "study", "series")
_COUNTS = ("label_version", "times")
_STRUCTURE = (*_OWN, *_COUNTS, "copy_of", "split", "manifest", "suppressed")
_DEFAULTS = ("split",)
_NAMES = (*_OWN, "copy_of")
#: What the fields of two families begin with: answers, which may be several, and scores, which need not be whole.
_LABEL, _SCORE = "label.", "score."
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "split": tuple(side.value for side in Split),
        "manifest": tuple(word.value for word in Membership),
        "suppressed": tuple(reason.value for reason in Reason),
    }
)


@dataclass(slots=True)
class _Draft:
    """A case while its file is read."""

    name: str
    place: Place
    facts: _Facts = field(default_factory=dict)

    def get(self, key: str) -> _Value:
        return self.facts[key][0] if key in self.facts else None

    def text(self, key: str) -> str | None:
        value = self.get(key)
        return value if isinstance(value, str) else None

    def at(self, key: str) -> Place:
        return self.facts[key][1] if key in self.facts else self.place


def _keys(root: Node, notes: Notes) -> dict[str, Node]:
    if not isinstance(root, Pairs):
        if not isinstance(root, Hole):
            notes.add(root.place, f"a cohort is a mapping of keys, found {found_as(root)}")
        raise notes.stop()
    for word, _ in root.pairs:
        if word.text not in _KEYS:
            notes.add(word.place, unknown("key of a cohort", word.text, _KEYS))
    present = {word.text: value for word, value in root.pairs}
    for name in _REQUIRED:
        if name not in present:
            notes.add(root.place, f"the cohort lacks the key {name!r}")
    return present


def _drafts(node: Node | None, notes: Notes) -> Iterator[_Draft]:
    if node is None or isinstance(node, Hole):
        return
    if not isinstance(node, Items) or not node.nodes:
        notes.add(node.place, f"cases must be a list of cases, found {found_as(node)}")
        return
    seen: dict[str, Place] = {}
    for one in node.nodes:
        facts = _facts(one, notes, _STRUCTURE, what="a case")
        draft = _Draft("", one.place, facts)
        name = draft.text("case")
        if not isinstance(one, Pairs) or ("case" in facts and name is None):
            continue
        if name is None or draft.text("patient") is None:
            notes.add(one.place, "a case needs a name and a patient: {case: ..., patient: ...}")
        elif name in seen:
            notes.add(draft.at("case"), f"the case {name!r} is there twice; the first is in line {seen[name].line}")
        else:
            seen[name] = one.place
            draft.name = name
            yield from _repeated(draft)


def _repeated(draft: _Draft) -> Iterator[_Draft]:
    """The case, or as many like it as it says, each of a patient of its own: `rest` becomes rest-1, rest-2, ..."""
    times = draft.get("times")
    if not isinstance(times, int):
        yield draft
        return
    for number in range(1, times + 1):
        names = {key: (f"{draft.get(key)}-{number}", draft.at(key)) for key in _OWN if draft.text(key) is not None}
        yield _Draft(f"{draft.name}-{number}", draft.place, {**draft.facts, **names})


def _facts(node: Node, notes: Notes, structure: tuple[str, ...], *, what: str) -> _Facts:
    """Every key with its value and place; what was refused is left out."""
    if not isinstance(node, Pairs):
        if not isinstance(node, Hole):
            notes.add(node.place, f"{what} is a mapping of fields to values, found {found_as(node)}")
        return {}
    facts: _Facts = {}
    for key, value in node.pairs:
        before = len(notes.problems)
        read = _value(key, value, notes, structure)
        if len(notes.problems) == before:
            facts[key.text] = (read, key.place)
    return facts


def _value(key: Scalar, node: Node, notes: Notes, structure: tuple[str, ...]) -> _Value:
    name = key.text
    if name not in structure and field_named(name) is None:
        if check(Compare(name, Operator.EXISTS, True)) and name not in _STRUCTURE:
            notes.add(key.place, unknown("field of a case", name, (*structure, *FIELDS)))
        else:
            notes.add(key.place, f"{name} belongs to one case; say it there")
        return None
    if isinstance(node, Scalar) and found_as(node) == "nothing":
        return None
    if name in _CHOICES:
        return read_choice(node, notes, name=name, choices=_CHOICES[name])
    if name in _COUNTS:
        return read_integer(node, notes, name=name, minimum=1, maximum=MOST_TIMES)
    if name in _NAMES:
        return read_text(node, notes, name=name, pattern=NAME, pattern_doc="lower-case words joined by hyphens")
    return _field_value(name, node, notes)


def _field_value(name: str, node: Node, notes: Notes) -> _Value:
    """The value of a field; a list of software versions, or of the answers to a label, oldest first."""
    known = field_named(name)
    assert known is not None
    if isinstance(node, Items) and (known.multi or known.prefix == _LABEL):
        texts = [_field_value(name, one, notes) for one in node.nodes]
        if not texts:
            notes.add(node.place, f"{name} is an empty list; leave it out where there is nothing")
        return tuple(str(text) for text in texts)
    value = read_value(node, notes, name=name, number=known.kind is Kind.NUMBER)
    if value is None:
        return None
    for flaw in check(Compare(name, Operator.EQ, value)):
        notes.add(node.place, flaw.message)
    if known.kind is not Kind.NUMBER:
        return str(value)
    if known.prefix == _SCORE:
        return float(value)
    if not isinstance(value, int):
        notes.add(node.place, f"{name} is a whole number")
    return int(value)


def _share(drafts: list[_Draft], notes: Notes) -> None:
    """Give every case what others of its series, study or patient say. Two that disagree are a mistake."""
    for level, names in SHARED.items():
        told: dict[tuple[str, str], tuple[_Value, Place]] = {}
        for draft in drafts:
            group = draft.text(level)
            for name in names if group is not None else ():
                if name not in draft.facts:
                    continue
                value, place = told.setdefault((str(group), name), draft.facts[name])
                if value != draft.get(name):
                    message = f"{name} of the {level} {group!r} is something else in line {place.line}"
                    notes.add(draft.at(name), message)
        for draft in drafts:
            for name in names:
                if (str(draft.text(level)), name) in told and draft.text(level) is not None:
                    draft.facts.setdefault(name, told[str(draft.text(level)), name])


def _case(draft: _Draft, known: set[str], notes: Notes) -> SampleCase:
    split = None if draft.text("split") is None else Split(str(draft.text("split")))
    copy_of = draft.text("copy_of")
    if copy_of is not None and copy_of not in known - {draft.name}:
        notes.add(draft.at("copy_of"), unknown("other case", copy_of, tuple(sorted(known - {draft.name}))))
    software, age = draft.get("device.software"), draft.get("patient.age")
    reason, eye = draft.text("suppressed"), draft.text("image.eye")
    labels = _labels(draft)
    return SampleCase(
        name=draft.name,
        place=draft.place,
        patient=str(draft.text("patient")),
        study=draft.text("study") or f"{draft.name}.study",
        series=draft.text("series") or f"{draft.name}.series",
        picture=copy_of or draft.name,
        split=split,
        membership=_membership(draft, split, notes),
        learned_version=_learned_version(draft, labels, notes),
        suppressed=None if reason is None else Reason(reason),
        manufacturer=draft.text("device.manufacturer"),
        model=draft.text("device.model"),
        model_raw=draft.text("device.model_raw"),
        serial=draft.text("device.serial"),
        station=draft.text("device.station"),
        software=software if isinstance(software, tuple) else () if software is None else (str(software),),
        eye=None if eye is None else Eye(eye),
        sex=draft.text("patient.sex"),
        age=age if isinstance(age, int) else None,
        study_date=draft.text("study.date"),
        site=draft.text("site"),
        consent=ConsentStatus(draft.text("consent.status") or ConsentStatus.UNKNOWN),
        requests=_requests(draft),
        labels=labels,
        scores=tuple((name, value) for name, value in _members(draft, _SCORE) if isinstance(value, float)),
    )


def _requests(draft: _Draft) -> tuple[RequestState, ...]:
    value = draft.get("request.status")
    states = value if isinstance(value, tuple) else () if value is None else (str(value),)
    return tuple(RequestState(state) for state in states)


def _labels(draft: _Draft) -> tuple[tuple[str, tuple[str, ...]], ...]:
    given = _members(draft, _LABEL)
    return tuple((name, value if isinstance(value, tuple) else (str(value),)) for name, value in given)


def _members(draft: _Draft, prefix: str) -> tuple[tuple[str, _Value], ...]:
    """Every field of a family that has a value, by its own name."""
    given = ((key, value) for key, (value, _) in draft.facts.items() if value is not None)
    return tuple((key.removeprefix(prefix), value) for key, value in given if key.startswith(prefix))


def _membership(draft: _Draft, split: Split | None, notes: Notes) -> Membership:
    usual = USUAL[split]
    given = Membership(draft.text("manifest") or usual)
    possible = {usual, Membership.NONE} | ({Membership.UNLEARNED} if split is Split.TRAIN else set())
    if given not in possible:
        side = f"stands in {split.value}" if split else "has no split"
        notes.add(draft.at("manifest"), f"a case whose patient {side} cannot be {given.value}")
        return usual
    return given


def _learned_version(draft: _Draft, labels: tuple[tuple[str, tuple[str, ...]], ...], notes: Notes) -> int:
    given = draft.get("label_version")
    version = given if isinstance(given, int) else 1
    most = max((len(values) for _, values in labels), default=1)
    if version > most:
        notes.add(draft.at("label_version"), f"no label of the case has {version} versions")
    return version


def _check_copies(drafts: list[_Draft], notes: Notes) -> None:
    copies = {draft.name: draft for draft in drafts if draft.text("copy_of") is not None}
    for draft in copies.values():
        if draft.text("copy_of") in copies:
            notes.add(draft.at("copy_of"), "name the case that is no copy itself")
