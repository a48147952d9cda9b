"""A person's request on its way: filed, answered by versions without them, taken back."""

from __future__ import annotations

from maintain_pipelines.requests.filing import (
    Filed,
    RequestOrder,
    file_request,
    file_requests,
    order_of,
    orders_of_table,
)
from maintain_pipelines.requests.prospect import ExposedVersion, Outlook, Prospect, Shelved, outlooks
from maintain_pipelines.requests.settling import (
    Evidence,
    Settled,
    entries_of,
    evidence_for,
    settle,
    settle_after,
    spoken,
)
from maintain_pipelines.requests.standing import Standing, last_answer, standing_of, standings
from maintain_pipelines.requests.withdrawing import Withdrawn, withdraw_request

__all__ = [
    "Evidence",
    "ExposedVersion",
    "Filed",
    "Outlook",
    "Prospect",
    "RequestOrder",
    "Settled",
    "Shelved",
    "Standing",
    "Withdrawn",
    "entries_of",
    "evidence_for",
    "file_request",
    "file_requests",
    "last_answer",
    "order_of",
    "orders_of_table",
    "outlooks",
    "settle",
    "settle_after",
    "spoken",
    "standing_of",
    "standings",
    "withdraw_request",
]
