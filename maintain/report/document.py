"""The report as one JSON document, for programs: versioned, and the same bytes for the same run folder.

No time of writing and no case identifier is in it: excluded cases are counted.
"""

from __future__ import annotations

import json
from typing import Any

from maintain import codec
from maintain.report.model import Report
from maintain.report.shown import NotShown

#: Name and version of the document. A key that changes its meaning or leaves makes another version.
SCHEMA, VERSION = "maintain.report", 1


def render_json(report: Report) -> str:
    """The document as text, ended by a newline."""
    return json.dumps(_document(report), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


# --- private ---------------------------------------------------------------------------------------


def _document(report: Report) -> dict[str, Any]:
    plan, ending, verdict = report.plan, report.ending, report.verdict
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "run": ending.run,
        "state": ending.state.value,
        "started": ending.started,
        "headline": report.headline,
        "claim": {"asked": plan.claim.value, "proven": report.proven, "sentence": report.claim_sentence},
        "not_to_be_concluded": list(report.cautions),
        "error": None if ending.error is None else {"message": ending.error, "remedy": ending.remedy},
        "model": {
            "name": plan.model,
            "champion": plan.champion.version,
            "registered": None if report.registration is None else report.registration.version,
        },
        "why": {"policy": plan.policy_name, "reason": plan.reason.value, "wish": _shown(report.shown.wish)},
        "who": [{"role": role, "cases": cases, "patients": patients} for role, cases, patients in report.shares],
        "excluded_cases": len(report.excluded),
        "method": None if report.candidate is None else report.candidate.told,
        "outcome": None if verdict is None else verdict.outcome.value,
        "verdict": None if verdict is None else verdict.reason,
        "looks": None if verdict is None else verdict.look,
        "gate_set": plan.gate_set,
        "gates": codec.encode(report.gates),
        "panels": [
            {
                "title": panel.title,
                "cases": panel.cases,
                "patients": panel.patients,
                "answers": _shown(panel.answers),
            }
            for panel in report.shown.panels
        ],
        "by_class": _shown(report.shown.by_class),
        "by_camera": _shown(report.shown.by_camera),
        "attack": _shown(report.shown.attack),
        "beside": _shown(report.shown.beside),
        "attempts": [
            {
                "method": attempt.candidate.told,
                "slot": attempt.verdict.slot,
                "outcome": attempt.verdict.outcome.value,
                "verdict": attempt.verdict.reason,
                "gates": codec.encode(attempt.verdict.gates),
            }
            for attempt in report.attempts
        ],
        "decisions": [] if report.candidate is None else codec.encode(report.candidate.decisions),
        "chain": codec.encode(report.chain),
        "environment": codec.encode(plan.environment),
        "seed": plan.seed,
    }


def _shown(value: object) -> Any:
    """A part of the report, or `{"not_shown": why}`."""
    return {"not_shown": value.why} if isinstance(value, NotShown) else codec.encode(value)
