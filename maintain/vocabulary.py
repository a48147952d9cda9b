"""Closed vocabularies: every word that a policy, a record or a report may use, one enum each.

Closed on purpose: a reason or a state that is not in the table cannot be written down, so the
audit trail never needs guessing.
"""

from __future__ import annotations

from enum import StrEnum


class Claim(StrEnum):
    """What a policy wants to be able to say of the revised version."""

    NEVER_SAW = "never-saw"
    """It was not trained on these cases; proven by digests alone, at any size."""
    EXAMPLES = "examples"
    """These cases can no longer be told from cases the model never saw."""
    GROUP = "group"
    """On this group the model behaves as one that never learned from it."""


class Situation(StrEnum):
    """What a plan asks of its methods, finer than a claim: a group may be all there is of its labels, or not."""

    NEVER_SAW = "never-saw"
    """A model that was not trained on the cases."""
    EXAMPLES = "examples"
    """Cases of a group that goes on being learned."""
    GROUP = "group"
    """A device or a site, whose labels others have too: held against references."""
    WHOLE_LABEL = "whole-label"
    """Every case of a label, and with it the answer: held against zero."""

    @property
    def claim(self) -> Claim:
        """The claim of such a plan."""
        return Claim.GROUP if self is Situation.WHOLE_LABEL else Claim(self.value)


class Reason(StrEnum):
    """Why cases must be forgotten."""

    CONSENT = "consent"
    """A patient took back consent."""
    DATA_SUBJECT = "data-subject"
    """A data subject asked for erasure."""
    DEVICE_DEPRECATED = "device-deprecated"
    """A device was withdrawn."""
    WRONG_LABEL = "wrong-label"
    """The recorded label was wrong."""
    OUTLIER = "outlier"
    """The anatomy or quality lies outside the intended use."""
    RETENTION_EXPIRED = "retention-expired"
    """The legal retention period ended."""
    SITE_RECALL = "site-recall"
    """A site recalled its data."""

    @property
    def personal(self) -> bool:
        """Whether a person asked: such reasons force the claim never-saw."""
        return self in (Reason.CONSENT, Reason.DATA_SUBJECT)


class Unit(StrEnum):
    """What one match pulls in."""

    IMAGE = "image"
    """The image alone."""
    EYE = "eye"
    """Every image of that eye of the patient."""
    SERIES = "series"
    """Every image of the series."""
    STUDY = "study"
    """Every image of the study."""
    PATIENT = "patient"
    """Every image of the patient."""


class Split(StrEnum):
    """Where a patient stands in one model lineage, decided once."""

    TRAIN = "train"
    """May be learned from."""
    VALIDATION = "validation"
    """Used to select: methods, checkpoints, thresholds."""
    HOLDOUT = "holdout"
    """Opened by the verify stage only; each look is counted."""


class Role(StrEnum):
    """What a case is in a plan, or what it was when a loader handed it out."""

    LEARN = "learn"
    """Trained on by a first training."""
    FORGET = "forget"
    """The champion learned from it and the policy matches it."""
    RETAIN = "retain"
    """The champion learned from it and may keep it."""
    VALIDATION = "validation"
    """Selected with, outside the forget group."""
    HOLDOUT = "holdout"
    """Held out, outside the forget group: retention is judged here."""
    NEVER_SEEN_VALIDATION = "never-seen-validation"
    """Matches the policy, in the validation split."""
    NEVER_SEEN = "never-seen"
    """Matches the policy, in the holdout split."""
    SUPPRESSED = "suppressed"
    """Known to the manifest, but no longer usable in any role."""


class Outcome(StrEnum):
    """What a gate, or a verdict, can be."""

    PASS = "pass"
    """Shown to be inside."""
    FAIL = "fail"
    """Shown to be outside."""
    NOT_EVALUATED = "not-evaluated"
    """Not shown either way; never counts as passed."""


class Precision(StrEnum):
    """In which numbers forward passes compute; weights and their changes stay in 32 bits."""

    FP32 = "fp32"
    """32 bits; on a card torch lets convolutions round their factors to 19 of them (TF32)."""
    BF16 = "bf16"
    """Convolutions and products in bfloat16 (torch's autocast), laid out channels last."""


class Head(StrEnum):
    """How the network's outputs are read."""

    SOFTMAX = "softmax"
    """One of several classes; the decision is the largest output."""
    MULTI_LABEL = "multi-label"
    """Independent findings, one sigmoid each."""
    BINARY = "binary"
    """One logit."""
    ORDINAL = "ordinal"
    """Ordered grades."""


class ManifestStatus(StrEnum):
    """How much a training manifest may be trusted."""

    PROVEN = "proven"
    """We trained it and the loader logged every case."""
    DECLARED = "declared"
    """Whoever adopted the model says so."""
    UNKNOWN = "unknown"
    """Nobody says; unlearning is refused."""


class OriginKind(StrEnum):
    """What a training started from."""

    INITIALISATION = "initialisation"
    """Random weights drawn from a recorded seed."""
    CHECKPOINT = "checkpoint"
    """The weights of another version, whose manifest is named."""


class ConsentStatus(StrEnum):
    """What the consent register says of a patient."""

    GIVEN = "given"
    """Data may be used."""
    WITHDRAWN = "withdrawn"
    """Data may no longer be used, anywhere."""
    UNKNOWN = "unknown"
    """The register does not list the patient."""


