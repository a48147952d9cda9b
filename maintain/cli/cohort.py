"""`maintain cohort`: read cases in, look at them, split, freeze and bar them; or draw some to practise on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maintain.cli import cohort_score, console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson, Place
from maintain.cli.places import filling
from maintain.vocabulary import Reason

if TYPE_CHECKING:
    from maintain.cohort import LabelVersion
    from maintain_pipelines.ingest import IngestReport

app = typer.Typer()
cohort_score.add_to(app)


class SourceKind(StrEnum):
    """What `cohort ingest` can read."""

    DICOM = "dicom"
    LABELS = "labels"
    CONSENT = "consent"


@app.command()
def ingest(
    context: typer.Context,
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="Folders of DICOM, or CSV files.", readable=False)
    ],
    kind: Annotated[SourceKind, typer.Option("--kind", "-k", help="What the sources are.")] = SourceKind.DICOM,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Which columns of the labels mean what: YAML.", readable=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read sources into the cohort. Saying it again reads only what is new.

    A table of labels names images by SOPInstanceUID, or has a map that says which of its columns do, or which say
    the accession number, or patient, date and eye. A row that could mean several images is refused with its line.

    \b
    Examples:
      maintain cohort ingest /data/fundus --kind dicom
      maintain cohort ingest labels.csv --kind labels
      maintain cohort ingest findings.csv --kind labels --map labels.yaml
      maintain cohort ingest withdrawals.csv --kind consent
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.ingest import ingest_source

    place: Place = context.obj
    with open_context(place) as ports:
        reports = [ingest_source(kind.value, source, ports, mapping=mapping) for source in sources]
    lines = [line for report in reports for line in report.lines()]
    if kind is SourceKind.LABELS and (unknown := sum(report.count("unknown") for report in reports)):
        console.say(
            f"{unknown} labels are of images that are not in the cohort, and were not kept: read the images first."
        )
    if mapping is not None:
        _tell_mismatches(reports)
    console.answer(
        {"reports": [report.document() for report in reports]}, lines, schema="cohort-ingest", as_json=as_json
    )


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    patients: Annotated[int, typer.Option(min=60, help="Patients to draw; about four images each.")] = 1300,
    difficulty: Annotated[float, typer.Option(min=0, max=2, help="How faint what is to be seen is.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Draw a synthetic eye hospital to practise on; needs no workspace.

    Fundus images as DICOM, labels, and the letters of patients who withdraw consent. Nobody in it exists.

    \b
    Example:
      maintain cohort sample practice
    """
    from maintain.hospital import HospitalOptions, build_hospital

    options = HospitalOptions(patients=patients, difficulty=difficulty, seed=seed)
    with filling(folder):
        made = build_hospital(folder, options, progress=lambda done, total: console.progress("drawing", done, total))
    lines = [
        f"{made.images} images of {made.patients} patients who do not exist, in {folder}:",
        *console.table(
            ("what", "read it in with"),
            [
                (made.dicom.relative_to(folder), "maintain cohort ingest ... --kind dicom"),
                (made.labels.relative_to(folder), "maintain cohort ingest ... --kind labels"),
                (made.anatomy.relative_to(folder), "maintain cohort ingest ... --kind labels"),
                (made.withdrawals.relative_to(folder), "maintain cohort ingest ... --kind consent"),
            ],
        ),
    ]
    document = {"folder": str(folder), "images": made.images, "patients": made.patients}
    console.answer(document, lines, schema="cohort-sample", as_json=as_json)


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """How many cases there are, by device, site, label and consent.

    \b
    Example:
      maintain cohort status
    """
    from maintain.cli.composition import open_context
    from maintain.cohort import CohortStore

    with open_context(context.obj) as ports, ports.database.read() as unit:
        found = CohortStore(unit).status()
    from maintain import codec

    lines = [
        f"{found.images} images of {found.patients} patients in {found.studies} studies"
        + (f", {found.first_date} to {found.last_date}" if found.first_date else ""),
    ]
    for title, counts in (
        ("device", found.by_device),
        ("site: device", found.by_site),
        ("label", found.by_label),
        ("consent", found.by_consent),
        ("eye", found.by_eye),
        ("rejected", found.rejected),
    ):
        if counts:
            lines += ["", *console.table((title, "count"), [(count.name, count.count) for count in counts])]
    console.answer(codec.encode(found), lines, schema="cohort-status", as_json=as_json)


