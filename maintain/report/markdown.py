"""The report as Markdown: for tickets and mails, the same order and the same numbers as the page, without drawings.

Whatever came from a policy or an error is escaped, so that it cannot make headings, links or tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maintain.records import Verdict
from maintain.report.forest import forest_of
from maintain.report.marked import safe, table
from maintain.report.model import Report
from maintain.report.shown import Attack, Comparison, Groups, NotShown, Panel, Wish
from maintain.report.words import NONE, OUTCOMES, counted, first_sentence, told


def render_markdown(report: Report) -> str:
    """The document as text, ended by a newline."""
    parts = (
        _verdict(report),
        _who(report),
        _gates(report),
        _panels(report),
        _groups("Per class", "Class", report.shown.by_class),
        _groups("Per camera", "Camera", report.shown.by_camera),
        _attack(report.shown.attack),
        _beside(report.shown.beside),
        _search(report),
        _provenance(report),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


# --- private ---------------------------------------------------------------------------------------


def _verdict(report: Report) -> Iterator[str]:
    plan, ending = report.plan, report.ending
    yield from (f"# {safe(report.headline)}", "", f"Maintenance report of run {safe(ending.run)}.", "")
    if report.claim_sentence:
        yield from (f"**{safe(report.claim_sentence)}**", "")
    else:
        yield from _no_claim(report)
    yield from ("What may not be concluded:", "")
    yield from (f"- {safe(sentence)}" for sentence in report.cautions)
    version = f" to version {report.registration.version}" if report.registration else ""
    method = f" Method: {safe(report.candidate.told)}." if report.candidate else ""
    looks = _looks(report.verdict.look) if report.verdict else ""
    yield from ("", f"Model {safe(plan.model)}, version {plan.champion.version}{version}.{method}{looks}", "")


def _looks(looks: int) -> str:
    return f" The holdout was opened {looks} time{'s' if looks != 1 else ''} in this lineage."


def _no_claim(report: Report) -> Iterator[str]:
    """Why not, a line for each gate that refused; whole reasons are in the table of the gates."""
    ending, verdict = report.ending, report.verdict
    why = [verdict.reason if verdict and not report.refusing else ""]
    why += [ending.error, ending.remedy or ""] if ending.error and not _repeats(ending.error, verdict) else []
    said = " ".join(dict.fromkeys(filter(None, why)))
    yield from (f"**Nothing is claimed about the excluded cases.** {safe(said)}".rstrip(), "")
    for gate in report.refusing:
        yield f"- {safe(gate.gate)}: {OUTCOMES[gate.outcome]}. {safe(first_sentence(gate.reason))}"
    yield from ("",) if report.refusing else ()


def _repeats(error: str, verdict: Verdict | None) -> bool:
    return verdict is not None and error == verdict.reason


def _who(report: Report) -> Iterator[str]:
    plan, wish = report.plan, report.shown.wish
    yield from ("## Who and why", "")
    yield f"Policy {safe(plan.policy_name)}, reason {plan.reason.value}, claim {plan.claim.value}."
    if isinstance(wish, Wish):
        yield f"Owner {safe(wish.owner)}. Cases meant: {safe(wish.where)}, by {safe(wish.unit)}."
    else:
        yield safe(wish.why)
    yield ""
    rows = [(role, counted(cases), counted(patients)) for role, cases, patients in report.shares]
    yield from table(("Role in this plan", "Images", "Patients"), rows)


def _gates(report: Report) -> Iterator[str]:
    yield from (f"## Gates ({safe(report.plan.gate_set)})", "")
    if not report.gates:
        yield from ("No gate ran, so nothing is shown.", "")
        return
    found = [
        (gate.gate, OUTCOMES[gate.outcome] + ("" if gate.decisive else " (reported only)"), gate.reason)
        for gate in report.gates
    ]
    yield from table(("Gate", "Outcome", "Why"), found)
    rows = [
        (one.gate.gate, row.name, row.told_value, row.told_interval or NONE, row.told_limit or NONE)
        for one in forest_of(report.gates)
        for row in one.rows
    ]
    yield from table(("Gate", "Figure", "Estimate", "Interval", "Limit"), rows)


def _panels(report: Report) -> Iterator[str]:
    yield from ("## Old against new", "")
    if not report.shown.panels:
        yield from (_why(report.shown.by_class), "")
        return
    yield from table(
        ("Cases", "Images", "Patients", "Accuracy, old", "Accuracy, new", "Confidence, old", "Confidence, new"),
        [_panel(panel) for panel in report.shown.panels],
    )


def _panel(panel: Panel) -> Sequence[str]:
    head = (panel.title, counted(panel.cases), counted(panel.patients))
    if isinstance(panel.answers, NotShown):
        return (*head, panel.answers.why, NONE, NONE, NONE)
    old, new = panel.answers.champion, panel.answers.candidate
    return (*head, *map(told, (old.accuracy, new.accuracy, old.confidence, new.confidence)))


def _groups(title: str, kind: str, groups: Groups | NotShown) -> Iterator[str]:
    yield from (f"## {title}", "")
    if isinstance(groups, NotShown):
        yield from (safe(groups.why), "")
        return
    rows = [
        (row.value, counted(row.cases), counted(row.patients), told(row.champion), told(row.candidate))
        for row in groups.rows
    ]
    yield from table((kind, "Images", "Patients", "Accuracy, old", "Accuracy, new"), rows)
    yield from (safe(groups.note), "")


def _attack(attack: Attack | NotShown) -> Iterator[str]:
    yield from ("## Membership attack", "")
    if isinstance(attack, NotShown):
        yield from (safe(attack.why), "")
        return
    yield f"{counted(attack.forgotten)} forgotten against {counted(attack.never_seen)} never-seen images."
    yield f"Area under the curve, 0.5 is guessing: old {told(attack.champion.area)}, new {told(attack.candidate.area)}."
    yield ""


def _beside(beside: Comparison | NotShown) -> Iterator[str]:
    yield from ("## Beside what else could be released", "")
    if isinstance(beside, NotShown):
        yield from (safe(beside.why), "")
        return
    rows = [
        (
            one.name,
            counted(one.steps),
            counted(one.images) if one.made else NONE,
            counted(one.seconds) if one.made else NONE,
            NONE if one.accuracy is None else told(one.accuracy),
            NONE if one.churn is None else told(one.churn),
        )
        for one in beside.contenders
    ]
    head = ("Model", "Steps", "Images handed out", "Seconds", "Retained accuracy", "Decisions changed")
    yield from table(head, rows)
    yield from (safe(beside.note), "")


def _search(report: Report) -> Iterator[str]:
    for attempt in report.attempts:
        yield from (f"## Refused before: {safe(attempt.candidate.told)}", "", safe(attempt.verdict.reason), "")
    if report.candidate is None:
        return
    yield from ("## Search", "")
    rows = [
        (one.told, "yes" if one.chosen else "no", one.label or NONE, str(one.steps), one.reason)
        for one in report.candidate.decisions
    ]
    if not rows:
        yield from ("The folder of this candidate records no search.", "")
        return
    yield from table(("Method", "Went on", "Weights", "Steps", "Why"), rows)


def _provenance(report: Report) -> Iterator[str]:
    yield from ("## Provenance", "")
    yield from table(("Value", "SHA-256", "What it is"), [(link.name, link.digest, link.says) for link in report.chain])
    place = report.plan.environment
    yield f"Computed on {safe(place.device)} ({safe(place.processor)}), {place.threads} threads, {place.precision};"
    yield f"maintain {safe(place.maintain)}, torch {safe(place.torch)}, Python {safe(place.python)};"
    yield from (f"seed {report.plan.seed}.", "")
    yield "This report supports a site's own duties of documentation. It is no certificate of compliance."


def _why(value: object) -> str:
    return safe(value.why) if isinstance(value, NotShown) else ""
