"""Scheduled work: which policies are due, each run once, and a sign of life for whoever watches."""

from __future__ import annotations

from maintain_pipelines.jobs.discover import Load, Unreadable
from maintain_pipelines.jobs.heartbeat import beat
from maintain_pipelines.jobs.night import run_due
from maintain_pipelines.jobs.outlook import JobOutlook, Outlook, outlook
from maintain_pipelines.jobs.take import Again
from maintain_pipelines.jobs.told import Night, RequestsTold, TurnTold
from maintain_pipelines.jobs.webhook import tell_webhook

__all__ = [
    "Again",
    "JobOutlook",
    "Load",
    "Night",
    "Outlook",
    "RequestsTold",
    "TurnTold",
    "Unreadable",
    "beat",
    "outlook",
    "run_due",
    "tell_webhook",
]