class Eye(StrEnum):
    """DICOM Image Laterality (0020,0062)."""

    RIGHT = "R"
    """Right eye, OD."""
    LEFT = "L"
    """Left eye, OS."""
    BOTH = "B"
    """Both eyes in one image."""


class FileStatus(StrEnum):
    """What intake made of a file."""

    ACCEPTED = "accepted"
    """One case, with its pixels."""
    DUPLICATE = "duplicate"
    """The same instance again."""
    REJECTED = "rejected"
    """Not usable; the reason class is stored, never the content."""


class Alias(StrEnum):
    """Names that point at one version of a registered model."""

    CHAMPION = "champion"
    """The version that serves."""
    CANDIDATE = "candidate"
    """The latest version that passed its gates and waits for promotion."""
    PREVIOUS = "previous"
    """The version that served before."""


class Exposed(StrEnum):
    """Whether the weights of a version were made with a case."""

    YES = "yes"
    """It was learned, by this version or by one whose weights it began from."""
    NO = "no"
    """Proven manifests all the way back to random weights do not list it as learned."""
    UNKNOWN = "unknown"
    """Nobody can show it either way."""


class RequestState(StrEnum):
    """Where a person's request stands; whether it is overdue is said by its date, not by its state."""

    OPEN = "open"
    """Some version of a model learned from the person, and no registered one without them stands beside it yet."""
    ANSWERED = "answered"
    """Every lineage that learned from the person has a registered version that did not."""
    CLOSED = "closed"
    """No loadable version learned from the person, and what the workspace held of them is erased."""
    WITHDRAWN = "withdrawn"
    """The person took the request back; their images may be used again."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self in (RequestState.CLOSED, RequestState.WITHDRAWN)


class Found(StrEnum):
    """What filing a request could say of the person."""

    IMAGES = "images"
    """The cohort has images of them."""
    NOBODY = "nobody"
    """Every known issuer was tried and every image is linked to a person: the cohort has none of them."""
    CANNOT_EXCLUDE = "cannot-exclude"
    """None was found, but some images cannot be told whose they are."""


class Duty(StrEnum):
    """What a request owes one of its images."""

    UNLEARN = "unlearn"
    """A version that can be loaded was trained on it."""
    RE_EVALUATE = "re-evaluate"
    """It only helped to choose or to judge a version."""
    ERASE_ONLY = "erase-only"
    """No version was made or judged with it."""


class LegalBasis(StrEnum):
    """On what ground the person asks. https://eur-lex.europa.eu/eli/reg/2016/679/oj."""

    GDPR_7_3 = "gdpr-7-3"
    """Consent was withdrawn."""
    GDPR_17_1 = "gdpr-17-1"
    """Erasure is asked for."""
    GDPR_21 = "gdpr-21"
    """The person objects to the processing."""
    OTHER = "other"
    """Another law, or the rules of the house."""


class JobOutcome(StrEnum):
    """How one turn of a scheduled job ended."""

    PASSED = "passed"
    """A version was registered."""
    NOTHING_TO_DO = "nothing-to-do"
    """No serving version learned from any match."""
    WAITING = "waiting"
    """A version waits for promotion, another run holds the model, or the registry is away."""
    HELD_BACK = "held-back"
    """The same policy failed its gates on the same cases and champion before; not tried again."""
    REFUSED = "refused"
    """A gate failed, or the answer is no."""
    NOT_EVALUATED = "not-evaluated"
    """Not shown either way."""
    BAD_INPUT = "bad-input"
    """The policy cannot be run as it is."""
    FAILED = "failed"
    """An error of the program, or damaged values."""


class RunState(StrEnum):
    """Where a run stands; the table of moves is in `maintain_pipelines.states`."""

    PLANNED = "planned"
    """The cases and their roles are fixed."""
    AWAITING_PLAN_APPROVAL = "awaiting-plan-approval"
    """Somebody must approve the plan."""
    UNLEARNED = "unlearned"
    """A candidate exists."""
    VERIFIED = "verified"
    """Every gate passed."""
    AWAITING_RELEASE_APPROVAL = "awaiting-release-approval"
    """Somebody must approve the release."""
    REGISTERED = "registered"
    """The version and its ledger entry exist."""
    NOTHING_TO_DO = "nothing-to-do"
    """No serving version learned from any match."""
    REJECTED = "rejected"
    """A gate failed."""
    UNDECIDED = "undecided"
    """A gate could not be evaluated."""
    FAILED = "failed"
    """An error ended the run."""
    ABANDONED = "abandoned"
    """Given up, or stale when it came to registering."""


class Health(StrEnum):
    """What `maintain doctor` finds."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Worth knowing; nothing stands in the way of work."""
    PROBLEM = "problem"
    """Something that must be repaired."""


class ScoreKind(StrEnum):
    """What an image is scored for."""

    OUTLIER = "outlier"
    """How far its pattern lies from that of the others of its kind, in normal deviates: score.outlier."""
    QUALITY = "quality"
    """How good it is as a picture: score.quality, and its figures sharpness, exposure and field."""


class OutlierMethod(StrEnum):
    """How the distance of an image from the others is measured."""

    MAHALANOBIS = "mahalanobis"
    """From the middle of the closest half of all cases, by the spread of that half."""
    KNN = "knn"
    """To the last of the nearest tenth of all cases."""


def listed_as(request: str) -> str:
    """Stands where a policy's digest would in the suppression list: each request is listed for itself."""
    return f"request {request}"
