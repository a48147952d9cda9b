"""The tables of people's requests and of scheduled jobs. Changes here need a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from maintain.database.metadata import metadata

# --- requests ---------------------------------------------------------------------------------------

issuer = Table(
    "issuer",
    metadata,
    Column("mark", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    comment="Who issued PatientIDs: a keyed mark, and the text sealed under the workspace's pseudonym key.",
)

request = Table(
    "request",
    metadata,
    Column("request", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("received", String, nullable=False),
    Column("due", String, nullable=False),
    Column("filed", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False),
    Column("found", String, nullable=False),
    Column("images", Integer, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("answered", String),
    Column("ended", String),
    CheckConstraint("state in ('open', 'answered', 'closed', 'withdrawn')", name="state"),
    Index(None, "state"),
    comment="A wish that the images of one person or several be forgotten; `found` is the worst of theirs.",
)

request_person = Table(
    "request_person",
    metadata,
    Column("request", ForeignKey("request.request"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("patient", String),
    Column("commitment", String),
    Column("found", String, nullable=False),
    Index(None, "patient"),
    comment="Who a request names, in its order. The pseudonym is gone once it is closed; the commitment stays.",
)

request_case = Table(
    "request_case",
    metadata,
    Column("request", ForeignKey("request.request"), primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("copy", Boolean, nullable=False),
    Index(None, "case_id"),
    comment="The images that a request is about while it is not closed; exact copies under other names are told apart.",
)

barred_person = Table(
    "barred_person",
    metadata,
    Column("request", ForeignKey("request.request"), primary_key=True),
    Column("mark", String, primary_key=True),
    Column("reason", String, nullable=False),
    Index(None, "mark"),
    comment="Who may not come back: a pseudonym under a key of its own, which outlives the erasure.",
)

# --- jobs -------------------------------------------------------------------------------------------

job = Table(
    "job",
    metadata,
    Column("job", String, primary_key=True),
    Column("since", String, nullable=False),
    comment="A scheduled policy by its name, and from when on its due moments count.",
)

turn = Table(
    "turn",
    metadata,
    Column("job", ForeignKey("job.job"), primary_key=True),
    Column("due", String, primary_key=True),
    Column("missed", Integer, nullable=False),
    Column("owner", String),
    Column("lease_until", Float),
    Column("began", String, nullable=False),
    Column("ended", String),
    Column("run", String),
    Column("outcome", String),
    Column("told", Text),
    CheckConstraint("(ended is null) = (outcome is null)", name="ended"),
    comment="One due moment of a job, taken by one process: earlier ones that were missed, and how it ended.",
)
