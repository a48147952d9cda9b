"""The table of gates: names, options, claims and gate sets, without importing any gate.

The policy loader, the schema and the documentation read this table, so that asking what exists
never loads numpy. A default figure is changed by adding a new gate set, never in place: registered
versions name the set they were judged by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maintain.errors import UnknownNameError
from maintain.options import Option, fill_in
from maintain.records import GateRequest, Setting
from maintain.vocabulary import Claim

#: Loss of accuracy, balanced accuracy or AUROC that a hospital may accept: power.md §5, item R overall.
RETENTION_MARGIN = 0.05

#: One-sided level of the retention bound over all slots together: power.md §5, item R overall.
RETENTION_ALPHA = 0.025

#: Loss in one declared subgroup: power.md §5, item R subgroups.
SUBGROUP_MARGIN = 0.10

#: A group of this size is judged by itself, and so many of them at most: each is one more way for a model of
#: unchanged quality to fail (power.md §5, item R subgroups).
GATED_CASES, GATED_PATIENTS, MOST_GATED = 200, 50, 4

#: Loss against the lineage's first version, so that small losses cannot add up: DESIGN §7.
LINEAGE_MARGIN = 0.08

#: Difference in accuracy, forgotten minus never-seen, that counts as none: power.md §5, item H.
HELD_OUT_MARGIN = 0.10

#: Distance of the attack's AUC from one half that counts as none: power.md §5, item M.
MEMBERSHIP_MARGIN = 0.10

#: Share of forgotten cases beyond the never-seen 95 % quantile (one in twenty by chance): power.md §6, row 2.
TAIL_LIMIT = 0.10

#: The same below so many forgotten cases, where honest retrains reached .101 and .148: feasibility.md §4.
SMALL_TAIL_LIMIT, CASES_FOR_STRICT_TAIL = 0.12, 500

#: Loss on the group's never-seen cases: DESIGN §7, `not-collapsed`.
COLLAPSE_MARGIN = 0.10

#: Difference to the mean of three references, and the most that they may spread: feasibility.md §4.
REFERENCE_MARGIN = 0.10

#: Share of a withdrawn label's cases that may still be given it: DESIGN §7, `zero`.
ZERO_LIMIT = 0.02


@dataclass(frozen=True, slots=True)
class GateInfo:
    """One gate: the claims it proves, whether it always runs, which side it guards, where its class is.

    `reported` are claims for which it is measured and decides nothing. A `behaviour` gate judges answers; for a
    candidate that was trained anew without the forget group it decides nothing either, because digests do.
    """

    name: str
    doc: str
    claims: tuple[Claim, ...]
    options: tuple[Option, ...]
    target: str
    always: bool = False
    forgetting: bool = False
    retention: bool = False
    behaviour: bool = False
    reported: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class GateSet:
    """A versioned list of gates; the claim of a policy decides which of them a plan asks for."""

    name: str
    gates: tuple[str, ...]


def _margin(name: str, default: float, doc: str) -> Option:
    return Option(name=name, kind="number", default=default, minimum=0.001, maximum=0.5, doc=doc, looser="higher")


def _cap(name: str, doc: str) -> Option:
    return Option(name=name, kind="number", default=1.0, minimum=0.0, maximum=1.0, doc=doc, looser="higher")


_INFOS = (
    GateInfo(
        name="integrity",
        doc=(
            "The weights changed and are finite, every digest agrees with the file it names, the run"
            " folder is complete, network and preprocessing are the champion's, and the loader handed out"
            " what the method declares: no forgotten case, nor an exact copy, among the retained ones."
        ),
        claims=tuple(Claim),
        always=True,
        options=(),
        target="maintain.gates.integrity:Integrity",
    ),
    GateInfo(
        name="never-saw",
        doc=(
            "Recomputed from what the loader counted: training began from an initialisation that the"
            " recipe's seed gives again, or from versions whose manifests exclude the forget group back to"
            " one, and handed out no case of the forget group, nor an exact copy."
        ),
        claims=tuple(Claim),
        forgetting=True,
        options=(),
        target="maintain.gates.never_saw:NeverSaw",
    ),
    GateInfo(
        name="retention",
        doc=(
            "On the holdout without the forget group the candidate is shown to be no worse than the"
            " champion by more than the margin: accuracy, balanced accuracy and AUROC, paired by case and"
            " clustered by patient; the same against the lineage's first version, and in declared subgroups."
        ),
        claims=tuple(Claim),
        always=True,
        retention=True,
        options=(
            _margin("margin", RETENTION_MARGIN, "The largest loss that still counts as kept (0.05 is five points)."),
            Option(
                name="alpha",
                kind="number",
                default=RETENTION_ALPHA,
                minimum=0.0001,
                maximum=0.2,
                doc="One-sided level of the bound, shared by the slots of a plan.",
                looser="higher",
            ),
            _margin("lineage_margin", LINEAGE_MARGIN, "The largest loss against the lineage's first version."),
            Option(
                name="by",
                kind="fields",
                default="",
                doc="Cohort fields, or products of them (`device.model*image.eye`), whose groups are judged apart.",
            ),
            _margin("by_margin", SUBGROUP_MARGIN, "The largest loss in one of these groups."),
            Option(
                name="small",
                kind="string",
                default="report",
                choices=("fail", "pool", "report"),
                doc="What becomes of groups below 200 cases or 50 patients.",
            ),
            Option(
                name="include_forget_group",
                kind="boolean",
                default=False,
                doc="Whether the never-seen cases of the forget group are judged with the others.",
            ),
            _cap("max_churn", "Most decisions that may change, as a share; 1 is no limit."),
            _cap("max_new_misses", "Most right decisions that may become wrong, as a share; 1 is no limit."),
        ),
        target="maintain.gates.retention:Retention",
    ),
    GateInfo(
        name="held-out",
        doc=(
            "The candidate is right on forgotten cases as often as on never-seen ones of the group, adjusted for"
            " difficulty, and the difference is shown below half the champion's."
        ),
        claims=(Claim.EXAMPLES,),
        reported=(Claim.NEVER_SAW,),
        forgetting=True,
        behaviour=True,
        options=(_margin("margin", HELD_OUT_MARGIN, "The largest difference in accuracy that counts as none."),),
        target="maintain.gates.held_out:HeldOut",
    ),
    GateInfo(
        name="membership",
        doc=(
            "An attack that knows how difficult each case is cannot tell forgotten from never-seen cases: its AUC is"
            " near one half, from both sides, and no more forgotten cases than chance lie in its tail."
        ),
        claims=(Claim.EXAMPLES,),
        reported=(Claim.NEVER_SAW,),
        forgetting=True,
        behaviour=True,
        options=(
            _margin("margin", MEMBERSHIP_MARGIN, "The largest distance of the AUC from 0.50 that counts as none."),
            _margin("tail", TAIL_LIMIT, "The largest share of forgotten cases beyond the never-seen 95 % quantile."),
            _margin("small_tail", SMALL_TAIL_LIMIT, "The same below 500 forgotten cases."),
        ),
        target="maintain.gates.membership:Membership",
    ),
    GateInfo(
        name="not-collapsed",
        doc="On the group's never-seen cases the candidate is not worse than the champion by more than the margin.",
        claims=(Claim.EXAMPLES,),
        forgetting=True,
        behaviour=True,
        options=(_margin("margin", COLLAPSE_MARGIN, "The largest loss of accuracy on these cases."),),
        target="maintain.gates.not_collapsed:NotCollapsed",
    ),
    GateInfo(
        name="reference",
        doc=(
            "On the group's forgotten and never-seen cases the candidate is right as often as the mean of three"
            " models that were trained without the group."
        ),
        claims=(Claim.GROUP,),
        forgetting=True,
        behaviour=True,
        options=(
            _margin("margin", REFERENCE_MARGIN, "The largest difference in accuracy that counts as none."),
            _margin("spread", REFERENCE_MARGIN, "The most that the references may differ among themselves."),
        ),
        target="maintain.gates.reference:Reference",
    ),
    GateInfo(
        name="zero",
        doc=(
            "The cases of a withdrawn label, forgotten and never-seen, are no longer given it. It judges output"
            " behaviour only: a masked output passes too."
        ),
        claims=(Claim.GROUP,),
        forgetting=True,
        behaviour=True,
        options=(_margin("limit", ZERO_LIMIT, "The largest share of these cases that may still be given the label."),),
        target="maintain.gates.zero:Zero",
    ),
    GateInfo(
        name="bn-recalibration",
        doc=(
            "After the statistics of batch normalisation are computed anew on retained cases, the forgetting gates"
            " of the claim still hold, by their own limits. A network without such layers passes."
        ),
        claims=(Claim.EXAMPLES, Claim.GROUP),
        forgetting=True,
        behaviour=True,
        options=(),
        target="maintain.gates.bn_recalibration:BnRecalibration",
    ),
    GateInfo(
        name="rank",
        doc=(
            "For one patient: where the patient ranks among never-seen patients of the group in how surely the model"
            " answers. It can show that something was kept, never that nothing was."
        ),
        claims=(),
        reported=(Claim.NEVER_SAW,),
        forgetting=True,
        behaviour=True,
        options=(
            Option(
                name="read_withdrawn",
                kind="boolean",
                default=False,
                doc="Whether images of people who took back consent may be read once more, to measure what was kept.",
            ),
        ),
        target="maintain.gates.rank:Rank",
    ),
)

GATES: Mapping[str, GateInfo] = {info.name: info for info in _INFOS}

#: What proves each claim: every gate of one of these rows must be decisive and pass.
PROOFS: Mapping[Claim, tuple[tuple[str, ...], ...]] = {
    Claim.NEVER_SAW: (("never-saw",),),
    Claim.EXAMPLES: (("never-saw",), ("held-out", "membership", "not-collapsed", "bn-recalibration")),
    Claim.GROUP: (("never-saw",), ("reference", "bn-recalibration"), ("zero", "bn-recalibration")),
}

GATE_SETS: Mapping[str, GateSet] = {
    "default@1": GateSet("default@1", tuple(GATES)),
}

#: A name without a version means the newest set at the time of planning; the plan records which.
GATE_SET_ALIASES: Mapping[str, str] = {"default": "default@1"}


def gate_info(name: str) -> GateInfo:
    """The gate of that name. Raises `UnknownNameError` with the nearest known ones."""
    if name not in GATES:
        raise UnknownNameError("gate", name, GATES)
    return GATES[name]


def gate_set(name: str) -> GateSet:
    """The gate set of that name or alias. Raises `UnknownNameError`."""
    resolved = GATE_SET_ALIASES.get(name, name)
    if resolved not in GATE_SETS:
        raise UnknownNameError("gate set", name, (*GATE_SETS, *GATE_SET_ALIASES))
    return GATE_SETS[resolved]


def gates_for(claim: Claim, name: str = "default") -> tuple[GateInfo, ...]:
    """The gates of a set that a claim asks for: those that always run, and those that prove it."""
    infos = (gate_info(gate) for gate in gate_set(name).gates)
    return tuple(info for info in infos if info.always or claim in (*info.claims, *info.reported))


def request_for(name: str, given: Iterable[Setting] = (), *, decisive: bool = True) -> GateRequest:
    """A request with every option resolved. Raises `UnknownNameError`, or `InputError` for a bad value."""
    info = gate_info(name)
    return GateRequest(name, fill_in(f"the gate {name}", info.options, given), decisive)
