"""Records survive the disk exactly, and nothing that is not a record gets in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maintain import codec
from maintain.errors import DamagedError, RecordError
from maintain.records import Candidate, CaseRef, Decision, LoaderLog, LoaderRow, Origin, Setting, TrainingManifest
from maintain.vocabulary import ManifestStatus, OriginKind, Role

ORIGIN = Origin(OriginKind.INITIALISATION, "a" * 64)
MANIFEST = TrainingManifest(
    model="triage",
    status=ManifestStatus.PROVEN,
    origin=ORIGIN,
    learned=(CaseRef("c1", 1), CaseRef("c2", 2)),
    unlearned=(),
    selected_with=(CaseRef("c3", 1),),
)
LOG = LoaderLog(ORIGIN, "b" * 64, 3, (LoaderRow(Role.RETAIN, "c1", 1, 2), LoaderRow(Role.RETAIN, "c2", 1, 2)))


DECISION = Decision("finetune", True, "as it is", 8)
CANDIDATE = Candidate(
    plan="p" * 64,
    slot=1,
    method="finetune",
    options=(),
    weights="w" * 64,
    spec="s" * 64,
    manifest="m" * 64,
    loader_log="l" * 64,
    parent_weights="c" * 64,
    decisions=(DECISION,),
)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: "{", "is not JSON"),
        (lambda d: "", "is not one of our records"),
        (lambda d: "[]", "is not one of our records"),
        (lambda d: json.dumps({**d, "schema": "maintain.plan"}), "not 'maintain.training-manifest'"),
        (lambda d: json.dumps({**d, "version": 99}), "version 99"),
        (lambda d: json.dumps({**d, "body": {**d["body"], "extra": 1}}), "extra"),
        (lambda d: json.dumps({**d, "body": {k: v for k, v in d["body"].items() if k != "model"}}), "model"),
        (lambda d: json.dumps({**d, "body": {**d["body"], "status": "trusted"}}), "trusted"),
        (lambda d: json.dumps({**d, "body": {**d["body"], "learned": [{"case_id": 1}]}}), "learned"),
        (lambda d: json.dumps({**d, "body": {**d["body"], "model": 3}}), "expected str"),
        (lambda d: json.dumps(d) + "\n" + json.dumps(d), "more than one line"),
    ],
)
def test_what_is_not_a_record_is_refused(change: object, says: str) -> None:
    document = codec.to_document(MANIFEST)
    with pytest.raises(RecordError, match=says):
        codec.from_text(TrainingManifest, change(document))  # type: ignore[operator]  # a lambda of the table


def test_a_candidate_of_the_version_before_says_nothing_of_options_or_tuning() -> None:
    document = codec.to_document(CANDIDATE)
    before = [
        {k: v for k, v in one.items() if k not in ("differing", "tuned")} for one in document["body"]["decisions"]
    ]
    document = {**document, "version": 1, "body": {**document["body"], "decisions": before}}
    assert codec.from_text(Candidate, json.dumps(document)) == CANDIDATE
    assert (CANDIDATE.told, DECISION.label) == ("finetune", "")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    digest = codec.write(tmp_path / "manifest.json", MANIFEST)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace("c1", "c9"))
    with pytest.raises(DamagedError, match="has changed"):
        codec.read(path, TrainingManifest, expected=digest)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"^gone\.json cannot be read"):
        codec.read(tmp_path / "gone.json", TrainingManifest)


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    digest = codec.write(tmp_path / "manifest.json", MANIFEST)
    assert codec.read(tmp_path / "manifest.json", TrainingManifest, expected=digest) == MANIFEST
    assert digest == codec.digest_of(MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_table_is_written_a_row_a_line(tmp_path: Path) -> None:
    codec.write(tmp_path / "log.jsonl", LOG)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 1 + len(LOG.rows)
    assert codec.read(tmp_path / "log.jsonl", LoaderLog) == LOG


@given(value=st.one_of(st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False, allow_infinity=False)))
def test_settings_keep_their_type(value: bool | int | str | float) -> None:
    encoded = json.loads(json.dumps(codec.encode(Setting("option", value))))
    decoded = codec.decode(Setting, encoded)
    assert decoded == Setting("option", value)
    assert type(decoded.value) is type(value)


def test_a_number_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        codec.digest_of(LoaderLog(Origin(OriginKind.INITIALISATION, float("nan")), "", 1, ()))  # type: ignore[arg-type]


def test_a_new_file_is_its_owners_and_is_never_written_over(tmp_path: Path) -> None:
    codec.write_new(tmp_path / "a", b"first")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        codec.write_new(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
