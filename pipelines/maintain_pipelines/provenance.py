"""What finished weights are said to be: manifest and spec, drawn up from what the loop told its witness.

Candidates and references are described by the same two functions, so that a reference can become a candidate
without a word being changed.
"""

from __future__ import annotations

from dataclasses import replace

from maintain.errors import InputError
from maintain.hashing import Digest
from maintain.records import CaseRef, ModelSpec, Plan, RoleTable, TrainingManifest
from maintain.unlearn import Heard
from maintain.vocabulary import ManifestStatus, OriginKind, Role
from maintain_pipelines.champions import Champion


def manifest_of(plan: Plan, champion: Champion, roles: RoleTable, heard: Heard) -> TrainingManifest:
    """What the candidate learned from: what the loader handed out, and what is in the weights it began from.

    It is as proven as that: only a training that began anew owes nothing to what somebody declared.
    """
    forgotten = {row.ref for row in roles.of(Role.FORGET)}
    anew = heard.origin.kind is OriginKind.INITIALISATION
    rows = (row for row in heard.log.rows if row.times_seen > 0 and (anew or row.role is not Role.FORGET))
    handed_out = {CaseRef(row.case_id, row.label_version) for row in rows}
    if not anew and not forgotten:
        raise InputError("There is nothing to move out of `learned`.", remedy="Make the plan again.")
    inherited = set() if anew else set(champion.manifest.learned) - forgotten
    unlearned = set() if anew else {*champion.manifest.unlearned, *forgotten}
    selecting = (Role.VALIDATION,) if anew else (Role.VALIDATION, Role.NEVER_SEEN_VALIDATION)
    return TrainingManifest(
        model=plan.model,
        status=ManifestStatus.PROVEN if anew else champion.manifest.status,
        origin=heard.origin,
        learned=tuple(sorted(handed_out | inherited)),
        unlearned=tuple(sorted(unlearned)),
        selected_with=tuple(sorted(row.ref for row in roles.of(*selecting))),
        snapshot=champion.manifest.snapshot,
        parent=plan.champion.manifest,
    )


def spec_of(parent: ModelSpec, heard: Heard, manifest: Digest) -> ModelSpec:
    """The parent's network with the recipe that makes it from nothing: a few more passes are no such recipe."""
    anew = heard.origin.kind is OriginKind.INITIALISATION
    return replace(parent, recipe=heard.recipe if anew else parent.recipe, manifest=manifest)
