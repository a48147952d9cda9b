"""Runs that are held, given up, resumed elsewhere, damaged, or meet a full disk: each leaves a way on."""

from __future__ import annotations

import errno
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpers import pretend
from helpers.commands import Said, say
from maintain import codec
from maintain.database import Database, open_database
from maintain.records import Candidate, RoleTable, Verdict
from maintain.unlearn.options import METHODS
from maintain.vocabulary import Role
from maintain_pipelines import claims, journal, run
from maintain_registry import Ledger


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory, trained: Path, hospital: Path) -> Path:
    """A workspace in which the letters have arrived and nothing was run yet. Copy it."""
    workspace = Path(shutil.copytree(trained, tmp_path_factory.mktemp("lettered") / "workspace"))
    assert say("cohort", "ingest", hospital / "withdrawals.csv", "--kind", "consent", workspace=workspace).code == 0
    return workspace


@pytest.fixture
def waiting(tmp_path: Path, lettered: Path) -> Path:
    """A copy of that workspace."""
    return Path(shutil.copytree(lettered, tmp_path / "workspace"))


def start(workspace: Path) -> Said:
    return say("run", workspace / "policies" / "consent.yaml", workspace=workspace)


def opened(workspace: Path) -> Database:
    return open_database(workspace / "maintain.db")


def only_run(workspace: Path) -> journal.RunRow:
    database = opened(workspace)
    with database.read() as unit:
        (row,) = journal.runs(unit)
    database.close()
    return row


def entries(workspace: Path) -> list[tuple[str, dict[str, Any]]]:
    database = opened(workspace)
    with database.read() as unit:
        found = [(entry.event.value, dict(entry.body)) for entry in Ledger.entries(Ledger.__new__(Ledger), unit)]
    database.close()
    return found


def stop_before(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    """Ctrl-C as a stage begins, in a form that this process survives."""

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, stage, interrupted)


def stopped(workspace: Path, stage: str) -> journal.RunRow:
    with pytest.MonkeyPatch.context() as patch:
        stop_before(patch, stage)
        said = start(workspace)
    row = only_run(workspace)
    assert said.code == 6
    assert f"`maintain run --resume {row.run}` goes on from there" in said.err
    return row


def test_a_second_run_is_told_who_holds_the_model(waiting: Path) -> None:
    database = opened(waiting)
    with claims.hold(database, "fundus-triage", "an-other-run", lease_seconds=60) as claim:
        said = start(waiting)
        assert said.code == 6
        assert f"an-other-run works on fundus-triage: held by {claim.owner} since 20" in said.err
        assert "its lease ends 20" in said.err
    database.close()
    assert not (waiting / "runs").exists() or not list((waiting / "runs").iterdir())


def test_a_first_training_is_told_who_holds_the_model(waiting: Path) -> None:
    assert say("cohort", "split", "second", workspace=waiting).code == 0
    assert say("cohort", "snapshot", "again", "--model", "second", workspace=waiting).code == 0
    database = opened(waiting)
    with claims.hold(database, "second", "model train", lease_seconds=60):
        said = say("model", "train", "second", "--snapshot", "again", workspace=waiting)
    database.close()
    assert said.code == 6
    assert "model train works on second" in said.err


def test_an_unfinished_run_is_resumed_or_abandoned_before_another_begins(waiting: Path) -> None:
    row = stopped(waiting, "verify")
    assert row.state == "unlearned"
    said = start(waiting)
    assert said.code == 6
    assert f"The run {row.run} of fundus-triage was begun" in said.err
    assert f"`maintain run --resume {row.run}` goes on with it" in said.err
    assert f"`maintain runs abandon {row.run}` gives it up" in said.err
    assert only_run(waiting) == row


def test_a_run_under_way_is_not_abandoned(waiting: Path) -> None:
    row = stopped(waiting, "unlearn")
    database = opened(waiting)
    with claims.hold(database, "fundus-triage", row.run, lease_seconds=60):
        for words in (("runs", "abandon", row.run), ("run", "--resume", row.run)):
            said = say(*words, workspace=waiting)
            assert said.code == 6
            assert f"{row.run} works on fundus-triage" in said.err
    database.close()


def test_an_ended_run_is_not_abandoned(ended: Path) -> None:
    row = only_run(ended)
    said = say("runs", "abandon", row.run, workspace=ended)
    assert said.code == 1
    assert "registered cannot become abandoned" in said.err
    assert say("runs", "abandon", "no-such-run", workspace=ended).code == 2


