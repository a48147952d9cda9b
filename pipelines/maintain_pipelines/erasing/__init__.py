"""Erasing what a workspace holds of a person whose request was answered.

The front door. An order is signed, everything that a walk finds is removed, a second walk finds nothing, and the
tombstone says how much it was. Nothing here can reach what lies outside the workspace; the tombstone names that too.
"""

from __future__ import annotations

from maintain_pipelines.erasing.closing import OUT_OF_REACH, Closed, close_request
from maintain_pipelines.erasing.obstacles import ready
from maintain_pipelines.erasing.requested import answered, order_of, unfinished_erasures

__all__ = ["OUT_OF_REACH", "Closed", "answered", "close_request", "order_of", "ready", "unfinished_erasures"]
