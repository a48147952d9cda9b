"""What can be written into the ledger: a closed vocabulary of past-tense facts.

A fact that is not in this table cannot be recorded, and whether it must be signed is decided here
and nowhere else, so that an inspector knows which entries must carry a signature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from maintain.errors import InputError
from maintain.hashing import canonical_json

#: Written into a body by the ledger itself when the clock stood behind the last entry.
CLOCK_BEHIND = "clock_behind"


class EventKind(StrEnum):
    """Facts of the ledger, in the order in which a workspace meets them."""

    WORKSPACE_CREATED = "workspace-created"
    """A workspace was made; names the key that signs from here on."""
    COHORT_INGESTED = "cohort-ingested"
    """A source was read into the cohort; counts only."""
    CONSENT_RECORDED = "consent-recorded"
    """The consent register changed what may be used."""
    SPLIT_DECIDED = "split-decided"
    """Patients were given their place in a model lineage, for good."""
    SNAPSHOT_TAKEN = "snapshot-taken"
    """A list of cases was frozen under a digest."""
    MODEL_INSTALLED = "model-installed"
    """A lineage received its first champion, trained here or adopted."""
    RUN_PLANNED = "run-planned"
    """A policy was resolved into a plan; nothing has changed yet."""
    RUN_RESUMED = "run-resumed"
    """A run went on where its weights may come out differently: another machine, device or version."""
    REFERENCE_TRAINED = "reference-trained"
    """A model was trained without a forget group, to be a yardstick; names it, so that it may be released later."""
    HOLDOUT_LOOKED = "holdout-looked"
    """The holdout of a lineage was opened for one candidate; written before the data is read."""
    VERDICT_REACHED = "verdict-reached"
    """The gates of one candidate were folded into an outcome."""
    VERSION_REGISTERED = "version-registered"
    """A candidate that passed became a version."""
    VERSION_PROMOTED = "version-promoted"
    """A candidate that passed became the one that serves."""
    VERSION_ROLLED_BACK = "version-rolled-back"
    """A version that served before serves again; names the one that was left, and why."""
    MODEL_SUSPENDED = "model-suspended"
    """No version of a model serves any more; names the one that did, and why."""
    VERSION_RETIRED = "version-retired"
    """A version was withdrawn for good: no alias may point at it, nothing loads it; its files are kept."""
    DESTRUCTION_ORDERED = "destruction-ordered"
    """The weights of a retired version shall be deleted wherever they lie; written before the first is."""
    WEIGHTS_DESTROYED = "weights-destroyed"
    """The tombstone: where the weights of a version lay, that none of it is there any more, what is out of reach."""
    SCORES_COMPUTED = "scores-computed"
    """Scores of cases were computed, or replaced by others: they choose what a policy forgets. Digests, no values."""
    CASES_SUPPRESSED = "cases-suppressed"
    """Cases may not be used by later snapshots."""
    REQUEST_FILED = "request-filed"
    """A person asked that their images be forgotten; from here on nobody may use them."""
    REQUEST_WITHDRAWN = "request-withdrawn"
    """A person took their request back; what it barred may be used again."""
    REQUEST_ANSWERED = "request-answered"
    """Every lineage that learned from the person has a registered version that did not; names them."""
    REQUEST_REOPENED = "request-reopened"
    """The version that answered a request is gone, so the request is open again."""
    REQUEST_REPLIED = "request-replied"
    """A letter was written; names it by digest."""
    ERASURE_ORDERED = "erasure-ordered"
    """What the workspace holds of a person shall be erased; written before anything is."""
    REQUEST_CLOSED = "request-closed"
    """The tombstone: what was erased of a person, that nothing is left, what is out of reach."""
    JOB_AGAIN = "job-again"
    """A person let a job run again on what failed before, and said why."""
    RUN_ENDED = "run-ended"
    """A run ended without a version: rejected, undecided, failed or abandoned."""
    WORKSPACE_MIGRATED = "workspace-migrated"
    """The tables were brought to another schema; names both, and the backup by digest."""

    @property
    def decides(self) -> bool:
        """Whether the fact changes what is used, served or shown; such entries are signed."""
        return self not in _NOTES


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one subject. The body is copied, and must be plain JSON without NaN.

    Raises `InputError` at once for anything that could not be written down and read back.
    """

    kind: EventKind
    subject: str
    body: Mapping[str, object]

    def __post_init__(self) -> None:
        check_words("subject", self.subject)
        if CLOCK_BEHIND in self.body:
            raise InputError(
                f"An event may not bring its own {CLOCK_BEHIND!r}.",
                remedy="Leave the key out; the ledger writes it when the clock stands behind.",
            )
        object.__setattr__(self, "body", _plain(self.body))


def check_words(name: str, value: str) -> None:
    """Raise `InputError` unless the value is one non-empty line of printable text."""
    if not value or not value.isprintable():
        raise InputError(
            f"The ledger's {name} must be one line of printable text.",
            remedy=f"Give a {name} without line breaks or control characters.",
        )


# --- private ---------------------------------------------------------------------------------------

_NOTES = frozenset(
    {
        EventKind.WORKSPACE_CREATED,
        EventKind.COHORT_INGESTED,
        EventKind.SNAPSHOT_TAKEN,
        EventKind.RUN_PLANNED,
    }
)


def _plain(body: Mapping[str, object]) -> Mapping[str, object]:
    try:
        text = canonical_json(dict(body))
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            "The body of an event is not plain JSON.",
            remedy="Use text, numbers that are finite, true, false, null, lists and objects only.",
        ) from error
    return MappingProxyType(json.loads(text))