@app.command()
def show(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="The keyed identifier of a case.")],
    as_json: AsJson = False,
) -> None:
    """One case: device, consent, labels, scores, and every answer ever recorded with who, when and which table.

    \b
    Example:
      maintain cohort show 3f1c…
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain.cohort import CohortStore

    with open_context(context.obj) as ports, ports.database.read() as unit:
        store = CohortStore(unit)
        found, history = store.case(case), store.label_history(case)
    lines = [
        f"case      {found.case_id}",
        f"patient   {found.patient}",
        f"study     {found.study} on {found.study_date}",
    ]
    lines += [f"device    {found.device.manufacturer} {found.device.model}", f"eye       {found.eye or '-'}"]
    lines += [f"patient   {found.sex or '-'}, {found.age if found.age is not None else '-'} years"]
    lines += [f"consent   {found.consent}", f"pixels    {found.pixels}"]
    lines += [f"label     {label.name} = {label.value} (version {label.version})" for label in found.labels]
    lines += [_told(version) for version in history]
    lines += [
        f"score     {score.name} = {score.value:.3f} by {score.method} (version {score.version})"
        for score in found.scores
    ]
    document = {**codec.encode(found), "history": codec.encode(history)}
    console.answer(document, lines, schema="cohort-show", as_json=as_json)


@app.command()
def split(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model lineage.")],
    train: Annotated[int, typer.Option(min=1, help="Share of patients to train on.")] = 60,
    validation: Annotated[int, typer.Option(min=1, help="Share of patients to select with.")] = 10,
    holdout: Annotated[int, typer.Option(min=1, help="Share of patients held out.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Decide, once per model lineage, which patients are trained on and which are held out.

    Patients who have a place keep it; new ones are drawn by the same shares and seed. Exits 5 when
    the cohort is empty.

    \b
    Example:
      maintain cohort split fundus-triage --train 60 --validation 10 --holdout 30
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.freeze import split_lineage

    with open_context(context.obj) as ports:
        found = split_lineage(model, (train, validation, holdout), seed, ports)
    lines = console.table(("split", "patients", "new"), [(row.split, row.patients, row.new) for row in found.rows])
    console.answer(codec.encode(found), lines, schema="cohort-split", as_json=as_json)
    if not any(row.patients for row in found.rows):
        console.say("The cohort is empty: read images in with `maintain cohort ingest FOLDER`, then say this again.")
        raise typer.Exit(ExitCode.NOTHING_TO_DO)


@app.command()
def snapshot(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name for the snapshot.")],
    model: Annotated[str, typer.Option("--model", "-m", help="The lineage whose split it follows.")],
    label: Annotated[str, typer.Option("--label", "-l", help="The label to learn.")] = "diagnosis",
    where: Annotated[str | None, typer.Option("--where", help="Only these: FIELD=VALUE, or {YAML}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Freeze the usable cases into an immutable, digested list.

    \b
    Examples:
      maintain cohort snapshot first --model fundus-triage --label diagnosis
      maintain cohort snapshot adults --model fundus-triage --where '{patient.age: {ge: 18}}'
    """
    from maintain.cli.composition import open_context
    from maintain_pipelines.freeze import freeze_snapshot
    from maintain_policies import parse_where

    predicate = parse_where(where, source="--where") if where else None
    with open_context(context.obj) as ports:
        frozen, digest = freeze_snapshot(name, model, label, predicate, ports)
    from maintain.vocabulary import Split

    counts = [(s.value, len(frozen.of(s)), len({m.patient for m in frozen.of(s)})) for s in Split]
    lines = [f"Snapshot {name}: {len(frozen.members)} cases, digest {digest}", ""]
    lines += console.table(("split", "images", "patients"), counts)
    document = {"name": name, "digest": digest, "model": model, "label": label, "cases": len(frozen.members)}
    document["splits"] = {s: {"images": images, "patients": patients} for s, images, patients in counts}
    console.answer(document, lines, schema="cohort-snapshot", as_json=as_json)


@app.command()
def suppress(
    context: typer.Context,
    reason: Annotated[Reason, typer.Option("--reason", "-r", help="Why; decides how far it reaches.")],
    cases: Annotated[list[str] | None, typer.Argument(metavar="CASE", help="Keyed identifiers of cases.")] = None,
    where: Annotated[str | None, typer.Option("--where", help="Those that match: FIELD=VALUE, or {YAML}.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The lineage, for reasons that concern one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bar cases from later snapshots and plans. Saying it again changes nothing.

    consent and data-subject hold everywhere, for every exact copy, and at intake. wrong-label bars
    the recorded answer until it is corrected. Other reasons bar the cases in one model lineage.
    Nothing that was learned is unlearned by this, and pixels that are stored stay where they are.
    Exits 5 when no case matches.

    \b
    Examples:
      maintain cohort suppress 3f1c… --reason data-subject
      maintain cohort suppress --where 'device.model=Cirrus 800 FA' --reason device-deprecated --model fundus-triage
    """
    from maintain import codec
    from maintain.cli.composition import open_context
    from maintain_pipelines.suppress import suppress_by_hand
    from maintain_policies import parse_where

    predicate = parse_where(where, source="--where") if where else None
    with open_context(context.obj) as ports:
        done = suppress_by_hand(tuple(cases or ()), predicate, reason=reason, model=model, context=ports)
    scope = f"in the lineage of {done.model}" if done.model else "everywhere"
    lines = [
        f"{done.newly_suppressed} newly suppressed for {done.reason}, {scope}.",
        f"Asked for: images {done.cases}, exact copies of them {done.copies}, patients {done.patients}.",
    ]
    console.answer(codec.encode(done), lines, schema="cohort-suppress", as_json=as_json)


# --- private ---------------------------------------------------------------------------------------


def _tell_mismatches(reports: Sequence[IngestReport]) -> None:
    """Say of each table what was not kept. Images without a row are counted a table, and never added up."""
    for report in reports:
        strangers = report.count("rows-without-image")
        if strangers and not any(report.count(name) for name in ("new", "changed", "unchanged")):
            console.say("No row found its image: are the images read in, and does the map say who issues the numbers?")
        elif strangers:
            console.say(f"{strangers} rows match no image, and were not kept.")


def _told(version: LabelVersion) -> str:
    answer = f"history   {version.name} = {version.value} (version {version.version}), recorded {version.recorded}"
    if version.ingest is None:
        return f"{answer}; nobody wrote down who read it"
    return f"{answer} by {version.actor or 'nobody named'} from table {version.contents} (intake {version.ingest})"
