"""`maintain model adopt`: the model that a hospital already serves becomes a first champion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson
from maintain.vocabulary import Head

if TYPE_CHECKING:
    from maintain_pipelines.adopting import Adopted

#: How far outputs may lie from production's, as `maintain_pipelines.adopting` says; a test compares the two.
DEFAULT_TOLERANCE = 1e-3


def add_to(app: typer.Typer) -> None:
    """Add the command to `maintain model`."""
    app.command(name="adopt")(adopt)


def adopt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model: a new lineage.")],
    weights: Annotated[
        Path, typer.Argument(metavar="WEIGHTS", help="A state_dict of torch, or a .safetensors file.", readable=False)
    ],
    labels: Annotated[
        str, typer.Option("--labels", "-l", metavar="LABEL=A,B,...", help="The label, in the order of the outputs.")
    ],
    network: Annotated[str, typer.Option(help="A network of the catalogue.")] = "small-bn",
    network_option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the network; may be said again.")
    ] = None,
    strip_prefix: Annotated[str, typer.Option(metavar="PREFIX", help="Take this off every name that has it.")] = "",
    rename: Annotated[
        list[str] | None, typer.Option(metavar="OLD=NEW", help="Call a part of the network so; may be said again.")
    ] = None,
    preprocessing: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A YAML list of MONAI transforms.", readable=False)
    ] = None,
    arrays: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Preprocessed arrays, SOPInstanceUID.npy.", readable=False)
    ] = None,
    head: Annotated[Head, typer.Option(help="How outputs are read.")] = Head.SOFTMAX,
    threshold: Annotated[float | None, typer.Option(help="The deployed threshold; only 0.5 of two labels.")] = None,
    expect: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What production answered: a CSV.", readable=False)
    ] = None,
    tolerance: Annotated[float, typer.Option(help="How far a probability may lie from it.")] = DEFAULT_TOLERANCE,
    trained_on: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Cases and their roles: a CSV.", readable=False)
    ] = None,
    allow_absent: Annotated[
        bool, typer.Option("--allow-absent", help="Adopt though cases of --trained-on are not in the cohort.")
    ] = False,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="By what `retrain` trains it: YAML.", readable=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Adopt a model that was trained elsewhere as the first champion of a lineage.

    Its weights are read once, in a process of their own, and kept as safetensors. With --expect its
    outputs are compared with production's and refused where they differ; without it nothing shows
    that this is the model that serves. With --trained-on its manifest is declared; without it the
    manifest is unknown, and nothing can be unlearned. With --recipe it can be retrained, and the
    manifest of a retrain is proven. docs/adopt.md shows every file.

    \b
    Examples:
      maintain model adopt fundus-triage model.pt --labels diagnosis=healthy,mild,severe \\
        --network resnet18 --strip-prefix module. --preprocessing preprocessing.yaml \\
        --expect outputs.csv --trained-on members.csv --recipe recipe.yaml
      maintain model adopt fundus-triage model.safetensors --labels diagnosis=healthy,ill --arrays arrays/
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.imaging import network_of
    from maintain.imaging.adopting import key_map
    from maintain_pipelines.adopting import AdoptionOrder, adopt, label_order_of

    label_name, label_order = label_order_of(labels)
    order = AdoptionOrder(
        model=name,
        weights=weights,
        network=network_of(network, network_option or ()),
        head=head,
        label_name=label_name,
        label_order=label_order,
        keys=key_map(strip_prefix, tuple(rename or ())),
        preprocessing=preprocessing,
        arrays=arrays,
        threshold=threshold,
        expect=expect,
        tolerance=tolerance,
        trained_on=trained_on,
        allow_absent=allow_absent,
        recipe=recipe,
    )
    with open_context(context.obj) as ports, grace():
        done = adopt(order, ports)
    console.answer(codec.encode(done), _lines(done), schema="model-adopt", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _lines(done: Adopted) -> list[str]:
    compared = done.compared
    if compared is None:
        said = "Its outputs were compared with nothing."
    else:
        said = f"Outputs: {compared.cases} cases compared, the worst probability off by {compared.worst:.1e}"
        said += f" (tolerance {compared.tolerance:g})"
        said += f"; {compared.without_case} rows are of no case here." if compared.without_case else "."
    return [
        f"{done.version.model} version {done.version.version} is adopted and serves (alias champion).",
        said,
        f"Manifest {done.status}: {done.learned} cases learned, {done.selected_with} selected with,"
        f" {done.held_out} held out. Recipe: {'given' if done.recipe else 'none'}.",
        f"Weights {done.version.weights}, ledger entry {done.entry}.",
    ]
