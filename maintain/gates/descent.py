"""Where weights come from: the chain of manifests from a candidate back to random weights.

Whatever a version learned is in every version that took over its weights, so a training that began
from a checkpoint is only as clean as all that came before it. A link that is missing proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from maintain import codec
from maintain.gates.base import Ancestor, Evidence
from maintain.hashing import short
from maintain.records import CaseRef, Origin
from maintain.vocabulary import ManifestStatus, OriginKind


@dataclass(frozen=True, slots=True)
class Descent:
    """The versions that weights go back to, nearest first, and what hides the rest of the chain."""

    ancestors: tuple[Ancestor, ...]
    breaks: tuple[str, ...]

    @property
    def learned(self) -> frozenset[CaseRef]:
        """Every case that one of them learned and did not unlearn."""
        return frozenset(ref for ancestor in self.ancestors for ref in ancestor.manifest.learned)

    @property
    def known(self) -> frozenset[CaseRef]:
        """Every case that one of them ever learned: what was unlearned by behaviour was seen all the same."""
        unlearned = frozenset(ref for ancestor in self.ancestors for ref in ancestor.manifest.unlearned)
        return self.learned | unlearned


def descent(evidence: Evidence, origin: Origin) -> Descent:
    """Follow an origin, digest by digest, through the champion's manifest to random weights."""
    champion = Ancestor(evidence.plan.champion.weights, evidence.champion_manifest)
    known = {codec.digest_of(one.manifest): one for one in (*evidence.ancestors, champion)}
    found: list[Ancestor] = []
    while origin.kind is OriginKind.CHECKPOINT:
        link = known.pop(origin.manifest or "", None)
        if link is None:
            return Descent(tuple(found), (_missing(origin.manifest, len(found)),))
        found.append(link)
        if link.weights != origin.weights:
            return Descent(tuple(found), (f"{_nth(len(found))} names other weights than the next began from",))
        if link.manifest.status is not ManifestStatus.PROVEN:
            return Descent(tuple(found), (f"the manifest of {_nth(len(found))} is {link.manifest.status}, not proven",))
        origin = link.manifest.origin
    return Descent(tuple(found), ())


# --- private ---------------------------------------------------------------------------------------


def _missing(manifest: str | None, found: int) -> str:
    named = f"the manifest {short(manifest)}" if manifest else "no manifest"
    return f"{'the training' if not found else _nth(found)} began from weights of {named}, which nobody has"


def _nth(number: int) -> str:
    return f"the version {number} step{'s' if number > 1 else ''} back"
