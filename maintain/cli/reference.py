"""`maintain reference`: the models that a withdrawn group is held against, and a retrain waiting to be released."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson

app = typer.Typer()


@app.command()
def train(
    context: typer.Context,
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="A policy file (YAML) that claims `group`.")],
    as_json: AsJson = False,
) -> None:
    """Train the three references of a policy: retrains without its group. Those that are there are kept.

    A run that needs them trains them itself; said beforehand, they cost the run no time, and their spread
    shows whether the group can be judged at all. Interrupted (exit 6), the same command goes on from the
    last epoch. Exits 5 when the champion learned from no match, 2 when the policy is judged without them.

    \b
    Example:
      maintain reference train policies/scanner-withdrawn.yaml
    """
    from maintain import codec
    from maintain.cli.catalogues import catalogues
    from maintain.cli.composition import open_context
    from maintain_pipelines.yardsticks import train_for
    from maintain_policies import load_policy

    loaded = load_policy(policy, catalogues())
    with open_context(context.obj) as ports, grace():
        done = train_for(loaded, ports)
    rows = [
        (
            one.trained.reference.record.seed,
            one.trained.reference.record.steps,
            "there already" if one.trained.cached else f"{one.trained.seconds:.1f}",
            "-" if one.accuracy is None else f"{one.accuracy:.3f}",
        )
        for one in done.references
    ]
    spread = "not known: there are none" if done.spread is None else f"{done.spread:.3f} on {done.cases}"
    lines = [
        *console.table(("seed", "steps", "seconds", "accuracy on the group"), rows),
        f"Spread of their accuracy on validation cases of the group: {spread}.",
        "The first is the retrain that a run of this policy would release.",
    ]
    document = {
        "model": done.model,
        "references": [
            {
                **codec.encode(one.trained.reference.record),
                "seconds": round(one.trained.seconds, 3),
                "cached": one.trained.cached,
                "accuracy": one.accuracy,
            }
            for one in done.references
        ],
        "cases": done.cases,
        "spread": done.spread,
    }
    console.answer(document, lines, schema="reference-train", as_json=as_json)


@app.command(name="list")
def list_references(context: typer.Context, as_json: AsJson = False) -> None:
    """Every reference of the workspace, and what was begun or is damaged (exit 4).

    \b
    Example:
      maintain reference list
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.references import kept_references

    with open_context(context.obj) as ports:
        kept = kept_references(ports.workspace)
    rows = [
        (one.folder.name, one.record.model, one.record.seed, one.record.steps, len(one.manifest.learned))
        for one in kept.whole
    ]
    lines = console.table(("reference", "model", "seed", "steps", "learned from"), rows)
    lines += [f"{name} was begun and is not finished." for name in kept.begun]
    lines += [f"{name} is damaged and is not used; it is trained again when it is needed." for name in kept.damaged]
    document = {
        "references": [{**codec.encode(one.record), "learned": len(one.manifest.learned)} for one in kept.whole],
        "begun": list(kept.begun),
        "damaged": list(kept.damaged),
    }
    console.answer(document, lines, schema="reference-list", as_json=as_json)
    if kept.damaged:
        raise typer.Exit(ExitCode.INTERNAL)
