"""The first page of a letter: what was found, done and not done, and why, in words that need no explanation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from maintain.report import BLANKS, LetterPart
from maintain.vocabulary import Duty, Exposed, Found, RequestState
from maintain_pipelines.replying.told import LineageTold, Told, VersionTold
from maintain_pipelines.replying.voice import Voice, joined, many, spoken_day

#: Said where a person must do what the program cannot.
BY_HAND = "A member of staff has to do that by hand; the technical page says what."


def lead(told: Told, voice: Voice) -> str:
    """The answer in a sentence or two."""
    request = told.standing.request
    if request.state is RequestState.WITHDRAWN:
        return "You took your request back, so nothing more is done for it."
    if request.found is Found.NOBODY:
        return f"We hold no images of {voice.somebody}: none is in the collection that our models are trained on."
    doubt = "We cannot exclude that we hold images which we could not recognise. "
    if not request.images:
        return f"We found no images of {voice.somebody}. {doubt.strip()}"
    said = doubt if request.found is Found.CANNOT_EXCLUDE else ""
    return said + _standing_lead(told, voice)


def parts(told: Told, voice: Voice) -> tuple[LetterPart, ...]:
    """Found, done, not done; of a request that was taken back only what that means."""
    if told.standing.request.state is RequestState.WITHDRAWN:
        return (LetterPart("What that means", tuple(_withdrawn(told, voice))),)
    return (
        LetterPart("What we found", (*_found(told, voice), *_doubts(told))),
        LetterPart("What we have done", tuple(_done(told, voice))),
        LetterPart("What we have not done, and why", tuple(_undone(told, voice))),
    )


def rights(voice: Voice) -> LetterPart:
    """Fixed sentences. https://eur-lex.europa.eu/eli/reg/2016/679/oj, articles 12(3) and 77."""
    you = "You" if voice.people == 1 else "Each of these people"
    return LetterPart(
        "Rights",
        (
            f"{you} may complain to a supervisory authority for data protection, in particular where the person lives "
            "or works, or where the rule is thought to have been broken (GDPR, Article 77).",
            "A request must be answered without undue delay and within one month of its arrival. Where that is "
            "necessary, the time may be extended by two months; the person must then be told so, with the reasons, "
            "within the first month (GDPR, Article 12(3)).",
        ),
    )


def late(told: Told) -> str | None:
    """That a date has passed, and by how much; None where none has."""
    request = told.standing.request
    if request.state is RequestState.WITHDRAWN:
        return None
    if request.state is RequestState.CLOSED:
        days = (_day(request.ended) - request.due).days
        return f"This request was finished {many(days, 'day')} after it was due." if days > 0 else None
    days = (told.today - request.due).days
    ago = f"it was due on {spoken_day(request.due)}, {many(days, 'day')} ago"
    return f"This request is overdue: {ago}." if days > 0 else None


# --- private ---------------------------------------------------------------------------------------


def _day(moment: str | None) -> date:
    return date.fromisoformat((moment or "")[:10])


def _standing_lead(told: Told, voice: Voice) -> str:
    """Of somebody who has images here."""
    state, theirs = told.standing.request.state, voice.all_images
    if state is RequestState.CLOSED:
        return (
            f"Your request is finished: no version of our models that learned from {theirs} can be loaded any more, "
            "and the images are erased where our models are made. What we could not reach is named below."
        )
    if state is RequestState.OPEN:
        return (
            f"Your request is in progress. Nobody may use {theirs} any more, but a model has learned from them or may "
            "have, and no version without them is ready yet."
        )
    if not told.lineages:
        return f"Nobody may use {theirs} any more, and none of our models was trained on them. They are not erased yet."
    return (
        f"Nobody may use {theirs} any more, and every model that had learned from them has a version that was made "
        "without them. Some steps are still open; they are named below."
    )


def _found(told: Told, voice: Voice) -> Iterator[str | tuple[str, ...]]:
    request = told.standing.request
    hold = "held" if request.state is RequestState.CLOSED else "hold"
    if voice.people > 1:
        all_of_them = " Here “their images” are those of all of them." if request.images else ""
        yield f"Your letter names {voice.people} people.{all_of_them}"
        yield tuple(_of_persons(told, hold))
        if None in told.images and request.images:
            yield f"Together that is {many(request.images, 'image')}."
    elif request.images:
        yield f"We {hold} {many(request.images, 'image')} of you in the collection that our models are trained on."
    elif request.found is Found.CANNOT_EXCLUDE:
        yield "We found no images under the number that we were given."
    if request.found is Found.NOBODY:
        yield (
            f"On {spoken_day(request.filed)} we looked for the {voice.number} that we were given under the institution "
            "that was named, or else under every one that is known to have numbered people in our collection. Every "
            "image in the collection is linked to a person. We hold none."
        )
    if request.copies:
        yield _copies(request.copies, hold)


