"""A version that began from another one's weights is as clean as everything those weights ever learned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from helpers.evidence import CHAMPION, honest_evidence, linked, planned, refs, with_role
from maintain import codec
from maintain.gates import Ancestor, Evidence, request_for
from maintain.gates.descent import descent
from maintain.gates.integrity import Integrity
from maintain.gates.never_saw import NeverSaw
from maintain.hashing import digest_bytes
from maintain.records import CaseRef, GateResult, Origin, TrainingManifest
from maintain.vocabulary import ManifestStatus, OriginKind, Outcome, Role

GRANDPARENT = digest_bytes(b"grandparent")


def finetuned(learned: Iterable[CaseRef], *, origin: Origin | None = None) -> Evidence:
    """A candidate that went on from a champion which learned exactly these cases."""
    honest = honest_evidence()
    manifest = replace(honest.champion_manifest, learned=tuple(sorted(learned)))
    if origin is not None:
        manifest = replace(manifest, origin=origin)
    return began_at(replace(honest, champion_manifest=manifest), Origin(OriginKind.CHECKPOINT, CHAMPION))


def began_at(evidence: Evidence, origin: Origin) -> Evidence:
    """The same, had the loop begun there; the manifest is the champion's unless the origin names one."""
    named = replace(origin, manifest=origin.manifest or codec.digest_of(evidence.champion_manifest))
    log = replace(evidence.log, origin=named)
    return linked(replace(evidence, log=log, candidate_manifest=replace(evidence.candidate_manifest, origin=named)))


def retained() -> tuple[CaseRef, ...]:
    return refs(honest_evidence().roles, Role.RETAIN)


def forgotten() -> tuple[CaseRef, ...]:
    return refs(honest_evidence().roles, Role.FORGET)


def root(learned: Iterable[CaseRef], *, unlearned: Iterable[CaseRef] = ()) -> TrainingManifest:
    """The manifest of a first training on these cases."""
    manifest = honest_evidence().champion_manifest
    return replace(manifest, learned=tuple(sorted(learned)), unlearned=tuple(sorted(unlearned)), snapshot="first")


def grandchild(manifest: TrainingManifest, *, weights: str = GRANDPARENT) -> Evidence:
    """A champion that was itself fine-tuned from a version with that manifest, and its own fine-tune."""
    origin = Origin(OriginKind.CHECKPOINT, GRANDPARENT, codec.digest_of(manifest))
    return replace(finetuned(retained(), origin=origin), ancestors=(Ancestor(weights, manifest),))


def judged(evidence: Evidence) -> GateResult:
    return NeverSaw(request_for("never-saw")).measure(evidence)


def test_a_finetune_of_a_champion_that_learned_the_cases_fails() -> None:
    result = judged(finetuned((*retained(), *forgotten())))
    assert result.outcome is Outcome.FAIL
    assert "6 excluded cases learned by a version that training began from" in result.reason


def test_a_finetune_of_a_champion_that_never_did_passes() -> None:
    evidence = finetuned(retained())
    assert judged(evidence).outcome is Outcome.PASS
    assert Integrity(request_for("integrity")).measure(evidence).outcome is Outcome.PASS


def test_an_exact_copy_that_the_champion_learned_fails() -> None:
    honest = honest_evidence()
    twin = replace(planned(Role.SUPPRESSED, 900), pixels=honest.roles.of(Role.FORGET)[0].pixels, role=Role.HOLDOUT)
    evidence = with_role(finetuned((*retained(), twin.ref)), twin)
    result = judged(began_at(evidence, Origin(OriginKind.CHECKPOINT, CHAMPION)))
    assert result.outcome is Outcome.FAIL
    assert "1 exact copy of excluded cases learned by such a version" in result.reason


def test_a_case_that_the_plan_does_not_know_leaves_it_open() -> None:
    result = judged(finetuned((*retained(), CaseRef("gone", 1))))
    assert result.outcome is Outcome.NOT_EVALUATED
    assert "does not know 1 case learned by a version that training began from" in result.reason


def test_the_chain_is_followed_to_its_root() -> None:
    assert judged(grandchild(root(retained()))).outcome is Outcome.PASS
    evidence = grandchild(root(retained()))
    assert len(descent(evidence, evidence.log.origin).ancestors) == 2
    assert judged(grandchild(root((*retained(), *forgotten())))).outcome is Outcome.FAIL


def test_what_was_unlearned_by_behaviour_was_seen_all_the_same() -> None:
    result = judged(grandchild(root(retained(), unlearned=forgotten())))
    assert result.outcome is Outcome.FAIL
    assert "6 excluded cases" in result.reason


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(grandchild(root(retained())), ancestors=()), "the version 1 step back began from weights of the"),
        (grandchild(root(retained()), weights=CHAMPION), "2 steps back names other weights"),
        (grandchild(replace(root(retained()), status=ManifestStatus.DECLARED)), "2 steps back is declared"),
        (began_at(finetuned(retained()), Origin(OriginKind.CHECKPOINT, GRANDPARENT)), "1 step back names other"),
        (began_at(finetuned(retained()), Origin(OriginKind.CHECKPOINT, CHAMPION, "0" * 64)), "which nobody has"),
    ],
    ids=["missing", "other-weights", "declared", "other-champion", "unknown-manifest"],
)
def test_a_broken_link_proves_nothing(evidence: Evidence, said: str) -> None:
    result = judged(evidence)
    assert result.outcome is Outcome.NOT_EVALUATED
    assert said in result.reason


@pytest.mark.parametrize(
    "origin",
    [Origin(OriginKind.CHECKPOINT, GRANDPARENT), Origin(OriginKind.CHECKPOINT, CHAMPION, "0" * 64)],
    ids=["weights", "manifest"],
)
def test_integrity_refuses_a_training_that_began_elsewhere(origin: Origin) -> None:
    result = Integrity(request_for("integrity")).measure(began_at(finetuned(retained()), origin))
    assert result.outcome is Outcome.FAIL
    assert "training began from other weights than the champion's" in result.reason


def test_what_the_champion_learned_may_stay_in_the_manifest() -> None:
    evidence = finetuned(retained())
    log = replace(evidence.log, rows=evidence.log.rows[1:])
    assert judged(linked(replace(evidence, log=log))).outcome is Outcome.PASS
