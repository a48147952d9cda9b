"""The examples for schedulers are read by the programs they are for, and agree with the exit codes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from maintain.cli.exit_codes import ExitCode

EXAMPLES = Path(__file__).parents[4] / "pipelines" / "examples"

#: 128 + SIGTERM: a process that the signal ended before it could answer.
TERMINATED = 143


@pytest.fixture(scope="module")
def cronjob() -> dict[str, Any]:
    return next(iter(yaml.safe_load_all((EXAMPLES / "kubernetes" / "jobs.yaml").read_text())))


def test_kubernetes_never_tries_again_where_that_changes_nothing(cronjob: dict[str, Any]) -> None:
    spec = cronjob["spec"]
    assert (cronjob["apiVersion"], cronjob["kind"], spec["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
    job = spec["jobTemplate"]["spec"]
    [codes, disruption] = job["podFailurePolicy"]["rules"]
    final = {ExitCode.REFUSED, ExitCode.BAD_INPUT, ExitCode.NOT_EVALUATED, ExitCode.WAITING, TERMINATED}
    assert (codes["action"], set(codes["onExitCodes"]["values"])) == ("FailJob", final)
    assert (disruption["action"], disruption["onPodConditions"][0]["type"]) == ("FailJob", "DisruptionTarget")
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # a failure policy needs it
    assert codes["onExitCodes"]["containerName"] == pod["containers"][0]["name"]


def test_kubernetes_gives_an_interrupted_epoch_time_to_end(cronjob: dict[str, Any]) -> None:
    assert cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 12


def test_systemd_reads_its_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in (EXAMPLES / "systemd").iterdir():
        text = unit.read_text().replace("/opt/maintain/venv/bin/maintain", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    about = [line for line in done.stderr.splitlines() if "maintain-jobs" in line]
    assert about == []


def test_the_crontab_has_one_line_that_cron_can_read() -> None:
    lines = (EXAMPLES / "crontab").read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]
    assert len(entries) == 1
    fields = entries[0].split(maxsplit=5)
    assert fields[:5] == ["*/10", "*", "*", "*", "*"]
    assert "%" not in fields[5]  # cron ends the line there
    assert fields[5].startswith("maintain jobs run-due")
