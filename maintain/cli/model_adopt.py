"""`maintain model adopt`: the model that a hospital already serves becomes a first champion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import console
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson, Place
from maintain.vocabulary import Head

if TYPE_CHECKING:
    from maintain_pipelines.adopting import Adopted, AdoptionOrder

#: How far outputs may lie from production's, as `maintain_pipelines.adopting` says; a test compares the two.
DEFAULT_TOLERANCE = 1e-3

Name = Annotated[str, typer.Argument(metavar="NAME", help="The model: a new lineage.")]
Weights = Annotated[
    Path, typer.Argument(metavar="WEIGHTS", help="A state_dict of torch, or a .safetensors file.", readable=False)
]
Labels = Annotated[
    str, typer.Option("--labels", "-l", metavar="LABEL=A,B,...", help="The label, in the order of the outputs.")
]
NetworkName = Annotated[str, typer.Option("--network", help="A network of the catalogue.")]
NetworkOption = Annotated[
    list[str] | None,
    typer.Option("--network-option", metavar="NAME=VALUE", help="An option of the network; may be said again."),
]
StripPrefix = Annotated[
    str, typer.Option("--strip-prefix", metavar="PREFIX", help="Take this off every name that has it.")
]
Rename = Annotated[
    list[str] | None,
    typer.Option("--rename", metavar="OLD=NEW", help="Call a part of the network so; may be said again."),
]
Preprocessing = Annotated[
    Path | None,
    typer.Option("--preprocessing", metavar="FILE", help="A YAML list of MONAI transforms.", readable=False),
]
Arrays = Annotated[
    Path | None,
    typer.Option("--arrays", metavar="DIR", help="Preprocessed arrays, SOPInstanceUID.npy.", readable=False),
]
HeadWord = Annotated[Head, typer.Option("--head", help="How outputs are read.")]
Threshold = Annotated[float | None, typer.Option("--threshold", help="The deployed threshold; only 0.5 of two labels.")]
Expect = Annotated[
    Path | None, typer.Option("--expect", metavar="FILE", help="What production answered: a CSV.", readable=False)
]
Tolerance = Annotated[float, typer.Option("--tolerance", help="How far a probability may lie from it.")]
TrainedOn = Annotated[
    Path | None, typer.Option("--trained-on", metavar="FILE", help="Cases and their roles: a CSV.", readable=False)
]
AllowAbsent = Annotated[
    bool, typer.Option("--allow-absent", help="Adopt though cases of --trained-on are not in the cohort.")
]
RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", metavar="FILE", help="By what `retrain` trains it: YAML.", readable=False)
]


def add_to(app: typer.Typer) -> None:
    """Add the command to `maintain model`."""
    app.command(name="adopt")(adopt)


def adopt(
    context: typer.Context,
    name: Name,
    weights: Weights,
    labels: Labels,
    network: NetworkName = "small-bn",
    network_option: NetworkOption = None,
    strip_prefix: StripPrefix = "",
    rename: Rename = None,
    preprocessing: Preprocessing = None,
    arrays: Arrays = None,
    head: HeadWord = Head.SOFTMAX,
    threshold: Threshold = None,
    expect: Expect = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    trained_on: TrainedOn = None,
    allow_absent: AllowAbsent = False,
    recipe: RecipeFile = None,
    as_json: AsJson = False,
) -> None:
    """Adopt a model that was trained elsewhere as the first champion of a lineage.

    With --expect its outputs are compared with production's, and it is refused where they differ;
    without it nothing shows that this is the model that serves. With --trained-on its manifest is
    declared; without it nothing can be unlearned. With --recipe it can be retrained. docs/adopt.md
    shows every file.

    \b
    Examples:
      maintain model adopt fundus-triage model.pt --labels diagnosis=healthy,mild,severe \\
        --preprocessing preprocessing.yaml --expect outputs.csv --trained-on members.csv --recipe recipe.yaml
      maintain model adopt fundus-triage model.safetensors --labels diagnosis=healthy,ill --arrays arrays/
    """
    from maintain.imaging import network_of
    from maintain.imaging.adopting import key_map
    from maintain_pipelines.adopting import AdoptionOrder, label_order_of

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
    _carry_out(order, context.obj, as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _carry_out(order: AdoptionOrder, place: Place, *, as_json: bool) -> None:
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.adopting import adopt

    with open_context(place) as ports, grace():
        done = adopt(order, ports)
    console.answer(codec.encode(done), _lines(done), schema="model-adopt", as_json=as_json)


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
