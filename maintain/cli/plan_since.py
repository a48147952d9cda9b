"""What `maintain plan` says of the last run of the same policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maintain_pipelines.since import KeyChange, Since


def changed_lines(policy: str, since: Since | None) -> list[str]:
    """What changed since the last run, a sentence each."""
    if since is None:
        return ["", f"Changed   This is the first run of {policy}."]
    head = f"Changed   since {since.run} ({since.state}, begun {since.started}):"
    if since.nothing:
        return ["", f"{head} nothing; the same would be planned again."]
    told = [*_policy(since), *_champion(since), *_cohort(since), *_environment(since)]
    return ["", head, *(f"          {line}" for line in told)]


def changed_document(since: Since | None) -> dict[str, Any]:
    """The same for programs."""
    from maintain import codec

    if since is None:
        return {"first_run": True}
    return {"first_run": False, "nothing": since.nothing, **codec.encode(since)}


# --- private ---------------------------------------------------------------------------------------


def _policy(since: Since) -> list[str]:
    if since.same_policy:
        said = ["The policy is the same."]
    elif since.policy is None:
        said = ["The policy is another; what that run's file said of `forget`, `limits` and `owner` was not kept."]
    else:
        said = ["The policy is another.", *map(_key, since.policy)]
    if not since.plan_known:
        return [*said, "The plan of that run is no longer there, so its cohort, gates and methods cannot be compared."]
    return [*said, *map(_key, since.terms)]


def _key(change: KeyChange) -> str:
    before, now = ("(not there)" if value is None else value for value in (change.before, change.now))
    return f"{change.key}: {before} -> {now}"


def _champion(since: Since) -> list[str]:
    if since.champion_before is None:
        return [f"The champion is version {since.champion_now}."]
    if since.champion_before == since.champion_now:
        return [f"The champion is the same, version {since.champion_now}."]
    return [f"The champion is version {since.champion_now}; it was version {since.champion_before}."]


def _cohort(since: Since) -> list[str]:
    lines = []
    if since.matches is None:
        lines.append("Which images matched then is no longer in its folder.")
    elif since.matches.new or since.matches.gone:
        lines.append(f"{since.matches.new} images match that did not; {since.matches.gone} no longer do.")
    else:
        lines.append("The same images match.")
    lines += [f"{change.role.value} images: {change.before} -> {change.now}" for change in since.roles]
    if since.newly_suppressed:
        lines.append(f"{since.newly_suppressed} images are suppressed that were not.")
    return lines


def _environment(since: Since) -> list[str]:
    return [f"It would compute elsewhere: {'; '.join(since.environment)}."] if since.environment else []
