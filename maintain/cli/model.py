"""`maintain model`: train or adopt the first version of a lineage, and list what serves."""

from __future__ import annotations

from typing import Annotated

import typer

from maintain.cli import console, model_adopt
from maintain.cli.interruption import grace
from maintain.cli.options import AsJson

app = typer.Typer()


@app.command()
def train(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model: a new lineage.")],
    snapshot: Annotated[str, typer.Option("--snapshot", "-s", help="The snapshot to learn from.")],
    network: Annotated[str, typer.Option(help="A network of the catalogue.")] = "small-bn",
    network_option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the network; may be said again.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training cases.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and order.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Train the first champion of a lineage on a snapshot.

    An interrupted training goes on from its last epoch when the same command is said again.

    \b
    Example:
      maintain model train fundus-triage --snapshot first
      maintain model train fundus-triage --snapshot first --network all-cnn --network-option width=half
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.imaging import network_of
    from maintain_pipelines.train import TrainingOrder, train_first

    order = TrainingOrder(name, snapshot, network_of(network, network_option or ()), epochs, seed)
    with open_context(context.obj) as ports, grace():
        done = train_first(order, ports)
    accuracy = "-" if done.validation_accuracy is None else f"{done.validation_accuracy:.3f}"
    lines = [
        f"{name} version {done.version.version} is trained and serves (alias champion).",
        f"Learned from {done.learned} cases (accuracy {done.training_accuracy:.3f});"
        f" {accuracy} on {done.validation_cases} validation cases.",
        f"Weights {done.version.weights}, ledger entry {done.entry}.",
    ]
    console.answer(codec.encode(done), lines, schema="model-train", as_json=as_json)


model_adopt.add_to(app)


@app.command(name="list")
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """Every model with its champion and its versions.

    \b
    Example:
      maintain model list
    """
    from maintain.cli.composition import open_context
    from maintain.vocabulary import Alias
    from maintain_registry import registered

    rows = []
    with open_context(context.obj) as ports, ports.database.read() as unit:
        for name in ports.store.models():
            numbers = registered(unit, name)
            rows.append((name, ports.store.alias(name, Alias.CHAMPION), len(numbers)))
    document = {"models": [{"model": name, "champion": champion, "versions": count} for name, champion, count in rows]}
    console.answer(
        document, console.table(("model", "champion", "versions"), rows), schema="model-list", as_json=as_json
    )


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    as_json: AsJson = False,
) -> None:
    """The champion of a model: network, labels, recipe, and what it learned from.

    \b
    Example:
      maintain model show fundus-triage
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.champions import load_champion

    with open_context(context.obj) as ports:
        champion = load_champion(ports, name)
    spec, manifest = champion.spec, champion.manifest
    options = "".join(f", {option.name} {option.value}" for option in spec.network.options)
    lines = [
        f"{name} version {champion.version.version} (champion), made by {champion.version.method}",
        f"network      {spec.network.name}{options}, input {'x'.join(map(str, spec.input_shape))}, head {spec.head}",
        f"labels       {spec.label_name}: {', '.join(spec.label_order)}",
        f"manifest     {manifest.status}: {len(manifest.learned)} learned,"
        f" {len(manifest.unlearned)} unlearned, {len(manifest.selected_with)} selected with",
        f"origin       {manifest.origin.kind} {manifest.origin.weights}",
        f"weights      {champion.version.weights}",
    ]
    if spec.recipe:
        recipe = spec.recipe
        lines.append(
            f"recipe       {recipe.optimiser}, {recipe.epochs} epochs of batches of {recipe.batch_size},"
            f" seed {recipe.seed}"
        )
    document = {
        "version": codec.encode(champion.version),
        "spec": codec.encode(spec),
        "manifest": {
            "status": manifest.status.value,
            "learned": len(manifest.learned),
            "unlearned": len(manifest.unlearned),
            "selected_with": len(manifest.selected_with),
            "origin": codec.encode(manifest.origin),
        },
    }
    console.answer(document, lines, schema="model-show", as_json=as_json)