@pytest.mark.parametrize("stage", ["unlearn", "verify", "register"])
def test_a_run_is_given_up_and_another_may_begin(waiting: Path, stage: str) -> None:
    row = stopped(waiting, stage)
    said = say("runs", "abandon", row.run, workspace=waiting)
    assert said.code == 0, said.err
    assert only_run(waiting).state == "abandoned"
    event, body = entries(waiting)[-1]
    assert (event, body["state"], body["run"]) == ("run-ended", "abandoned", row.run)
    assert (waiting / "runs" / row.run / "05-report.html").is_file()
    assert not (waiting / "runs" / row.run / "checkpoints").exists()
    assert say("run", "--resume", row.run, workspace=waiting).code == 1
    assert start(waiting).code == 0
    assert say("audit", "verify", workspace=waiting).code == 0


def test_a_policy_or_a_run_is_named_and_not_both(waiting: Path) -> None:
    policy = waiting / "policies" / "consent.yaml"
    for words in (("run",), ("run", policy, "--resume", "x"), ("run", policy, "--allow-drift")):
        assert say(*words, workspace=waiting).code == 2
    said = say("run", "--resume", "no-such-run", workspace=waiting)
    assert said.code == 2
    assert "There is no run called 'no-such-run'" in said.err


def test_an_ended_run_is_shown_again_and_changes_nothing(ended: Path) -> None:
    before = entries(ended)
    said = say("run", "--resume", only_run(ended).run, workspace=ended)
    assert said.code == 0
    assert "Registered fundus-triage version 2" in said.out
    assert entries(ended) == before


def test_resuming_elsewhere_is_refused_unless_allowed_and_then_recorded(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stopped(waiting, "unlearn")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    said = say("run", "--resume", row.run, workspace=waiting)
    assert said.code == 2
    assert ", now 3)" in said.err
    assert "--allow-drift" in said.err
    assert only_run(waiting).state == "planned"
    assert say("run", "--resume", row.run, "--allow-drift", workspace=waiting).code == 0
    resumed = [body for event, body in entries(waiting) if event == "run-resumed"]
    assert [(body["run"], len(body["drift"])) for body in resumed] == [(row.run, 1)]
    log = [json.loads(line) for line in (waiting / "runs" / row.run / "run.log").read_text().splitlines()]
    assert [line["drift"] for line in log if line.get("event") == "resumed" and "now 3" in line["drift"]]


@pytest.mark.parametrize(
    ("stage", "lost", "harm"),
    [
        ("unlearn", "01-plan.json", "lost"),
        ("unlearn", "01-plan.json", "changed"),
        ("unlearn", "roles-*.jsonl", "lost"),
        ("unlearn", "matches-*.jsonl", "changed"),
        ("verify", "02-candidate.json", "lost"),
        ("verify", "02-candidate.json", "changed"),
        ("verify", "*.safetensors", "lost"),
        ("register", "03-verdict.json", "lost"),
        ("register", "03-verdict.json", "changed"),
        ("register", "loader-log-*.jsonl", "lost"),
    ],
)
def test_a_row_without_its_file_fails_the_run(waiting: Path, stage: str, lost: str, harm: str) -> None:
    row = stopped(waiting, stage)
    (path,) = (waiting / "runs" / row.run).glob(lost)
    if harm == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b'"', b"'", 1))
    said = say("run", "--resume", row.run, workspace=waiting)
    assert said.code in (2, 4), said.err
    assert only_run(waiting).state == "failed"
    assert f"The run {row.run} is failed; its folder stays" in said.err
    assert entries(waiting)[-1][1]["state"] == "failed"
    assert len(say("registry", "list", "--json", workspace=waiting).document["versions"]) == 1


