"""Scheduled work: which policies are due, each run once, and a sign of life for whoever watches."""

from __future__ import annotations

from maintain_pipelines.jobs.heartbeat import beat
from maintain_pipelines.jobs.told import Night, RequestsTold, TurnTold
from maintain_pipelines.jobs.webhook import tell_webhook

__all__ = ["Night", "RequestsTold", "TurnTold", "beat", "tell_webhook"]
