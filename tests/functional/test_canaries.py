"""Identifiers planted in headers, file names, folder names and tables appear nowhere that is kept or said.

The whole path is walked once on a hospital whose every file names a patient who does not exist; then every
byte of the workspace and every word on stdout and stderr is searched, in plain and in encoded forms.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import typer
from pydicom import dcmread

from functional.conftest import EPOCHS, POLICY
from helpers.commands import say
from helpers.workspaces import new_workspace
from maintain.cli.app import app
from maintain.clock import SystemClock
from maintain.settings import MLFLOW
from maintain.unlearn.retrain import Retrain
from maintain_pipelines.demo import demo_key

#: What every header says; each value is looked for.
HEADER = {
    "PatientName": "CANARYNAME^Zoë",
    "IssuerOfPatientID": "CANARYISSUER of Jane",
    "PatientBirthDate": "19370214",
    "AccessionNumber": "CANARYACC77",
    "InstitutionName": "CANARYHOSPITAL",
    "InstitutionAddress": "CANARYSTREET 5",
    "StationName": "CANARYSTATION",
    "DeviceSerialNumber": "CANARYSERIAL",
    "OperatorsName": "CANARYOPERATOR^Ann",
    "ReferringPhysicianName": "CANARYDOCTOR^Max",
    "StudyID": "CANARYSTUDY",
    "StudyDescription": "CANARYVISIT of Jane",
    "SeriesDescription": "CANARYSERIES",
    "ImageComments": "CANARYCOMMENT looks well",
    "PatientComments": "CANARYREMARK",
    "OtherPatientNames": "CANARYALIAS",
    "PatientTelephoneNumbers": "CANARY555123",
}

#: What stands before each PatientID, in a private element, in names of folders and files, in tables.
PATIENT, PRIVATE, SOURCE, FOLDER, FILE = "CANARYPID", "CANARYPRIVATE", "CANARYSOURCE", "CANARYFOLDER", "CANARYFILE"
NOTE, STRANGER, TABLE = "CANARYNOTE", "CANARYSTRANGER", "CANARYTABLE"

PLANTED = (*HEADER.values(), PATIENT, PRIVATE, SOURCE, FOLDER, FILE, NOTE, STRANGER, TABLE, "1937-02-14")

#: A policy that is judged by references.
GROUP = """\
version: 1
name: scanner-withdrawn
owner: imaging-ai@hospital.example
reason: device-deprecated
claim: group
model: {name: fundus-triage}
forget:
  where: {device.model: Retivue NM-45}
