"""Replying to a request: a letter in plain words, a page for the file, and an entry that names it by digest.

The front door. A room of its own: whatever moves a version attends to requests, and needs none of this.
"""

from __future__ import annotations

from maintain_pipelines.replying.letter import Edition, Replied, check_output, compose, reply
from maintain_pipelines.replying.told import LineageTold, Told, VersionTold, tell_request

__all__ = [
    "Edition",
    "LineageTold",
    "Replied",
    "Told",
    "VersionTold",
    "check_output",
    "compose",
    "reply",
    "tell_request",
]