def _of_persons(told: Told, hold: str) -> Iterator[str]:
    people = told.standing.people
    for person, images in zip(people, told.images, strict=True):
        said = {
            Found.IMAGES: f"we {hold} images" if images is None else f"we {hold} {many(images, 'image')}",
            Found.NOBODY: "we hold none",
            Found.CANNOT_EXCLUDE: "we found none, and cannot exclude that we hold some",
        }
        yield f"Person {person.number} of {len(people)}: {said[person.found]}."


def _copies(copies: int, hold: str) -> str:
    one = copies == 1
    return (
        f"We also {hold} {many(copies, 'exact copy', 'exact copies')} of these images under "
        f"{'another number' if one else 'other numbers'}; {'it is' if one else 'they are'} treated in the same way."
    )


def _doubts(told: Told) -> Iterator[str | tuple[str, ...]]:
    if told.standing.request.found is not Found.CANNOT_EXCLUDE:
        return
    doubts, points = told.standing.doubts, []
    if doubts.unlinked:
        carry = "carries" if doubts.unlinked == 1 else "carry"
        points.append(
            f"{many(doubts.unlinked, 'examination')} in the collection {carry} neither a name nor a number, so we "
            "cannot say whose images they are. Only whoever sent them can tell."
        )
    if doubts.unasked:
        points.append(
            f"The images of {many(doubts.unasked, 'person', 'people')} were read in before we checked whether a number "
            "belongs to anybody. They have to be read in again."
        )
    if doubts.intakes:
        was, it = ("was", "It has") if doubts.intakes == 1 else ("were", "They have")
        points.append(
            f"{many(doubts.intakes, 'folder')} of images {was} read in without noting which institution issued the "
            f"numbers, or not to the end. {it} to be read in again."
        )
    if not points:
        points.append(
            "When the request was filed, the institution that was named was unknown to us, or images were unclear that "
            "have become clear since. The request has to be filed once more to find out."
        )
    yield (
        "We cannot exclude that we hold images, for this reason:"
        if len(points) == 1
        else ("We cannot exclude that we hold images, for these reasons:")
    )
    yield tuple(points)
    yield BLANKS["doubts"]


def _done(told: Told, voice: Voice) -> Iterator[str | tuple[str, ...]]:
    request = told.standing.request
    filed = spoken_day(request.filed)
    if request.images:
        yield (
            f"Since {filed} nobody may use {voice.theirs}: not to train a model, not to choose between versions of "
            f"one, and not to judge one. Images of {voice.them} that "
            f"arrive later are refused."
        )
    else:
        yield f"Since {filed} images that arrive under {voice.this_number} are refused. {_no_change(request.found)}"
    if request.images and not told.lineages:
        yield f"No version of our models was trained on {voice.theirs}, so none had to be made anew."
    if told.lineages:
        yield (
            "A model is a program that has learned from many images how to assess new ones. Whenever it is made anew, "
            "that is a new version of it."
        )
    for lineage in told.lineages:
        yield f"The model {lineage.model}:"
        yield tuple(_lineage_done(lineage, voice))
    if told.erased is not None:
        yield from _erased(told, voice)


def _no_change(found: Found) -> str:
    if found is Found.NOBODY:
        return "No model has to be changed."
    return "As long as we know of no image, we cannot tell whether a model learned from one."


def _lineage_done(lineage: LineageTold, voice: Voice) -> Iterator[str]:
    for version in lineage.versions:
        yield _learned(version, voice) + _fate(version)
    evidence, registered = lineage.evidence, lineage.registered
    if evidence is None or registered is None:
        return
    by = f" by the retraining {evidence.run}" if evidence.run else ""
    yield (
        f"Version {evidence.version} was made without {voice.theirs}. It was registered on {spoken_day(registered.at)}"
        f"{by}. {_service(lineage, evidence.version)}"
    )
    yield (
        f"How that is shown: neither the list of the images that version {evidence.version} was trained on nor that of "
        "any version it was built on contains one of these images. The lists are sealed by digests in a signed log. "
        "This says what the version was trained on; it says nothing about how it behaves."
    )


def _learned(version: VersionTold, voice: Voice) -> str:
    if version.answer is Exposed.YES:
        return f"Version {version.version} had learned from {version.images} of these images."
    return (
        f"Nobody can show what version {version.version} was trained on, so we treat it as if it had learned from "
        f"{voice.theirs}."
    )


def _fate(version: VersionTold) -> str:
    if version.destroyed is not None:
        day = spoken_day(version.destroyed.at)
        return f" What it had learned was destroyed on {day} (log entry {version.destroyed.number})."
    if version.retired is not None:
        return f" It was withdrawn from service for good on {spoken_day(version.retired.at)}."
    return ""


def _service(lineage: LineageTold, version: int) -> str:
    if lineage.serving == version and lineage.since is not None:
        return f"It has been in service since {spoken_day(lineage.since.at)}."
    if lineage.serving is None:
        return "No version of this model is in service now."
    if lineage.serving_free:
        return f"Version {lineage.serving} is in service now; it was not trained on them either."
    return f"It is not in service yet: until a member of staff puts it there, version {lineage.serving} is."


