"""Requests as a person reads them, and as a program does: never an identifier, never a pseudonym."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from maintain import codec
from maintain.cli import console
from maintain.requests import Deadline, Doubts, Request
from maintain.vocabulary import Duty, Found

if TYPE_CHECKING:
    from maintain_pipelines.requests import Evidence, Filed, Outlook, Prospect, Standing, Withdrawn

#: What each duty asks for.
DUTIES = {
    Duty.UNLEARN: "to unlearn: a version with weights was trained on them",
    Duty.RE_EVALUATE: "to re-evaluate: they helped to choose or to judge a version",
    Duty.ERASE_ONLY: "to erase only: no version was made or judged with them",
}

FOUND = {
    Found.IMAGES: "the cohort has images of them",
    Found.NOBODY: "nobody of them is in the cohort",
    Found.CANNOT_EXCLUDE: "it cannot be excluded that the cohort has images of them",
}


def filed_lines(filed: Filed, today: date) -> Iterator[str]:
    """What filing did, and what follows from it."""
    request = filed.request
    days = (request.due - today).days
    yield f"{request.name} is filed ({request.reason}, {request.basis}); it must be answered by {request.due}" + (
        f" ({Deadline(days, days < 0, False).spoken()})."
    )
    if filed.before:
        yield f"The same person is named by {', '.join(filed.before)} already; this request has a life of its own."
    yield from _found_lines(request, len(filed.people), filed.doubts, filed.strangers)
    known = sum(1 for person in filed.people if person.found is Found.IMAGES)
    if request.images:
        yield (
            f"{_images(request, f' of {_people(known)}')} may not be used any more, in any role; "
            f"{filed.newly_suppressed} of them {'was' if filed.newly_suppressed == 1 else 'were'} not barred before."
        )
    if filed.outlook is not None:
        yield from _outlook_lines(filed.outlook)
    yield f"State: {request.state}. `maintain request show {request.name}` says how it goes on."


def brief_line(filed: Filed) -> str:
    """One request of many: by when, how many images, and how it stands."""
    request = filed.request
    found = _images(request, "") if request.found is Found.IMAGES else FOUND[request.found]
    return f"{request.name}: {request.state}, to be answered by {request.due}; {found}."


def list_lines(found: Sequence[Standing]) -> list[str]:
    """A line a request, and how many of them are overdue."""
    rows = [
        (
            one.request.name,
            one.request.state.value,
            one.request.reason.value,
            one.request.received,
            one.request.due,
            one.deadline.spoken() if one.deadline else "-",
            one.replied.at[:10] if one.replied else "-",
            one.waits_for if one.deadline else "-",
        )
        for one in found
    ]
    if not rows:
        return ["No request of this kind. Closed and withdrawn ones are listed with `--all`."]
    lines = console.table(("request", "state", "reason", "received", "due", "date", "replied", "waits for"), rows)
    overdue = sum(1 for one in found if one.deadline is not None and one.deadline.overdue)
    soon = sum(1 for one in found if one.deadline is not None and one.deadline.soon)
    if overdue or soon:
        lines += ["", f"{overdue} OVERDUE, {soon} due soon."]
    return lines


def show_lines(standing: Standing) -> Iterator[str]:
    """Everything about one request."""
    request = standing.request
    yield f"request   {request.name}, {request.state}"
    yield f"reason    {request.reason}, {request.basis}"
    when = f" ({standing.deadline.spoken()})" if standing.deadline else ""
    yield f"dates     received {request.received}, due {request.due}{when}"
    yield f"filed     {request.filed} by {request.actor}"
    if request.answered:
        yield f"answered  {request.answered}"
    if request.ended:
        yield f"ended     {request.ended}"
    if standing.replied:
        yield f"replied   {standing.replied.at}, while it was {standing.replied.body['state']}"
    yield from _found_lines(request, len(standing.people), standing.doubts, 0)
    for person in standing.people if len(standing.people) > 1 else ():
        yield f"person {person.number}  {FOUND[person.found]}"
    yield f"images    {_images(request, '')}"
    if standing.outlook is not None:
        yield from _outlook_lines(standing.outlook)
        yield ""
        yield from _way("In the way of an answer:", standing.unanswered, "Nothing is in the way of an answer.")
        yield from _way("In the way of closing it:", standing.unclosed, "No version learned from them any more.")
    if standing.evidence:
        yield ""
        yield "Evidence:"
        yield from (f"  {line}" for one in standing.evidence for line in _evidence_lines(one))
    yield ""
    yield "Ledger:"
    yield from (f"  {entry.number}  {entry.at}  {entry.event} by {entry.actor}" for entry in standing.entries)


def withdrawn_lines(done: Withdrawn) -> Iterator[str]:
    """What the withdrawal lifted, and what it did not."""
    images = _some(done.images, "image", "images")
    yield f"{done.request} is withdrawn, ledger entry {done.entry}: it does not bar its {images} any more."
    if done.still_barred:
        why = f"by {', '.join(done.other_requests)}" if done.other_requests else "by the consent register or a policy"
        yield f"{done.still_barred} of them may not be used all the same: barred {why}."
    free = done.still_barred < done.images
    again = f"; the next snapshot may use {'the others' if done.still_barred else 'them'} again" if free else ""
    yield f"Versions that were made without them stay as they are{again}."


def filed_document(filed: Filed) -> dict[str, Any]:
    """What filing did, for a program."""
    return {
        **request_document(filed.request),
        "people": [{"number": person.number, "found": person.found.value} for person in filed.people],
        "patients_barred": filed.patients,
        "newly_suppressed": filed.newly_suppressed,
        "doubts": codec.encode(filed.doubts) | {"strangers": filed.strangers},
        "before": list(filed.before),
        "outlook": None if filed.outlook is None else codec.encode(filed.outlook),
        "entry": filed.entry,
    }


def standing_document(standing: Standing) -> dict[str, Any]:
    """A request with everything about it, for a program."""
    return {
        **request_document(standing.request),
        "people": [
            {"number": person.number, "found": person.found.value, "commitment": person.commitment}
            for person in standing.people
        ],
        "deadline": None if standing.deadline is None else codec.encode(standing.deadline),
        "doubts": codec.encode(standing.doubts),
        "outlook": None if standing.outlook is None else codec.encode(standing.outlook),
        "replied": standing.replied.at if standing.replied else None,
        "unanswered": list(standing.unanswered),
        "unclosed": list(standing.unclosed),
        "evidence": [codec.encode(one) for one in standing.evidence],
        "entries": [{"number": one.number, "at": one.at, "event": one.event.value} for one in standing.entries],
    }


def request_document(request: Request) -> dict[str, Any]:
    """The request alone; its dates as text."""
    document: dict[str, Any] = codec.encode(request)
    return {**document, "received": request.received.isoformat(), "due": request.due.isoformat()}


# --- private ---------------------------------------------------------------------------------------


def _found_lines(request: Request, people: int, doubts: Doubts, strangers: int) -> Iterator[str]:
    if request.found is Found.NOBODY:
        yield "Not in the cohort: every known issuer was tried, and every image is linked to a person."
    if request.found is Found.CANNOT_EXCLUDE:
        yield f"Cannot exclude that the cohort has images of {'them' if people > 1 else 'this person'}:"
        yield from (f"  {line}" for line in _doubt_lines(doubts, strangers))
        yield "Images of them that arrive later are refused only under an issuer that is known today."
        yield "Once this is settled, file the letter again; the request that is filed now stays until it is withdrawn."
    if request.found is Found.NOBODY:
        yield "Images of them that arrive later are refused."


def _doubt_lines(doubts: Doubts, strangers: int) -> Iterator[str]:
    if doubts.unlinked:
        studies = _some(doubts.unlinked, "study names", "studies name")
        yield f"{studies} nobody, so nobody can say whose images these are: ask whoever sent them."
    if doubts.unasked:
        yield (
            f"{_some(doubts.unasked, 'patient was', 'patients were')} read by an earlier version, which did not ask "
            "whether the PatientID names anybody: read the folders in again."
        )
    if doubts.intakes:
        yield (
            f"{_some(doubts.intakes, 'folder was', 'folders were')} read without keeping who issued the identifiers, "
            "or not to the end: read it in again, then file the request again."
        )
    if not doubts and not strangers:
        yield (
            "When it was filed the issuer that was named was none that an intake had met, or something that has been "
            "put right since stood in the way: file the request again to know."
        )
    if strangers:
        yield "No intake ever met the issuer that was named: check its spelling, or leave `--issuer` out."


def _outlook_lines(outlook: Outlook) -> Iterator[str]:
    for count in outlook.duties:
        if count.images:
            yield f"  {_some(count.images, 'image', 'images')} {DUTIES[count.duty]}"
    if not outlook.lineages:
        yield "No model has a version that learned from them."
    for lineage in outlook.lineages:
        yield from _lineage_lines(lineage)


def _lineage_lines(lineage: Prospect) -> Iterator[str]:
    yield f"{lineage.model}:"
    for version in lineage.exposed:
        held = f", {' and '.join(version.aliases)}" if version.aliases else ""
        held += ", retired" if version.retired else ""
        said = f"learned {version.images} of them" if version.why is None else f"nobody can say: {version.why}"
        yield f"  version {version.version}{held}: {said}"
    if lineage.answered_by is not None:
        yield f"  answered by version {lineage.answered_by}, which did not learn from any of them"
    elif lineage.policy is not None:
        when = f"scheduled: {lineage.schedule}" if lineage.schedule else "no schedule: a person must run it"
        yield f"  will be answered by policies/{lineage.policy} ({when})"
    elif lineage.action is not None:
        yield f"  to be done by a person: {lineage.action}"


def _way(title: str, texts: Sequence[str], nothing: str) -> Iterator[str]:
    if not texts:
        yield nothing
        return
    yield title
    yield from (f"  {text}" for text in texts)


def _evidence_lines(one: Evidence) -> Iterator[str]:
    yield f"{one.model} version {one.version}, ledger entry {one.registered_entry}: none of the images was learned"
    yield f"  manifest {one.manifest}"
    if one.run is not None:
        yield f"  run      {one.run}"
    if one.verdict is not None:
        entry = f", ledger entry {one.verdict_entry}" if one.verdict_entry is not None else ""
        yield f"  verdict  {one.verdict}{entry}"


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{count} people"


def _some(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _images(request: Request, whose: str) -> str:
    copies = _some(request.copies, "exact copy under another name", "exact copies under other names")
    return f"{_some(request.images, 'image', 'images')}{whose} and {copies}"
