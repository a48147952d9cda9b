"""A report with something in each of its parts, as a run that ended well would have it."""

from __future__ import annotations

from helpers.evidence import honest_evidence
from maintain.records import Figure, GateResult, Registration, Verdict
from maintain.report import (
    Answered,
    Attack,
    Comparison,
    Contender,
    Curve,
    Ending,
    Estimate,
    GroupRow,
    Groups,
    NotShown,
    OldAndNew,
    Panel,
    Report,
    Shown,
    Wish,
    build_report,
)
from maintain.vocabulary import Alias, Outcome, RunState

OLD, NEW = Estimate(0.91, 0.87, 0.94), Estimate(0.82, 0.77, 0.86)

#: What a policy or an error may hold.
HOSTILE = "<script>alert(1)</script> [link](http://x) | **bold**"


def shown(*, wish: str = "imaging-ai@hospital.example", told: str = "Aurora FC-3") -> Shown:
    """Everything that is shown beside the gates; the never-seen panel is not there."""
    both = OldAndNew(Answered(OLD, OLD), Answered(NEW, NEW))
    curves = (Curve(((0.0, 0.0), (0.3, 0.6), (1.0, 1.0)), OLD), Curve(((0.0, 0.0), (1.0, 1.0)), NEW))
    return Shown(
        wish=Wish(wish, "device.model = Cirrus 800 FA", "image"),
        panels=(
            Panel("Forgotten", "what was learned", 641, 161, both),
            Panel("Never seen, same group", "what nobody saw", 0, 0, NotShown("The plan has no such case.")),
            Panel("Retained, held out", "what must go on", 1728, 429, both),
        ),
        by_class=Groups((GroupRow("glaucoma", 900, 300, OLD, NEW),), "Held out only."),
        by_camera=Groups(
            (GroupRow(told, 900, 300, OLD, NEW), GroupRow("2 small groups together", 30, 12, OLD, NEW)), ""
        ),
        attack=Attack(641, 689, *curves),
        beside=Comparison(
            (
                Contender("version 1, the champion", 1110, 70650, None, OLD, None),
                Contender("candidate: retrain, blind", 810, 51330, 3.2, NEW, NEW),
                Contender("a retrain, by the recipe; not made", 900, None, None, None, None),
            ),
            "Nothing else was trained.",
        ),
    )


def reported(
    state: RunState = RunState.REGISTERED,
    outcome: Outcome = Outcome.PASS,
    *,
    error: str | None = None,
    parts: Shown | None = None,
) -> Report:
    """The report of a run that ended so."""
    evidence = honest_evidence()
    figure = Figure("accuracy difference", 0.001, low=-0.012, high=0.014, limit=-0.05, cases=10, patients=5)
    gates = (
        GateResult("integrity", Outcome.PASS, True, "All agrees."),
        GateResult("retention", outcome, True, "because", (figure,)),
    )
    registration = Registration("v" * 64, "triage", 2, "w" * 64, Alias.CANDIDATE, 11, "e" * 64)
    return build_report(
        Ending("20260101-run", state, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", error),
        plan=evidence.plan,
        plan_digest=evidence.plan_digest,
        roles=evidence.roles,
        candidate=evidence.candidate,
        manifest=evidence.candidate_manifest,
        log=evidence.log,
        verdict=Verdict("c" * 64, 1, outcome, "because", gates, "m" * 64, 1),
        registration=registration if state is RunState.REGISTERED else None,
        shown=parts or shown(),
    )
