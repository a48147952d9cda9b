"""The keys of the policy language: one table that the loader, the schema and the docs are derived from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from maintain.errors import nearest_name
from maintain.records import Scalar
from maintain.vocabulary import Alias, Claim, Reason, Unit
from maintain_policies.cron import SHAPE, WORDS
from maintain_policies.model import NothingToForget

#: The version of the language that this program reads.
LANGUAGE_VERSION = 1

#: Share of the training manifest that a policy may touch where it says nothing (DESIGN, limits).
DEFAULT_PERCENT = 30.0

#: Optimiser steps that a search may spend where the policy says nothing.
DEFAULT_STEPS = 20_000

#: Combinations of options that may be tried of one method: two lists of three; each costs a training.
MOST_COMBINATIONS = 9

#: Largest seed that every generator used here accepts (32 bits).
LARGEST_SEED = 2**32 - 1

#: Names that go into file names and logs: short enough for both, and the registry's own limit.
LONGEST_NAME = 64

#: People, addresses and departments on one line.
LONGEST_LINE = 200

#: The whole of a training manifest, or of a label.
EVERYTHING_PERCENT = 100.0


class Form(Enum):
    """How the value of a key is read."""

    MAPPING = auto()
    """More keys."""
    TEXT = auto()
    """Text on one line."""
    INTEGER = auto()
    """A whole number."""
    NUMBER = auto()
    """A number."""
    CHOICE = auto()
    """One of a closed list of words."""
    WHERE = auto()
    """A predicate."""
    METHODS = auto()
    """Names of methods, or `auto`."""
    OPTIONS = auto()
    """Options by method."""
    GATES = auto()
    """A gate set, with or without changed figures."""
    LATER = auto()
    """Anything: the key is refused, because this version does not enforce it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: how it is read, what it may be, and what it is where the file says nothing.

    `above` is a bound that the value itself must not have; `later` are choices of the language
    that this version does not enforce yet; `example` is shown to whoever wrote something else than a mapping.
    """

    form: Form
    doc: str
    required: bool = False
    default: Scalar | None = None
    choices: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    longest: int | None = None
    pattern: str | None = None
    pattern_doc: str = ""
    example: str = ""


_KEBAB = r"[a-z0-9]+(-[a-z0-9]+)*"
_REGISTERED = r"[a-z0-9]+([.-][a-z0-9]+)*"
_VISIBLE = r"\S(.*\S)?"
_CRON = rf"({'|'.join(WORDS)}|[^\s@]+( +[^\s@]+){{4}})"


def _words(vocabulary: type[Reason] | type[Claim] | type[Unit] | type[NothingToForget]) -> tuple[str, ...]:
    return tuple(member.value for member in vocabulary)


#: Every key of the language by its path, in the order in which people are shown them.
KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "version": Key(
            form=Form.INTEGER,
            required=True,
            minimum=LANGUAGE_VERSION,
            maximum=LANGUAGE_VERSION,
            doc="Version of the policy language.",
        ),
        "name": Key(
            form=Form.TEXT,
            required=True,
            longest=LONGEST_NAME,
            pattern=_KEBAB,
            pattern_doc="lower-case words joined by hyphens",
            doc="What people call this policy.",
        ),
        "owner": Key(
            form=Form.TEXT,
            required=True,
            longest=LONGEST_LINE,
            pattern=_VISIBLE,
            pattern_doc="one line of text",
            doc="Who answers for it.",
        ),
        "reason": Key(
            form=Form.CHOICE,
            required=True,
            choices=_words(Reason),
            doc="Why; consent and data-subject need claim never-saw.",
        ),
        "claim": Key(
            form=Form.CHOICE,
            required=True,
            choices=_words(Claim),
            doc="What the revised version may be said to be.",
        ),
        "model": Key(form=Form.MAPPING, required=True, doc="Which registered model is revised."),
        "model.name": Key(
            form=Form.TEXT,
            required=True,
            longest=LONGEST_NAME,
            pattern=_REGISTERED,
            pattern_doc="lower-case words joined by hyphens or dots",
            doc="Its name in the registry.",
        ),
        "model.alias": Key(
            form=Form.CHOICE,
            choices=(Alias.CHAMPION.value,),
            default=Alias.CHAMPION.value,
            doc="Which of its versions.",
        ),
        "forget": Key(form=Form.MAPPING, required=True, doc="What it must no longer know."),
        "forget.where": Key(form=Form.WHERE, required=True, doc="The cases that match."),
        "forget.unit": Key(
            form=Form.CHOICE,
            choices=_words(Unit),
            doc="What one match pulls in; omitted: image, for consent and data-subject patient.",
        ),
        "forget.allow_absent": Key(form=Form.LATER, doc="Accept values that no case ever had."),
        "limits": Key(form=Form.MAPPING, doc="The most that may be touched; beyond it nothing is done."),
        "limits.max_patients": Key(form=Form.INTEGER, minimum=1, doc="Patients; omitted: not limited."),
        "limits.max_percent": Key(
            form=Form.NUMBER,
            above=0,
            maximum=EVERYTHING_PERCENT,
            default=DEFAULT_PERCENT,
            doc="Percent of the training manifest.",
        ),
        "limits.max_percent_of_any_label": Key(
            form=Form.NUMBER,
            above=0,
            maximum=EVERYTHING_PERCENT,
            doc="Percent of the cases of any one label; omitted: not limited.",
        ),
        "unlearn": Key(form=Form.MAPPING, doc="How it is forgotten."),
        "unlearn.methods": Key(form=Form.METHODS, doc="Methods in order, or auto; omitted: [retrain]."),
        "unlearn.options": Key(form=Form.OPTIONS, doc="Options by method; a list is tried value by value."),
        "unlearn.budget": Key(form=Form.MAPPING, doc="What a search may spend."),
        "unlearn.budget.steps": Key(form=Form.INTEGER, minimum=1, default=DEFAULT_STEPS, doc="Optimiser steps."),
        "unlearn.seed": Key(
            form=Form.INTEGER, minimum=0, maximum=LARGEST_SEED, default=1, doc="Seed of everything random."
        ),
        "gates": Key(
            form=Form.GATES,
            doc="A gate set; [default, {GATE: {OPTION: VALUE}}] changes figures; omitted: default.",
        ),
        "nothing_to_forget": Key(
            form=Form.CHOICE,
            choices=_words(NothingToForget),
            later=("suppress",),
            default=NothingToForget.RETRAIN.value,
            doc="What follows when the champion is not shown to remember.",
        ),
        "register": Key(form=Form.MAPPING, doc="What becomes of a version that passed."),
        "register.alias": Key(
            form=Form.CHOICE,
            choices=(Alias.CANDIDATE.value,),
            later=(Alias.CHAMPION.value,),
            default=Alias.CANDIDATE.value,
            doc="The alias it is given.",
        ),
        "register.retire_parent": Key(form=Form.LATER, doc="When the version before it is retired."),
        "approval": Key(form=Form.LATER, doc="Who must approve."),
        "schedule": Key(
            form=Form.MAPPING,
            example='{cron: "0 3 * * 0", zone: Europe/Vienna}',
            doc="When it is due; omitted: when somebody runs it. Not part of the digest.",
        ),
        "schedule.cron": Key(
            form=Form.TEXT,
            required=True,
            longest=LONGEST_LINE,
            pattern=_CRON,
            pattern_doc=SHAPE,
            doc="Its local times; quote it, since * and @ mean other things to YAML.",
        ),
        "schedule.zone": Key(
            form=Form.TEXT,
            required=True,
            longest=LONGEST_NAME,
            pattern=_VISIBLE,
            pattern_doc="an IANA time zone, such as Europe/Vienna or UTC",
            doc="Whose local times they are.",
        ),
    }
)


def children(prefix: str) -> dict[str, Key]:
    """The keys directly below a path ("" is the file itself), by their last word."""
    start = f"{prefix}." if prefix else ""
    below = {path.removeprefix(start): key for path, key in KEYS.items() if path.startswith(start)}
    return {word: key for word, key in below.items() if "." not in word}


def not_yet(name: str) -> str:
    """How a part of the language that cannot be enforced is refused."""
    return f"{name} is part of the policy language but this version does not enforce it yet"


def unknown(kind: str, name: str, known: tuple[str, ...]) -> str:
    """How an unknown name is refused: with the nearest, and all that are known."""
    nearest = nearest_name(name, known)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return f"there is no {kind} called {name!r}.{meant} Known: {', '.join(known) or 'none'}"