def _erased(told: Told, voice: Voice) -> Iterator[str]:
    erased, ended = told.erased or {}, told.standing.request.ended or ""
    pictures, rows = erased.get("pictures", 0), erased.get("image_case", 0)
    other = sum(erased.get(kind, 0) for kind in ("trainings", "references", "weights"))
    lists = erased.get("lists", 0)
    gone = [
        many(count, one, several) + more
        for count, one, several, more in (
            (pictures, "picture", None, ""),
            (rows, "entry", "entries", " about images, with what was noted of them"),
            (other, "file", None, " of unfinished or rejected work that had learned from them"),
            (lists, "list", None, " that named them"),
        )
        if count
    ]
    nothing = "what was left" if told.resumed else "nothing, since nothing was there"
    before = " What had been erased before an interruption is not counted in that." if told.resumed else ""
    yield (
        f"On {spoken_day(ended)} we erased {joined(tuple(gone)) or nothing}.{before} Then "
        f"{many(told.searched or 0, 'file')} and the whole database were searched: nothing of {voice.somebody} was "
        "left but what we keep, as named below."
    )


def _undone(told: Told, voice: Voice) -> Iterator[str | tuple[str, ...]]:
    request = told.standing.request
    points = [point for lineage in told.lineages for point in _lineage_undone(lineage, voice)]
    again = sum(count.images for count in told.duties if count.duty is Duty.RE_EVALUATE)
    if again:
        them = "it" if again == 1 else "them"
        points.append(
            f"{again} of these images only helped to choose or to judge a version of a model. No version that we keep "
            f"was trained on {them}, but the choice or the judgement is not repeated without {them}."
        )
    elif request.images and request.state is RequestState.CLOSED:
        points.append(
            "If some of these images only helped to judge a version that we keep, that judgement is not repeated; "
            "which ones they were was erased with them."
        )
    if request.images and request.state is not RequestState.CLOSED:
        points.append(_not_erased(told, voice))
    if request.images:
        points.append(f"Figures that we reported earlier with the help of {voice.theirs} are not computed again.")
    if points:
        yield tuple(points)
    yield from _reach(told)
    if request.state is RequestState.CLOSED:
        yield (
            f"What we keep: a mark by which images of {voice.somebody} are refused if they arrive again, the codes of "
            "images that nobody may use, the lists of codes that show what each version was trained on, and the signed "
            "log of all this. None of it holds a name, a patient number, a date of birth or a picture."
        )


def _lineage_undone(lineage: LineageTold, voice: Voice) -> Iterator[str]:
    prospect, evidence = lineage.prospect, lineage.evidence
    if prospect is not None and prospect.answered_by is None:
        yield f"There is no version of {lineage.model} without {voice.theirs} yet. {_way(lineage)}"
    for version in lineage.loadable:
        head = f"Version {version.version} of {lineage.model} can still be loaded"
        if version.serves:
            other = "there is another to take" if evidence is None else f"version {evidence.version} takes"
            yield f"{head} and is in service until {other} its place; then it is to be destroyed."
        else:
            yield f"{head}, though it is not in service. A member of staff still has to destroy it."


def _way(lineage: LineageTold) -> str:
    prospect = lineage.prospect
    if prospect is not None and prospect.policy is not None:
        when = f"it is planned ({prospect.schedule})" if prospect.schedule else "a member of staff has to start it"
        return f"The next retraining makes one; {when}."
    if prospect is not None and prospect.action is not None:
        return f"Our program cannot make one by itself. {BY_HAND}"
    return "How one is to be made is not settled."


def _not_erased(told: Told, voice: Voice) -> str:
    theirs = voice.theirs.capitalize()
    if any(lineage.loadable for lineage in told.lineages):
        until = "every version that learned from them is destroyed"
    else:
        until = "a member of staff closes the request"
    kept = "They are kept, out of every use, until"
    return f"{theirs} are not erased yet. {kept} {until}; then they are erased, and we search for what is left."


def _reach(told: Told) -> Iterator[str | tuple[str, ...]]:
    request = told.standing.request
    if request.state is RequestState.CLOSED:
        head = "Our program could not reach the following, and erased nothing there:"
    elif request.images:
        head = "Our program cannot reach the following, and will erase nothing there:"
    else:
        head = "We searched only the collection that our models are trained on, and did not search:"
    yield head
    yield (
        "the medical record and the image archive of the hospital;",
        "the files and tables from which images were read in;",
        "backups that lie elsewhere;",
        "copies, letters and reports that others have received.",
    )
    yield BLANKS["reach"]


def _withdrawn(told: Told, voice: Voice) -> Iterator[str]:
    ended = told.standing.request.ended or ""
    yield f"You took the request back on {spoken_day(ended)}."
    yield f"What it had barred may be used again, unless another request or rule bars {voice.theirs}."
    yield "Versions of our models that were made without them stay as they are."
