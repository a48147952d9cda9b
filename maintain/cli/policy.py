"""`maintain policy`: check a policy, test it, begin one, and print the language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console, policy_new, policy_test
from maintain.cli.options import AsJson

if TYPE_CHECKING:
    from maintain_pipelines.explain import CaseStory, Copy
    from maintain_policies import Schedule

app = typer.Typer()


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="POLICY...", help="Policy files (YAML).")],
    as_json: AsJson = False,
) -> None:
    """Check policies without a workspace: every mistake at once, with line and column.

    \b
    Example:
      maintain policy validate policies/*.yaml
    """
    from maintain.cli.catalogues import catalogues
    from maintain.errors import PolicyError, Problem
    from maintain_policies import load_policy

    known, problems, lines, documents = catalogues(), list[Problem](), list[str](), list[dict[str, str]]()
    for file in files:
        try:
            policy = load_policy(file, known)
        except PolicyError as error:
            problems += error.problems
            continue
        lines.append(f"{file}: {policy.name} is valid (claim {policy.claim}, gates {policy.gate_set}).")
        lines += [f"  looser than {policy.gate_set}: {figure}" for figure in policy.looser]
        documents.append({"file": str(file), "name": policy.name, "digest": policy.digest})
    if problems:
        raise PolicyError(problems)
    console.answer({"policies": documents}, lines, schema="policy-validate", as_json=as_json)


@app.command()
def explain(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The keyed identifier of a case.")],
    policies: Annotated[list[Path], typer.Option("--policy", "-p", metavar="FILE", help="A policy file; repeatable.")],
    as_json: AsJson = False,
) -> None:
    """Say what policies make of one case: matched or not, by which part, its role, and why.

    \b
    Example:
      maintain policy explain 3f1c… --policy policies/consent-withdrawal.yaml
    """
    from maintain.cli.catalogues import catalogues
    from maintain.cli.composition import open_context
    from maintain_pipelines.explain import explain_case
    from maintain_policies import load_policy

    loaded = [load_policy(file, catalogues()) for file in policies]
    with open_context(context.obj) as ports:
        stories = [(explain_case(case, policy, ports), policy.schedule) for policy in loaded]
    lines = [line for story, schedule in stories for line in (*_story_lines(story, schedule), "")][:-1]
    document = {"case": case, "policies": [_story_document(story, schedule) for story, schedule in stories]}
    console.answer(document, lines, schema="policy-explain", as_json=as_json)


@app.command()
def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of the policy language, for editors.

    \b
    Example:
      maintain policy schema > policy.schema.json
    """
    import json

    from maintain.cli.catalogues import catalogues
    from maintain_policies import json_schema

    document = json_schema(catalogues())
    console.answer({"json_schema": document}, [json.dumps(document, indent=2)], schema="policy-schema", as_json=as_json)


policy_test.add_to(app)
policy_new.add_to(app)


# --- private ---------------------------------------------------------------------------------------


def _story_document(story: CaseStory, schedule: Schedule | None) -> dict[str, object]:
    """One case under one policy, and when the policy is due."""
    from maintain import codec

    return {**codec.encode(story), "schedule": None if schedule is None else schedule.spoken()}


def _story_lines(story: CaseStory, schedule: Schedule | None) -> list[str]:
    """One case under one policy, as sentences with a word in front."""
    if story.matched:
        match = f"yes: {story.test}"
    elif story.selected:
        match = f"no ({story.test} does not hold), but selected: {story.selected}"
    else:
        match = f"no: {story.test} does not hold"
    learned = "learned from it" if story.learned else "did not learn from it"
    return [
        f"Case {story.case_id} under {story.policy_name}",
        *([] if schedule is None else [f"due         at {schedule.cron} by the clocks of {schedule.zone}"]),
        f"matches     {match}",
        f"learned     version {story.champion} of {story.model} {learned}",
        f"split       {story.split or 'none in this lineage'}",
        f"role        {story.role or 'none'}: {story.role_reason}",
        f"suppressed  {story.suppressed or 'no'}",
        *(_copy_line(copy) for copy in story.copies),
        *([] if story.copies else ["duplicate   of no other image"]),
    ]


def _copy_line(copy: Copy) -> str:
    whose = "the same patient" if copy.same_patient else "another pseudonym"
    return f"duplicate   of {copy.case_id}, under {whose}, role {copy.role or 'none'}"
