"""Scheduled work: which policies are due, each run once, and a sign of life for whoever watches."""

from __future__ import annotations

from maintain_pipelines.jobs.told import Night, RequestsTold, TurnTold

__all__ = ["Night", "RequestsTold", "TurnTold"]
