"""A policy as the rest of the house sees it: frozen, every default and every name resolved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from maintain.hashing import Digest, digest_json
from maintain.predicate import Predicate, plain
from maintain.records import GateRequest, MethodRequest, Setting
from maintain.vocabulary import Alias, Claim, Reason, Situation, Unit
from maintain_policies.schedule import Schedule


class NothingToForget(StrEnum):
    """What follows when the champion cannot be shown to remember what the policy wants forgotten."""

    RETRAIN = "retrain"
    """A retrain is tried: clean by construction, whatever could be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """Which registered model is revised, and which of its versions."""

    name: str
    alias: Alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The blast radius: the most that the policy may touch. None is "not limited"."""

    max_patients: int | None
    max_percent: float
    max_percent_of_any_label: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlearnSpec:
    """What is tried, in order: a method with every option resolved, once for each combination of listed values.

    `auto` says that committed results chose them: then `whole_label` are those for a group that is all there is of its
    labels.
    """

    requests: tuple[MethodRequest, ...]
    budget_steps: int
    seed: int
    whole_label: tuple[MethodRequest, ...] = ()
    auto: bool = False

    def requests_in(self, situation: Situation) -> tuple[MethodRequest, ...]:
        """What is tried in a plan of this situation."""
        return self.whole_label if situation is Situation.WHOLE_LABEL and self.whole_label else self.requests

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods, each once, in the order in which they are tried."""
        return tuple(dict.fromkeys(request.name for request in self.requests))

    def options_of(self, method: str) -> tuple[tuple[Setting, ...], ...]:
        """The options of one of the methods, once for each combination; none if it is not among them."""
        return tuple(request.options for request in self.requests if request.name == method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a model must no longer know, and how that is to be shown.

    `looser` lists the figures that are looser than the gate set's own, to be printed wherever
    the gates are. `digest` is that of the meaning, so comments and layout do not change it, nor does `schedule`:
    when a policy is due does not change what it asks, and a plan made by hand is the plan of the night.
    """

    version: int
    name: str
    owner: str
    reason: Reason
    claim: Claim
    model: ModelTarget
    where: Predicate
    unit: Unit
    limits: Limits
    unlearn: UnlearnSpec
    gates: tuple[GateRequest, ...]
    gate_set: str
    nothing_to_forget: NothingToForget
    register_alias: Alias
    looser: tuple[str, ...]
    schedule: Schedule | None = None

    @property
    def digest(self) -> Digest:
        """The name by which a plan calls this policy."""
        return digest_json(meaning(self))


def meaning(policy: Policy) -> dict[str, object]:
    """All resolved values as plain JSON but the schedule: what is digested, and what `--json` prints."""
    return {
        "schema": "maintain.policy",
        "version": policy.version,
        "name": policy.name,
        "owner": policy.owner,
        "reason": policy.reason.value,
        "claim": policy.claim.value,
        "model": {"name": policy.model.name, "alias": policy.model.alias.value},
        "forget": {"where": plain(policy.where), "unit": policy.unit.value},
        "limits": {
            "max_patients": policy.limits.max_patients,
            "max_percent": policy.limits.max_percent,
            "max_percent_of_any_label": policy.limits.max_percent_of_any_label,
        },
        "unlearn": {
            "methods": list(policy.unlearn.methods),
            "options": _plain_options(policy.unlearn.requests),
            **_plain_whole_label(policy.unlearn),
            "budget": {"steps": policy.unlearn.budget_steps},
            "seed": policy.unlearn.seed,
        },
        "gates": {
            "set": policy.gate_set,
            "requests": {
                gate.name: {"options": _plain_settings(gate.options), "decisive": gate.decisive}
                for gate in policy.gates
            },
        },
        "nothing_to_forget": policy.nothing_to_forget.value,
        "register": {"alias": policy.register_alias.value},
    }


# --- private ---------------------------------------------------------------------------------------


def _plain_whole_label(unlearn: UnlearnSpec) -> dict[str, object]:
    """The other order of `auto`, where there is one."""
    if not unlearn.whole_label:
        return {}
    names = list(dict.fromkeys(request.name for request in unlearn.whole_label))
    return {"whole_label": {"methods": names, "options": _plain_options(unlearn.whole_label)}}


def _plain_options(requests: tuple[MethodRequest, ...]) -> dict[str, object]:
    """The options of every method that has any: those of one combination, or a list of several."""
    asked: dict[str, list[dict[str, object]]] = {}
    for request in requests:
        if request.options:
            asked.setdefault(request.name, []).append(_plain_settings(request.options))
    return {method: options[0] if len(options) == 1 else options for method, options in asked.items()}


def _plain_settings(settings: tuple[Setting, ...]) -> dict[str, object]:
    return {setting.name: setting.value for setting in settings}
