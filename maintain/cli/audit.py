"""`maintain audit`: whether the trail is whole, what it says of a version, and who was learned from."""

from __future__ import annotations

from typing import Annotated

import typer

from maintain.cli import console
from maintain.cli.exit_codes import ExitCode
from maintain.cli.options import AsJson
from maintain.errors import InputError

app = typer.Typer()


@app.command()
def verify(
    context: typer.Context,
    require_anchor: Annotated[
        bool, typer.Option("--require-anchor", help="Exit 3 when there is no head file to compare with.")
    ] = False,
    registry: Annotated[
        bool, typer.Option("--registry", help="Compare every version, file, tag and alias of the registry with it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute the ledger: every hash, every signature, and its head file.

    Names the first entry that disagrees and exits 1. With --registry it then asks the registry for everything
    that lies there, names what the ledger does not explain and what is no longer there, one line each with the
    entry that says otherwise and what to do, and exits 1; 6 when the registry's server is away. Nothing is mended.

    \b
    Examples:
      maintain audit verify
      maintain audit verify --registry --json
    """
    from maintain import codec
    from maintain.cli.audit_ledger import compare_with_registry, verify_ledger
    from maintain.cli.audit_pages import comparison_lines

    report = verify_ledger(context.obj)
    lines = [
        f"The chain is whole: {report.entries} entries, {report.signed} of them signed.",
        "Anchored: every entry agrees with the head file."
        if report.anchored
        else "Unanchored: there is no head file, so a ledger that was rewritten as a whole would not show.",
    ]
    lines += [f"Note: {warning}" for warning in report.warnings]
    document = codec.encode(report)
    compared = compare_with_registry(context.obj) if registry else None
    if compared is not None:
        document["registry"] = codec.encode(compared)
        lines += comparison_lines(compared)
    console.answer(document, lines, schema="audit-verify", as_json=as_json)
    if compared is not None and compared.disagreements:
        raise typer.Exit(ExitCode.REFUSED)
    if require_anchor and not report.anchored:
        raise typer.Exit(ExitCode.NOT_EVALUATED)


@app.command()
def show(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model.")],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Its number.")],
    as_json: AsJson = False,
) -> None:
    """One registered version on one page: who, what, why, the gates, what it began from, every entry about it.

    Its files are read against their digests and the signatures of its entries are checked.

    \b
    Example:
      maintain audit show fundus-triage 2
    """
    from maintain.cli.audit_pages import page_document, page_lines
    from maintain.cli.composition import open_context
    from maintain_pipelines.biography import tell
    from maintain_pipelines.promote import require_model

    with open_context(context.obj) as ports:
        require_model(model, ports)
        told = tell(model, version, ports)
    console.answer(page_document(told), page_lines(told), schema="audit-show", as_json=as_json)


@app.command()
def exposure(
    context: typer.Context,
    case: Annotated[str | None, typer.Argument(metavar="CASE", help="The keyed identifier of a case.")] = None,
    patient: Annotated[
        bool,
        typer.Option(
            "--patient", help="Everything of the patient of CASE; without CASE the PatientID is read from stdin."
        ),
    ] = False,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="TEXT", help="With a PatientID: who issued it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which versions were made with a case or a patient: yes, no, or unknown, for every version.

    Asked of each version's training manifest, of those of the versions whose weights it began from, and of
    exact copies. A PatientID is read from stdin, hidden at a terminal, never taken as an argument, and never
    kept. Exits 3 when the answer of any version is unknown.

    \b
    Examples:
      maintain audit exposure 3f1c…
      maintain audit exposure 3f1c… --patient --json
      maintain audit exposure --patient --issuer SYNTHETIC-HOSPITAL < patient.txt
    """
    from maintain import codec
    from maintain.cli.audit_pages import exposure_lines
    from maintain.cli.composition import open_context
    from maintain.vocabulary import Exposed
    from maintain_pipelines import exposure as asking

    if case is None and not patient:
        raise InputError(
            "Nobody said whose exposure.", remedy="Name a case, or say `--patient` and give the PatientID."
        )
    if issuer is not None and (case is not None or not patient):
        raise InputError("`--issuer` belongs to a PatientID.", remedy="Say it with `--patient` and without a case.")
    identifier = _read_identifier() if case is None else ""
    with open_context(context.obj) as ports:
        if case is None:
            sought = asking.patient_sought(identifier, issuer, ports)
        elif patient:
            sought = asking.patient_of_case_sought(case, ports)
        else:
            sought = asking.case_sought(case, ports)
        found = asking.exposures(sought, ports)
        asking.require_known(sought, found, ports)
    document = {"cases": len(sought.cases), "copies": len(sought.copies), "versions": [codec.encode(x) for x in found]}
    console.answer(document, exposure_lines(sought, found), schema="audit-exposure", as_json=as_json)
    if any(item.answer is Exposed.UNKNOWN for item in found):
        raise typer.Exit(ExitCode.NOT_EVALUATED)


# --- private ---------------------------------------------------------------------------------------


def _read_identifier() -> str:
    """A PatientID from stdin; at a terminal it is asked for and not shown. Raises `InputError` for several."""
    from maintain.cli.request_reading import identifiers

    named = identifiers(None)
    if len(named) > 1:
        raise InputError("Several people were named.", remedy="Ask of one PatientID at a time.")
    return "".join(named)