limits: {max_percent: 100}
unlearn: {methods: [retrain], seed: 11}
gates: [default]
"""

#: Commands that this walk does not say, each with its reason.
ELSEWHERE = {
    "maintain bench verifier": "it draws its own problem",
    "maintain cohort sample": "it draws a hospital in which nobody exists",
    "maintain demo": "it draws its own hospital; test_demo searches its workspace",
    "maintain init": "it has met no data yet",
    "maintain model adopt": "test_adopt searches for the identifiers of its tables",
    "maintain policy new": "it reads no data",
    "maintain policy schema": "it reads nothing",
    "maintain policy test": "its cohorts are written by hand",
}


def forms(text: str) -> Iterator[bytes]:
    """A text as it might hide: plain, in UTF-16, hexadecimal, percent-encoded, in base64 at any offset."""
    for raw in {text.encode(), text.encode("latin-1"), text.encode("utf-16-le")}:
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield quote(raw).encode()
        for offset, shared in enumerate((0, 2, 3)):  # letters at either end that hold bits of the neighbours
            coded = base64.b64encode(b"\0" * offset + raw).rstrip(b"=")
            yield coded[shared : -1 if (offset + len(raw)) % 3 else None]


NEEDLES = tuple({form: canary for canary in PLANTED for form in forms(canary)}.items())


def found_in(data: bytes) -> set[str]:
    low = data.lower()
    return {canary for form, canary in NEEDLES if form in data or form.lower() in low}


def test_the_search_finds_what_hides() -> None:
    for hidden in (
        b"x CANARYNAME^Zo\xc3\xab y",
        b"canaryserial",
        base64.b64encode(b"ab CANARYOPERATOR^Ann cd"),
        base64.b64encode(b"abc CANARYOPERATOR^Ann cd"),
        base64.b64encode(b"abcd CANARYOPERATOR^Ann cd"),
        b"CANARYDOCTOR%5EMax",
        "CANARYSTATION".encode("utf-16-le"),
        b"19370214",
        b"CANARYSTATION".hex().encode(),
    ):
        assert found_in(hidden), hidden
    assert found_in(b"nothing of the kind") == set()


def test_the_search_is_not_fooled_by_a_few_letters() -> None:
    assert min(len(form) for form, _ in NEEDLES) >= 8


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, hospital: Path) -> Path:
    """The hospital with a canary in every header and every name."""
    root = tmp_path_factory.mktemp("planted") / f"{SOURCE}^Jane"
    for number, path in enumerate(sorted((hospital / "dicom").rglob("*.dcm"))):
        place = root / f"{FOLDER} Jane Doe" / "1937-02-14" / f"{number % 7}" / f"{FILE}-{number}.dcm"
        place.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = dcmread(path)
            header.PatientID = f"{PATIENT}-{header.PatientID}"
            header.SpecificCharacterSet = "ISO_IR 192"
            for keyword, value in HEADER.items():
                setattr(header, keyword, value)
            header.private_block(0x0019, "CANARYMAKER", create=True).add_new(1, "LO", PRIVATE)
            header.save_as(place)
    whole = place.read_bytes()
    (root / f"{FILE}-cut.dcm").write_bytes(whole[: len(whole) // 2])
    (root / f"{FILE}-letter.txt").write_text(f"Dear {HEADER['PatientName']}, born 1937-02-14", encoding="utf-8")
    (root / f"{FILE}-lost.dcm").symlink_to(root / f"{FILE}-nowhere")
    return root


def write_mapped(planted: Path, folder: Path) -> None:
    """A table that names patients, days and eyes in columns of its own, its map, and maps that are none."""
    headers = [dcmread(path, stop_before_pixels=True) for path in sorted(planted.rglob(f"{FILE}-*[0-9].dcm"))]
    eyes = Counter((header.PatientID, header.StudyDate, header.ImageLaterality) for header in headers)
    rows = [(*eye, HEADER["PatientName"], "gradable") for eye, images in eyes.items() if images == 1]
    unknown = (STRANGER, "19370214", "R", STRANGER, "gradable")
    torn = (STRANGER, NOTE, NOTE, NOTE, NOTE)
    for name, told in ((f"{TABLE}-mapped.csv", [*rows[:3], unknown]), ("torn-mapped.csv", [torn])):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([(f"MRN {NOTE}", "Visit", "Side", "Called", "Gradable"), *told])
    issuer = HEADER["IssuerOfPatientID"]
    join = f"join: {{patient: MRN {NOTE}, issued_by: {issuer}, date: Visit, eye: Side, date_format: YYYYMMDD}}"
    (folder / f"{TABLE}-map.yaml").write_text(f"{join}\nlabels: {{gradable: Gradable}}\n", encoding="utf-8")
    shutil.copy(folder / f"{TABLE}-mapped.csv", folder / "table.yaml")
    number = HEADER["AccessionNumber"]  # of every study
    for name, order in (("orders.csv", number), (f"{TABLE}-orders.csv", f"{STRANGER}-{number}")):
        text = f"Order {NOTE},Side,Gradable\n{order},R,gradable\n"
        (folder / name).write_text(text, encoding="utf-8")
    join = f"join: {{accession: Order {NOTE}, eye: Side}}"
    (folder / f"{TABLE}-orders.yaml").write_text(f"{join}\nlabels: {{gradable: Gradable}}\n", encoding="utf-8")


def write_tables(planted: Path, hospital: Path, folder: Path) -> None:
    shutil.copy(hospital / "labels.csv", folder / f"{TABLE}-labels.csv")
    with (folder / f"{TABLE}-labels.csv").open("a", encoding="utf-8") as labels:
        columns = len((hospital / "labels.csv").read_text(encoding="utf-8").splitlines()[0].split(","))
        labels.write(",".join([STRANGER, *["x"] * (columns - 1)]) + "\n")
    write_mapped(planted, folder)
    with (hospital / "withdrawals.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    changed = [[f"{PATIENT}-{row[0]}", HEADER["IssuerOfPatientID"], *row[2:], NOTE] for row in rows]
    changed.append([STRANGER, *rows[0][1:], NOTE])
    with (folder / f"{TABLE}-consent.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([[*header, "note"], *changed])


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, planted: Path, hospital: Path) -> tuple[Path, list[str], str]:
    """A workspace after the whole path, what was said on it, and everything it answered."""
    folder = tmp_path_factory.mktemp("walked")
    workspace = folder / "workspace"
    new_workspace(workspace, clock=SystemClock(), pseudonym_key=demo_key(3), registry=MLFLOW)
    write_tables(planted, hospital, folder)
    (workspace / "policies" / "consent.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "wrong.csv").write_text(f"SOPInstanceUID,PatientName\n1.2,{HEADER['PatientName']}\n", encoding="utf-8")
    (folder / "torn.csv").write_text(f"PatientID,status\n{PATIENT}-1,{NOTE}\n", encoding="utf-8")
    said: list[str] = []
    answers: list[str] = []

    def tell(*arguments: object, code: int, again: int | None = None) -> None:
        """Say it twice: for a person, then for a program; `again` where the second answer differs."""
        for extra, expected in (((), code), (("--json",), code if again is None else again)):
            answer = say(*arguments, *extra, workspace=workspace)
            answers.extend((answer.out, answer.err))
            assert answer.code == expected, (arguments, answer.out, answer.err)
        said.append(" ".join(map(str, arguments)))

    policy = workspace / "policies" / "consent.yaml"
    tell("cohort", "ingest", planted, code=0)
    tell("cohort", "ingest", folder / f"{TABLE}-labels.csv", "--kind", "labels", code=0)
    mapped = ("cohort", "ingest", folder / f"{TABLE}-mapped.csv", "--kind", "labels", "--map")
    tell(*mapped, folder / f"{TABLE}-map.yaml", code=0)
    tell(*mapped, folder / "table.yaml", code=2)
    tell(*mapped, folder / f"{TABLE}-mapped.csv", code=2)
    orders = ("--kind", "labels", "--map", folder / f"{TABLE}-orders.yaml")
    tell("cohort", "ingest", folder / f"{TABLE}-orders.csv", *orders, code=0)
    tell("cohort", "ingest", folder / "orders.csv", *orders, code=2)
    tell("cohort", "ingest", folder / "torn-mapped.csv", *mapped[3:], folder / f"{TABLE}-map.yaml", code=2)
    tell("cohort", "split", "fundus-triage", "--train", 6, "--validation", 1, "--holdout", 6, code=0)
    tell("cohort", "snapshot", "first", "--model", "fundus-triage", code=0)
    tell("model", "train", "fundus-triage", "--snapshot", "first", "--epochs", EPOCHS, code=0, again=2)
    tell("cohort", "ingest", folder / f"{TABLE}-consent.csv", "--kind", "consent", code=0)
    tell("cohort", "score", "--kind", "quality", code=0)
    tell("cohort", "score", "--model", "fundus-triage", "--label", "diagnosis", code=0)
    tell("cohort", "score", "--sheet", folder / "sheet.html", code=0, again=2)
    answers.append((folder / "sheet.html").read_text(encoding="utf-8"))
    tell("cohort", "ingest", folder / "wrong.csv", "--kind", "labels", code=2)
    tell("cohort", "ingest", folder / "torn.csv", "--kind", "consent", code=2)
    tell("cohort", "ingest", folder / f"{STRANGER}-missing", code=2)
    tell("policy", "validate", policy, code=0)
    tell("plan", policy, code=0)
    group = workspace / "policies" / "scanner.yaml"
    group.write_text(GROUP, encoding="utf-8")
    tell("reference", "train", group, code=0)
    tell("reference", "list", code=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Retrain, "unlearn", _stumble)
        tell("run", policy, code=4)
        lay_job(workspace)
        tell("jobs", "due", code=0)
        tell("jobs", "run-due", code=4, again=0)
        tell("jobs", "run-due", "--job", "nightly", "--again", "ticket 4711", code=4)
        tell("jobs", "run-due", "--job", "nightly", "--again", f"{PATIENT} {NOTE}\n", code=2)
        (workspace / "policies" / "nightly.yaml").unlink()
    broken = {path.name for path in (workspace / "runs").iterdir()}
    tell("run", policy, code=0, again=6)
    runs = sorted(path.name for path in (workspace / "runs").iterdir())
    for run in runs:
        tell("report", run, code=0)
        tell("runs", "show", run, code=4 if run in broken else 0)
        tell("runs", "cases", run, "--limit", 10_000, code=0)
        tell("runs", "cases", run, "--changed", code=3 if run in broken else 0)
        tell("runs", "abandon", run, code=1)
    case = next(iter((workspace / "runs" / runs[0]).glob("roles-*.jsonl"))).read_text().splitlines()[1]
    identity = case.partition('"case_id":"')[2].partition('"')[0]
    tell("registry", "promote", "fundus-triage", code=0, again=5)
    tell("registry", "rollback", "fundus-triage", "--reason", "ticket 4711", code=1)
    tell("registry", "diff", "fundus-triage", 1, 2, code=0)
    tell("audit", "show", "fundus-triage", 2, code=0)
    tell("audit", "exposure", identity, "--patient", code=0)
    with pytest.MonkeyPatch.context() as patch:
        patient = (hospital / "withdrawals.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
        for named, code in ((f"{PATIENT}-{patient}", 0), (f"{STRANGER}-{patient}", 2)):
            for extra in ((), ("--json",)):
                patch.setattr("sys.stdin", io.StringIO(named + "\n"))
                words = ("audit", "exposure", "--patient", "--issuer", HEADER["IssuerOfPatientID"], *extra)
                answer = say(*words, workspace=workspace)
                answers.extend((answer.out, answer.err))
                assert answer.code == code, (answer.out, answer.err)
    with pytest.MonkeyPatch.context() as patch:
        issuer = HEADER["IssuerOfPatientID"]
        letter = f"{PATIENT}-{patient}\n{STRANGER}-{patient}\n"
        file = ("request", "file", "--reason", "data-subject", "--issuer", issuer)
        for extra in ((), ("--json",)):
            patch.setattr("sys.stdin", io.StringIO(letter))
            answer = say(*file, *extra, workspace=workspace)
            answers.extend((answer.out, answer.err))
            assert answer.code == 0, (answer.out, answer.err)
    tell(*file, f"{STRANGER}-{patient}", code=2)
    letters = folder / f"{TABLE}-letters.csv"
    head = "PatientID,IssuerOfPatientID,reason,request,note"
    letters.write_text(f"{head}\n{PATIENT}-{patient},{issuer},consent,{NOTE},{NOTE}\n", encoding="utf-8")
    tell("request", "file", "--table", letters, code=0)
    torn = folder / "torn-letters.csv"
    torn.write_text(f"{head}\n{PATIENT}-{patient},{issuer},{NOTE},{NOTE},{NOTE}\n", encoding="utf-8")
    tell("request", "file", "--table", torn, code=2)
    tell("request", "list", code=0)
    name = json.loads(say("request", "list", "--json", workspace=workspace).out)["requests"][0]["name"]
    tell("request", "show", name, code=0)
    tell("request", "withdraw", name, code=0, again=5)
    tell("cohort", "show", identity, code=0)
    tell("cohort", "show", "nobody", code=2)
    tell("policy", "explain", identity, "--policy", policy, code=0)
    tell("cohort", "suppress", identity, "--reason", "data-subject", code=0)
    for command in (("cohort", "status"), ("runs", "list"), ("model", "list"), ("registry", "list"), ("doctor",)):
        tell(*command, code=0)
    tell("model", "show", "fundus-triage", code=0)
    tell("registry", "show", "fundus-triage", 2, code=0)
    tell("audit", "verify", code=0)
    tell("doctor", "migrate", code=5)
    retired = ("registry", "retire", "fundus-triage", 1, "--reason", "ticket 4711")
    tell(*retired, code=0, again=5)
    tell(*retired, "--destroy", "--yes", code=0, again=5)
    tell("request", "close", "--ready", code=0)
    left = say("request", "list", "--json", workspace=workspace).document["requests"]
    for one in left:
        tell("request", "close", one["name"], "--yes", code=0, again=5)
    assert left
    tell("doctor", "weights", code=0)
    tell("registry", "suspend", "fundus-triage", "--reason", "ticket 4711", code=0, again=5)
    wishes = folder / f"{TABLE}-wishes.csv"
    head, issuer = "PatientID,IssuerOfPatientID,reason", HEADER["IssuerOfPatientID"]
    rows = [f"{named}-{patient},{issuer},data-subject" for named in (PATIENT, STRANGER)]
    wishes.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    tell("request", "file", "--table", wishes, code=0)
    for request in say("request", "list", "--all", "--json", workspace=workspace).document["requests"]:
        tell("request", "reply", request["name"], code=0)
        page = folder / f"{request['name']}.html"
        tell("request", "reply", request["name"], "--format", "html", "--output", page, code=0, again=2)
        answers.append(page.read_text(encoding="utf-8"))
    return workspace, said, "\n".join(answers)


def lay_job(workspace: Path) -> None:
    """The policy once more under another name, due since yesterday."""
    path = workspace / "policies" / "nightly.yaml"
    schedule = 'schedule: {cron: "@daily", zone: Europe/Vienna}\n'
    path.write_text(POLICY.replace("consent-withdrawal", "nightly") + schedule, encoding="utf-8")
    laid = time.time() - 2 * 86_400
    os.utime(path, (laid, laid))


def _stumble(method: Retrain, request: object) -> None:
    patient = HEADER["PatientName"]
    raise RuntimeError(f"could not read {FILE}-1.dcm of {patient}, {PATIENT}-1")


def test_no_canary_is_kept_in_the_workspace(walked: tuple[Path, list[str], str]) -> None:
    workspace, _, _ = walked
    files = [path for path in workspace.rglob("*") if path.is_file()]
    assert len(files) > 700
    assert {path.relative_to(workspace): found for path in files if (found := found_in(path.read_bytes()))} == {}
    assert found_in("\n".join(str(path.relative_to(workspace)) for path in files).encode()) == set()


def test_no_canary_is_said(walked: tuple[Path, list[str], str]) -> None:
    _, _, answers = walked
    assert len(answers) > 10_000
    assert found_in(answers.encode()) == set()


def test_no_uid_of_the_files_is_kept(walked: tuple[Path, list[str], str], planted: Path) -> None:
    workspace, _, answers = walked
    header = dcmread(next(planted.rglob("*.dcm")), stop_before_pixels=True)
    uids = [str(header[f"{level}InstanceUID"].value).encode() for level in ("Study", "Series", "SOP")]
    kept = [answers.encode(), *(path.read_bytes() for path in workspace.rglob("*") if path.is_file())]
    assert not [uid for uid in uids if any(uid in data for data in kept)]


def test_the_walk_says_every_command(walked: tuple[Path, list[str], str]) -> None:
    _, said, _ = walked

    def leaves(path: str, command: object) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if below is None or getattr(command, "invoke_without_command", False):
            yield path
        for name, inner in (below or {}).items():
            yield from leaves(f"{path} {name}", inner)

    known = set(leaves("maintain", typer.main.get_command(app)))
    unsaid = {command for command in known if not any(f"maintain {line} ".startswith(f"{command} ") for line in said)}
    assert unsaid == set(ELSEWHERE)
