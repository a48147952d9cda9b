"""What a person writes into the ledger in their own words: one line, and nobody's identifier in it.

An entry can never be taken back, so a patient who was named in one could never be erased from it.
"""

from __future__ import annotations

import re

from maintain.cohort import CohortStore, sealed_issuers
from maintain.errors import InputError
from maintain.intake import load_pseudonyms
from maintain_pipelines.context import Context

#: Longest reason; more belongs into the hospital's own records.
REASON_CHARACTERS = 200


def check_reason(reason: str, context: Context) -> None:
    """Raise `InputError` unless it is one printable line that names no patient of the cohort.

    Every word is asked for under the pseudonym key, as a PatientID without issuer and of every issuer that an intake
    met, and as a pseudonym.
    """
    if not reason.strip() or not reason.isprintable() or len(reason) > REASON_CHARACTERS:
        raise InputError(
            f"A reason is one line of 1 to {REASON_CHARACTERS} printable characters.",
            remedy="Say in a few words why; the ledger keeps them for good.",
        )
    pseudonyms = load_pseudonyms(context.workspace.pseudonym_key)
    words = set(reason.split()) | set(_WORD.findall(reason))
    with context.database.read() as unit:
        issuers = ("", *(pseudonyms.unseal(text) for text in sealed_issuers(unit)))
        named = {pseudonyms.patient(word, issuer) for word in words for issuer in issuers}
        asked = words | {name for name in named if name is not None}
        if CohortStore(unit).patients(asked):
            raise InputError(
                "The reason names a patient of the cohort, and the ledger keeps it for good.",
                remedy="Say it without identifiers, for example by the number of a ticket.",
            )


# --- private ---------------------------------------------------------------------------------------

_WORD = re.compile(r"[\w./-]+")
