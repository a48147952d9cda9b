"""What changed since the last run of a policy: its words, the champion, the cohort, the gates and the methods.

A run leaves its plan and, beside it, what the policy said. Runs of earlier versions left no policy: of those, only
what stands in their plan can be told. Cases are counted, never named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from maintain import codec
from maintain.errors import MaintainError
from maintain.hashing import canonical_json
from maintain.records import MatchTable, Plan, RoleTable
from maintain.vocabulary import Role, RunState
from maintain_pipelines import journal
from maintain_pipelines.context import Context
from maintain_pipelines.environment import drift
from maintain_pipelines.journal import RunRow
from maintain_pipelines.kept_policy import kept_policy
from maintain_pipelines.rundir import PLAN, RunFolder
from maintain_pipelines.select import Selection
from maintain_policies import Policy, meaning

T = TypeVar("T")

#: One value of a policy or a plan as people read it; None where there is no such key.
Told: TypeAlias = str | None


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key with what it was in the last run and what it is now."""

    key: str
    before: Told
    now: Told


@dataclass(frozen=True, slots=True)
class RoleChange:
    """How many cases had a role then, and how many have it now."""

    role: Role
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class MatchChange:
    """How many images match that did not, and how many matched that no longer do."""

    new: int
    gone: int


@dataclass(frozen=True, slots=True)
class Since:
    """A plan held against the last run of its policy; `plan_known` is false where that run's plan cannot be read.

    `policy` are keys of the file that no plan holds (None where the run kept no policy and its digest is another),
    `terms` those that a plan holds: claim, budget, methods, gates. `matches` and `newly_suppressed` are None where
    the run's lists are no longer there.
    """

    run: str
    state: RunState
    started: str
    same_policy: bool
    champion_before: int | None
    champion_now: int
    plan_known: bool
    policy: tuple[KeyChange, ...] | None
    terms: tuple[KeyChange, ...]
    roles: tuple[RoleChange, ...]
    matches: MatchChange | None
    newly_suppressed: int | None
    environment: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether the same would be planned again, as far as everything is known."""
        return (
            self.plan_known
            and self.same_policy
            and self.champion_before == self.champion_now
            and self.matches == MatchChange(0, 0)
            and self.newly_suppressed == 0
            and not (self.terms or self.roles or self.environment)
        )


def since_last_run(policy: Policy, selection: Selection, context: Context) -> Since | None:
    """What changed since the newest run of a policy of that name, however it ended; None for its first run."""
    with context.database.read() as unit:
        rows = [row for row in journal.runs(unit) if row.policy_name == policy.name]
    return _held_against(rows[-1], policy, selection, context) if rows else None


# --- private ---------------------------------------------------------------------------------------

#: Parts of a policy that the plan made from it holds too, resolved: these are told from the plans.
_IN_PLAN = ("schema", "name", "reason", "claim", "model", "unlearn", "gates", "register")

#: A part that is told whole, since its keys mean nothing alone.
_WHOLE = ("forget.where",)


def _held_against(row: RunRow, policy: Policy, selection: Selection, context: Context) -> Since:
    folder, plan = RunFolder(context.workspace.runs / row.run), selection.plan
    before = _plan_of(row, folder)
    roles = None if before is None else _table(folder, "roles", before.roles, RoleTable)
    matched = _table(folder, "matches", row.matches or "", MatchTable)
    return Since(
        run=row.run,
        state=row.state,
        started=row.started,
        same_policy=row.policy == policy.digest,
        champion_before=None if before is None else before.champion.version,
        champion_now=plan.champion.version,
        plan_known=before is not None,
        policy=_policy_changes(row, policy, folder),
        terms=() if before is None else _differing(_terms(before), _terms(plan)),
        roles=() if before is None else _role_changes(before, plan),
        matches=None if matched is None else _match_changes(matched, selection),
        newly_suppressed=None if roles is None else _newly_suppressed(roles, selection.roles),
        environment=() if before is None else drift(before.environment, plan.environment),
    )


def _plan_of(row: RunRow, folder: RunFolder) -> Plan | None:
    """The plan of a run; None where its folder was removed or cannot be read any more."""
    try:
        plan = codec.read(folder.file(PLAN), Plan)
    except MaintainError:
        return None
    return plan if plan.policy == row.policy else None


def _table(folder: RunFolder, kind: str, digest: str, record: type[T]) -> T | None:
    try:
        return folder.read_table(kind, digest, record)
    except MaintainError:
        return None


def _policy_changes(row: RunRow, policy: Policy, folder: RunFolder) -> tuple[KeyChange, ...] | None:
    """Keys of the file that changed and that no plan holds; None where the run did not keep what it read."""
    if row.policy == policy.digest:
        return ()
    before = kept_policy(folder)
    if before is None or before.digest != row.policy:
        return None
    return _differing(*(_flat(_beside_plan(said)) for said in (before.said, meaning(policy))))


def _beside_plan(said: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in said.items() if key not in _IN_PLAN}


def _flat(value: Mapping[str, object], prefix: str = "") -> dict[str, Told]:
    """Every leaf by its dotted key."""
    found: dict[str, Told] = {}
    for name, item in value.items():
        key = f"{prefix}{name}"
        if isinstance(item, Mapping) and key not in _WHOLE:
            found |= _flat(item, f"{key}.")
        else:
            found[key] = item if isinstance(item, str) else canonical_json(item)
    return found


def _terms(plan: Plan) -> dict[str, Told]:
    """What a plan holds of its policy, every default resolved, by the keys of the policy."""
    terms: dict[str, Told] = {
        "reason": plan.reason.value,
        "claim": plan.claim.value,
        "model": plan.model,
        "register.alias": plan.alias.value,
        "unlearn.seed": str(plan.seed),
        "unlearn.budget.steps": str(plan.budget_steps),
        "unlearn.methods": ", ".join(dict.fromkeys(request.name for request in plan.slots[0].methods)),
        "gates": plan.gate_set,
    }
    for gate in plan.gates:
        terms[f"gates.{gate.name}"] = "decisive" if gate.decisive else "reported"
        terms |= {f"gates.{gate.name}.{setting.name}": str(setting.value) for setting in gate.options}
    return terms | dict(_method_options(plan))


def _method_options(plan: Plan) -> Iterator[tuple[str, Told]]:
    """The values that each option of each method takes, in the order in which they are tried."""
    tried: dict[str, list[str]] = {}
    for request in plan.slots[0].methods:
        for setting in request.options:
            tried.setdefault(f"unlearn.options.{request.name}.{setting.name}", []).append(str(setting.value))
    yield from ((key, ", ".join(dict.fromkeys(values))) for key, values in tried.items())


def _differing(before: Mapping[str, Told], now: Mapping[str, Told]) -> tuple[KeyChange, ...]:
    keys = dict.fromkeys((*before, *now))
    return tuple(KeyChange(key, before.get(key), now.get(key)) for key in keys if before.get(key) != now.get(key))


def _role_changes(before: Plan, now: Plan) -> tuple[RoleChange, ...]:
    counts = ((role, before.count(role).cases, now.count(role).cases) for role in Role)
    return tuple(RoleChange(role, then, today) for role, then, today in counts if then != today)


def _match_changes(before: MatchTable, selection: Selection) -> MatchChange:
    then, today = {row.case_id for row in before.rows}, {match.case.case_id for match in selection.matches}
    return MatchChange(len(today - then), len(then - today))


def _newly_suppressed(before: RoleTable, now: RoleTable) -> int:
    """Cases that are suppressed in this plan and were not in that one."""
    then, today = ({row.case_id for row in table.of(Role.SUPPRESSED)} for table in (before, now))
    return len(today - then)