def full(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The disk is full whenever a file is written whose name holds one of these."""
    write = codec.write_bytes

    def refusing(path: Path, data: bytes) -> None:
        if any(name in path.name for name in names):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr(codec, "write_bytes", refusing)


def test_a_full_disk_leaves_a_failed_run_and_a_way_on(waiting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        full(patch, "02-candidate")
        said = start(waiting)
    row = only_run(waiting)
    assert said.code == 2
    assert f"The run {row.run} could not use the files of its workspace (No space left on device)." in said.err
    assert "Mend the cause and say `maintain run POLICY` again." in said.err
    assert str(waiting) not in said.err
    assert row.state == "failed"
    assert (waiting / "runs" / row.run / "05-report.html").is_file()
    assert start(waiting).code == 0


def test_what_stopped_a_run_is_told_even_where_nothing_can_be_recorded(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        full(patch, "02-candidate", "05-report")
        patch.setattr(Ledger, "append", broken)
        patch.setattr(Ledger, "append", _failing_after(1, broken))
        said = start(waiting)
    row = only_run(waiting)
    assert said.code == 2
    assert "(No space left on device)" in said.err
    assert f"`maintain run --resume {row.run}` goes on" in said.err
    assert row.state == "planned"
    assert say("run", "--resume", row.run, workspace=waiting).code == 0


def _failing_after(count: int, broken: Any) -> Any:
    append, done = _APPEND, []

    def wrapped(*arguments: Any) -> Any:
        done.append(1)
        return append(*arguments) if len(done) <= count else broken()

    return wrapped


_APPEND = Ledger.append


def test_a_run_that_cannot_begin_leaves_nothing(waiting: Path) -> None:
    shutil.rmtree(waiting / "runs", ignore_errors=True)
    (waiting / "runs").write_text("a file where the folder should be", encoding="utf-8")
    before = entries(waiting)
    said = start(waiting)
    assert said.code == 2
    assert "It was not begun, and nothing has changed." in said.err
    assert entries(waiting) == before


def test_a_candidate_made_stale_ends_its_run_abandoned(waiting: Path) -> None:
    row = stopped(waiting, "register")
    (path,) = (waiting / "runs" / row.run).glob("roles-*.jsonl")
    kept = codec.read(path, RoleTable).of(Role.RETAIN)[0]
    database = opened(waiting)
    with database.begin() as unit:
        unit.execute(
            text(
                "insert into suppression (case_id, pixels, reason, policy, suppressed)"
                f" values ('{kept.case_id}', '{kept.pixels}', 'data-subject', 'x', '2026-01-01T00:00:00Z')"
            )
        )
    database.close()
    said = say("run", "--resume", row.run, workspace=waiting)
    assert said.code == 1
    assert "were suppressed while it was made" in said.err
    assert only_run(waiting).state == "abandoned"
    assert len(say("registry", "list", "--json", workspace=waiting).document["versions"]) == 1
    assert not (waiting / "registry" / "fundus-triage" / "v0002").exists()


def two_slots(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "pretend", pretend.INFO)
    policy = workspace / "policies" / "consent.yaml"
    policy.write_text(policy.read_text().replace("[retrain]", "[pretend, retrain]"), encoding="utf-8")


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_refused_first_slot_leads_to_a_retrain(
    waiting: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool
) -> None:
    two_slots(waiting, monkeypatch)
    if interrupted:
        count: list[int] = []
        unlearn = vars(run)["unlearn"]

        def second_time(*arguments: Any) -> Any:
            count.append(1)
            if len(count) == 2:
                raise KeyboardInterrupt
            return unlearn(*arguments)

        monkeypatch.setattr(run, "unlearn", second_time)
        assert start(waiting).code == 6
        row = only_run(waiting)
        assert (row.state, row.slot) == ("planned", 2)
        said = say("run", "--resume", row.run, workspace=waiting)
    else:
        said = start(waiting)
    assert said.code == 0, said.out + said.err
    row = only_run(waiting)
    folder = waiting / "runs" / row.run
    first, second = (codec.read(folder / name, Verdict) for name in ("03-verdict.json", "03b-verdict.json"))
    assert [(verdict.slot, verdict.outcome, verdict.look) for verdict in (first, second)] == [
        (1, "fail", 1),
        (2, "pass", 2),
    ]
    made = codec.read(folder / "02b-candidate.json", Candidate)
    assert (made.method, made.slot) == ("retrain", 2)
    counted = Counter(event for event, _ in entries(waiting))
    assert (counted["holdout-looked"], counted["verdict-reached"], counted["version-registered"]) == (2, 2, 1)
    assert "retrain" in (folder / "05-report.html").read_text(encoding="utf-8")
    shown = say("registry", "list", "--json", workspace=waiting).document["versions"][1]
    assert shown["method"] == "retrain"


def test_a_refused_retrain_has_no_second_slot(waiting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maintain.unlearn.retrain import Retrain

    monkeypatch.setattr(Retrain, "unlearn", pretend.Pretend.unlearn)
    said = start(waiting)
    assert said.code == 1
    row = only_run(waiting)
    assert (row.state, row.slot) == ("rejected", 1)
    assert not list((waiting / "runs" / row.run).glob("02b-*"))


def test_where_nobody_learned_the_row_and_the_suppression_are_one_transaction(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise RuntimeError("between the row and the suppression")

    monkeypatch.setattr("maintain_pipelines.work.suppress_only", broken)
    monkeypatch.setattr("maintain_pipelines.select.Selection.nothing_learned", property(lambda _: True))
    before = entries(waiting)
    assert start(waiting).code == 4
    assert entries(waiting) == before
    assert say("runs", "list", "--json", workspace=waiting).document["runs"] == []
