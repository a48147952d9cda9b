"""The pages of `maintain audit`: a version's biography and who was learned from, as lines and as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maintain.cli import console
from maintain.vocabulary import OriginKind

if TYPE_CHECKING:
    from maintain_pipelines.biography import Biography
    from maintain_pipelines.exposure import Exposure, Sought
    from maintain_registry import Comparison, Retirement


def page_lines(told: Biography) -> list[str]:
    """A version on one page."""
    record, made = told.version.version, told.made
    lines = [f"{record.model} version {record.version}" + (f" ({', '.join(told.aliases)})" if told.aliases else ""), ""]
    lines += [f"{name:<10} {value}" for name, value in _facts(told)]
    if told.retirement is not None:
        lines.append(f"{'retired':<10} {standing(told.retirement)}")
    lines += ["", "Gates"]
    if told.verdict is None:
        lines.append(f"  none: {made.event} is not judged against a champion")
    else:
        lines.append(f"  {told.verdict.outcome}: {told.verdict.reason}")
        judged = [
            (result.gate, result.outcome.value, "decides" if result.decisive else "reported", result.reason)
            for result in told.verdict.gates
        ]
        lines += [f"  {line}" for line in console.table(("gate", "outcome", "", "reason"), judged)]
    earlier = "".join(f" <- version {number}" for number in told.chain)
    random = told.origin.kind is OriginKind.INITIALISATION
    end = "random weights" if random else f"weights {told.origin.weights}, which the registry does not have"
    lines += ["", "Weights", f"  version {record.version}{earlier} <- {end}"]
    lines += ["", "Entries of the ledger"]
    rows = [(entry.number, entry.at, entry.event.value, entry.actor, _signed(entry.envelope)) for entry in told.entries]
    return [*lines, *(f"  {line}" for line in console.table(("number", "at", "event", "actor", ""), rows))]


def page_document(told: Biography) -> dict[str, Any]:
    """The same page for a program."""
    from maintain import codec

    manifest = told.version.manifest
    return {
        "version": codec.encode(told.version.version),
        "aliases": list(told.aliases),
        "made": {"entry": told.made.number, "at": told.made.at, "actor": told.made.actor, "body": dict(told.made.body)},
        "manifest": {
            "status": manifest.status.value,
            "learned": len(manifest.learned),
            "unlearned": len(manifest.unlearned),
            "selected_with": len(manifest.selected_with),
            "origin": codec.encode(manifest.origin),
        },
        "retirement": codec.encode(told.retirement),
        "chain": list(told.chain),
        "verdict": codec.encode(told.verdict),
        "entries": [
            {
                "number": entry.number,
                "at": entry.at,
                "event": entry.event.value,
                "actor": entry.actor,
                "signed": entry.envelope is not None,
            }
            for entry in told.entries
        ],
    }


def standing(retirement: Retirement) -> str:
    """What became of a retired version, in one line."""
    by = f"ledger entry {retirement.retired}"
    if retirement.destroyed is not None and not retirement.unfinished:
        return f"{by}; its weights were destroyed, ledger entry {retirement.destroyed}"
    if retirement.ordered is not None:
        return f"{by}; the destruction of its weights is not finished, ledger entry {retirement.ordered}"
    return f"{by}; its files are kept"


def exposure_lines(sought: Sought, found: tuple[Exposure, ...]) -> list[str]:
    """One line a version: the answer, why, and what was selected with."""
    lines = [f"Cases asked for: {len(sought.cases)}; exact copies of them: {len(sought.copies)}.", ""]
    rows = [
        (item.model, item.version, ", ".join(item.aliases), item.answer.value.upper(), item.learned, item.selected_with)
        for item in found
    ]
    lines += console.table(("model", "version", "aliases", "exposed", "learned", "selected with"), rows)
    whys = dict.fromkeys(f"{item.answer.value.upper()}: {item.why}." for item in found)
    if any(item.selected_with for item in found):
        whys["Selected with: the case chose among checkpoints and methods; no weight was computed from it."] = None
    return [*lines, "", *whys]


def comparison_lines(compared: Comparison) -> list[str]:
    """The registry against the ledger: one line a disagreement, with what to do."""
    found = compared.disagreements
    counted = f"{compared.versions} versions of {compared.models} models, {compared.aliases} aliases"
    lines = [f"The registry ({counted}) is as the ledger says, up to entry {compared.head}."]
    if found:
        lines = [f"The registry ({counted}) and the ledger disagree {len(found)} times:"]
    lines += [f"  {item.said} {item.repair}" for item in found]
    if compared.untagged:
        lines.append(
            f"Note: {compared.untagged} entries are older than the tags in them; those tags were not compared."
        )
    return lines


# --- private ---------------------------------------------------------------------------------------


def _facts(told: Biography) -> list[tuple[str, object]]:
    record, manifest, body = told.version.version, told.version.manifest, told.made.body
    counts = f"{len(manifest.learned)} learned, {len(manifest.unlearned)} unlearned"
    facts: list[tuple[str, object]] = [
        ("who", f"{told.made.actor}, {told.made.at}, ledger entry {told.made.number} ({told.made.event})"),
        ("what", f"{record.method}, seed {record.seed}, maintain {record.code}"),
        ("parent", "none" if record.parent is None else f"version {record.parent}"),
        ("learned", f"{counts}, {len(manifest.selected_with)} selected with ({manifest.status})"),
        ("weights", record.weights),
    ]
    if record.policy is not None:
        why = f"policy {body.get('policy_name')}, reason {body.get('reason')}, claim {body.get('claim')}"
        facts += [("why", f"{why}: {body.get('forgotten_cases')} cases"), ("policy", record.policy)]
        facts += [("forget set", record.forget_set), ("plan", record.plan), ("run", record.run)]
    return facts


def _signed(envelope: object) -> str:
    return "signed" if envelope is not None else ""
