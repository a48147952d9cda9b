"""`maintain plan`: what a policy would do, to whom and why, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson
from maintain.cli.plan_expected import disk_warning, expected_lines
from maintain.cli.plan_since import changed_document, changed_lines
from maintain.vocabulary import Claim, Situation

if TYPE_CHECKING:
    from maintain.records import GateRequest, Plan, Slot
    from maintain_pipelines.cost import MethodCost
    from maintain_pipelines.prospects import Prospect
    from maintain_pipelines.reach import LimitUse, Reach, Share
    from maintain_pipelines.references import ReferenceCost
    from maintain_pipelines.select import Preview
    from maintain_policies import Policy

PolicyFile = Annotated[Path, typer.Argument(metavar="POLICY", help="A policy file (YAML).")]

#: What each claim would let the report say, and what has to be shown for it.
PROOFS = {
    Claim.NEVER_SAW: (
        "the new version was not trained on these images",
        "digests alone, recomputed from what the loader handed out while training; it holds for any number of images",
    ),
    Claim.EXAMPLES: (
        "these images can no longer be told from images the model never saw",
        "measurements against never-seen images of the same group; it needs enough of them",
    ),
    Claim.GROUP: (
        "on this group the model behaves as one that never learned from it",
        "measurements against reference models that never saw the group",
    ),
}

#: By what the committed table tells its stories apart, as a person reads it.
SITUATIONS = {
    Situation.NEVER_SAW: "a claim that only a training anew can make",
    Situation.EXAMPLES: "examples of a group that goes on being learned",
    Situation.GROUP: "a group whose labels other images have too",
    Situation.WHOLE_LABEL: "a group that is all there is of its labels",
}


def add_to(application: typer.Typer) -> None:
    """Add the command, which has no noun, to the application."""
    application.command(name="plan")(plan)


def plan(context: typer.Context, policy: PolicyFile, as_json: AsJson = False) -> None:
    """Say what a policy would do, to whom, and why. Changes nothing.

    Also what changed since the last run of the policy, and the time and disk that a run would take, by runs recorded
    here on the same machine and network; of what no run tells nothing is guessed. It warns where the disk may not
    suffice; `maintain run` refuses where not even one candidate fits.

    Exits 5 when no serving version learned from any match, so that nothing would be trained.

    \b
    Example:
      maintain plan policies/consent-withdrawal.yaml
    """
    from maintain import codec
    from maintain.cli.catalogues import catalogues
    from maintain.cli.composition import open_context
    from maintain_pipelines.expecting import expect
    from maintain_pipelines.prospects import prospects_of, release_chance, retrain_chance, warning_of
    from maintain_pipelines.reach import refuse_excess
    from maintain_pipelines.references import reference_cost
    from maintain_pipelines.select import preview
    from maintain_pipelines.since import since_last_run
    from maintain_pipelines.work import answered_by
    from maintain_policies import load_policy

    loaded = load_policy(policy, catalogues())
    with open_context(context.obj) as ports:
        found = preview(loaded, ports)
        chosen = found.selection
        references = reference_cost(chosen.plan, chosen.roles, chosen.champion, ports)
        since = since_last_run(loaded, chosen, ports)
        answered = answered_by(chosen, ports)
        expected = None if chosen.nothing_learned else expect(chosen, found.costs, references, ports)
    refuse_excess(loaded.name, found.reach)
    planned, nothing = found.selection.plan, found.selection.nothing_learned
    prospects = () if nothing else prospects_of(planned, found.selection.roles)
    document = {
        **_document(found, loaded),
        "references": codec.encode(references),
        "prospects": [codec.encode(prospect) for prospect in prospects],
        "release_chance": None if nothing else release_chance(planned, prospects),
        "retrain_chance": None if nothing else retrain_chance(planned, prospects),
        "changed": changed_document(since),
        "answered_by": answered,
        "expected": codec.encode(expected),
    }
    lines = [
        *_lines(found, loaded, references),
        *prospect_lines(prospects),
        *(expected_lines(expected) if expected else ()),
        *changed_lines(loaded.name, since),
        *_answered_lines(answered, planned.model),
    ]
    console.answer(document, lines, schema="plan", as_json=as_json)
    if not nothing and (warning := warning_of(planned, prospects)):
        console.say(f"Warning: {warning}")
    if expected and not expected.disk.fits:
        console.say(f"Warning: {disk_warning(expected.disk)}")
    if nothing:
        raise typer.Exit(ExitCode.NOTHING_TO_DO)


def role_lines(plan: Plan) -> list[str]:
    """How many images and patients have each role."""
    rows = [(count.role.value, count.cases, count.patients) for count in plan.counts]
    return console.table(("role", "images", "patients"), rows)


def proof_lines(plan: Plan) -> list[str]:
    """What the plan claims, how that would be shown, and when the answer would be no."""
    claim, proof = PROOFS[plan.claim]
    return [
        f"Claim     {plan.claim} (reason {plan.reason}): {claim}.",
        f"Proof     by {proof}.",
        *_gate_lines(plan),
    ]


def slot_lines(plan: Plan) -> list[str]:
    """The chances at the holdout; the second is for candidates that were no retrain."""
    first, *others = plan.slots
    alone = len(first.methods) == 1
    return [
        _slot_line(first),
        *(
            f"Slot {slot.number}    not used: slot 1 is a retrain already." if alone else _slot_line(slot)
            for slot in others
        ),
    ]


def prospect_lines(prospects: Sequence[Prospect]) -> list[str]:
    """What each gate can see at these sizes, and how often an honest model passes it."""
    if not prospects:
        return []
    header = ("gate", "asks for", "images", "patients", "rarest label", "smallest visible", "chance to pass")
    rows = [
        (
            prospect.gate,
            prospect.what,
            prospect.cases,
            prospect.patients,
            prospect.positives,
            "-" if prospect.smallest_visible is None else f"{100 * prospect.smallest_visible:.1f} points",
            "-" if prospect.chance is None else f"{100 * prospect.chance:.0f} %",
        )
        for prospect in prospects
    ]
    notes = [f"{prospect.gate}, {prospect.what}: {prospect.note}." for prospect in prospects if prospect.note]
    return ["", *console.table(header, rows), *notes]


# --- private ---------------------------------------------------------------------------------------


def _gate_lines(plan: Plan) -> list[str]:
    """Which gates decide: the same for every candidate, or other ones for a candidate trained anew."""
    from maintain.gates.deciding import requests_of

    anew, others = (_gates_told(requests_of(plan, anew=trained_anew)) for trained_anew in (True, False))
    if anew == others:
        return [f"Gates     {plan.gate_set}: {anew}"]
    return [
        f"Gates     {plan.gate_set}. Of a candidate trained anew: {anew}",
        f"          Of any other candidate: {others}",
    ]


def _gates_told(requests: tuple[GateRequest, ...]) -> str:
    decisive = ", ".join(gate.name for gate in requests if gate.decisive)
    reported = ", ".join(gate.name for gate in requests if not gate.decisive)
    also = f"; {reported} are reported." if reported else "."
    return f"{decisive} must pass, or nothing is registered{also}"


def _slot_line(slot: Slot) -> str:
    methods = ", else ".join(map(slot.told, slot.methods))
    return f"Slot {slot.number}    {methods}, retention judged at alpha {slot.alpha:g}."


def _lines(found: Preview, policy: Policy, references: ReferenceCost | None) -> list[str]:
    plan, reach = found.selection.plan, found.reach
    champion = f"version {plan.champion.version} of {plan.model}"
    lines = [f"Policy {plan.policy_name}: {len(found.selection.matches)} images match."]
    if not found.selection.matches:
        return [*lines, "Nothing would be trained or suppressed. Is the test as it was meant?", "", *role_lines(plan)]
    corrected = found.selection.corrected
    if corrected:
        lines.append(f"{corrected} of them stay in use: their label was corrected since it was barred.")
    if found.selection.nothing_learned:
        others = "the others" if corrected else "them"
        lines += [f"{champion} learned from none of {others}: they would be suppressed, and nothing trained.", ""]
        return [*lines, *role_lines(plan)]
    lines += [
        f"{champion} learned from {reach.images.touched} of them; that is what it would forget.",
        "",
        *_reach_lines(reach),
        "",
        *console.table(("limit", "used", "allowed"), [_limit_row(use) for use in reach.limits]),
        "",
        *proof_lines(plan),
        *_auto_lines(found, policy),
        *(line for cost in found.costs for line in _cost_lines(cost)),
        *_reference_lines(references, plan),
        *slot_lines(plan),
        "",
        *role_lines(plan),
    ]
    return lines + [f"Looser than {policy.gate_set}: {figure}" for figure in policy.looser]


def _answered_lines(version: int | None, model: str) -> list[str]:
    """That a run would be refused, because what it would make is there."""
    if version is None:
        return []
    said = f"version {version} of {model} answers this policy already and waits for promotion; no run would begin."
    return ["", f"Waiting   {said}"]


def _situation(found: Preview) -> Situation:
    from maintain.gates import situation_of

    return situation_of(found.selection.plan.claim, found.selection.roles)


def _auto_lines(found: Preview, policy: Policy) -> list[str]:
    """What `auto` means for this plan."""
    if not policy.unlearn.auto:
        return []
    names = ", else ".join(dict.fromkeys(request.name for request in found.selection.plan.slots[0].methods))
    return [f"Methods   auto means here: {names}. Measured for {SITUATIONS[_situation(found)]}."]


def _reference_lines(cost: ReferenceCost | None, plan: Plan) -> list[str]:
    if cost is None:
        return []
    alone = len(plan.slots[0].methods) == 1
    when = "made by `maintain reference train`" if alone else "the run trains what is missing"
    return [
        f"References {cost.references} x {cost.steps} steps beside the budget, {cost.cached} of them there; {when}."
    ]


def _reach_lines(reach: Reach) -> list[str]:
    kinds = [("", (reach.images, reach.patients, reach.studies)), ("device ", reach.devices), ("label ", reach.labels)]
    rows = [(f"{kind}{share.name}", share.touched, share.learned, _percent(share)) for kind, s in kinds for share in s]
    lines = console.table(("to forget", "touched", "learned", "share"), rows)
    if reach.left_out:
        lines.append(f"A retrain also leaves out {reach.left_out} learned images that were suppressed before.")
    return lines


def _percent(share: Share) -> str:
    return f"{share.percent:.1f} %"


def _limit_row(use: LimitUse) -> tuple[str, str, str]:
    whole = use.name == "max_patients"
    allowed = "not limited" if use.most is None else f"{use.most:g}" if whole else f"{use.most:g} %"
    used = f"{use.used:.0f}" if whole else f"{use.used:.1f} %"
    return (f"{use.name} ({use.of.removeprefix('% ')})", used, allowed)


def _cost_lines(cost: MethodCost) -> list[str]:
    champion = "" if cost.champion_steps is None else f"; the champion's own training took {cost.champion_steps}"
    if cost.blocked:
        said = "left without a step."
    elif cost.steps is None:
        said = f"known once it has run, at most {cost.budget_steps} steps{champion}."
    else:
        share = f" ({cost.steps / cost.champion_steps:.0%} of it)" if cost.champion_steps else ""
        said = f"{cost.steps} steps{champion}{share}; the budget is {cost.budget_steps}."
    return [f"Method    {cost.told}: {said}", *(f"          {note}" for note in cost.notes)]


def _document(found: Preview, policy: Policy) -> dict[str, Any]:
    from maintain import codec

    selection, reach = found.selection, found.reach
    claim, proof = PROOFS[selection.plan.claim]
    return {
        "plan": codec.encode(selection.plan),
        "digest": codec.digest_of(selection.plan),
        "matches": len(selection.matches),
        "corrected": selection.corrected,
        "nothing_to_do": selection.nothing_learned,
        "reach": {
            **{share.name: _share(share) for share in (reach.images, reach.patients, reach.studies)},
            "devices": [{"name": share.name, **_share(share)} for share in reach.devices],
            "labels": [{"name": share.name, **_share(share)} for share in reach.labels],
            "left_out": reach.left_out,
        },
        "limits": [
            {"name": use.name, "of": use.of, "used": use.used, "most": use.most, "exceeded": use.exceeded}
            for use in reach.limits
        ],
        "claim": {"claim": selection.plan.claim.value, "says": claim, "proof": proof},
        "methods": [codec.encode(cost) for cost in found.costs],
        "auto": _situation(found).value if policy.unlearn.auto else None,
        "looser": list(policy.looser),
        "forget": [
            {"case": row.case_id, "label_version": row.label_version, "reason": row.reason}
            for row in selection.roles.rows
            if row.role.value == "forget"
        ],
    }


def _share(share: Share) -> dict[str, float]:
    return {"touched": share.touched, "learned": share.learned, "percent": round(share.percent, 3)}
