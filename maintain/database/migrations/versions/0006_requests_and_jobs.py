"""requests and jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply this step. What earlier schemas did not ask (issuers, links, accessions, roles of runs) stays unknown."""
    op.add_column("ingest", sa.Column("issuers", sa.Boolean(), nullable=True))
    op.add_column("patient", sa.Column("linked", sa.Boolean(), nullable=True))
    op.add_column("study", sa.Column("accession", sa.String(), nullable=True))
    op.create_index(op.f("ix_study_accession"), "study", ["accession"], unique=False)
    op.add_column("snapshot", sa.Column("erased", sa.Integer(), nullable=True))
    op.add_column("snapshot", sa.Column("rest", sa.String(), nullable=True))
    op.add_column("run", sa.Column("roles", sa.String(), nullable=True))
    _requests()
    _jobs()


def _requests() -> None:
    op.create_table(
        "issuer",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_issuer")),
    )
    op.create_table(
        "request",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("received", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("filed", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("answered", sa.String(), nullable=True),
        sa.Column("ended", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('open', 'answered', 'closed', 'withdrawn')", name=op.f("ck_request_state")),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_state"), "request", ["state"], unique=False)
    op.create_table(
        "request_person",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient", sa.String(), nullable=True),
        sa.Column("commitment", sa.String(), nullable=True),
        sa.Column("found", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["request.request"], name=op.f("fk_request_person_request")),
        sa.PrimaryKeyConstraint("request", "number", name=op.f("pk_request_person")),
    )
    op.create_index(op.f("ix_request_person_patient"), "request_person", ["patient"], unique=False)
    op.create_table(
        "request_case",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("copy", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["request.request"], name=op.f("fk_request_case_request")),
        sa.PrimaryKeyConstraint("request", "case_id", name=op.f("pk_request_case")),
    )
    op.create_index(op.f("ix_request_case_case_id"), "request_case", ["case_id"], unique=False)
    op.create_table(
        "barred_person",
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["request.request"], name=op.f("fk_barred_person_request")),
        sa.PrimaryKeyConstraint("request", "mark", name=op.f("pk_barred_person")),
    )
    op.create_index(op.f("ix_barred_person_mark"), "barred_person", ["mark"], unique=False)


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job")),
    )
    op.create_table(
        "turn",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due", sa.String(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("began", sa.String(), nullable=False),
        sa.Column("ended", sa.String(), nullable=True),
        sa.Column("run", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended is null) = (outcome is null)", name=op.f("ck_turn_ended")),
        sa.ForeignKeyConstraint(["job"], ["job.job"], name=op.f("fk_turn_job")),
        sa.PrimaryKeyConstraint("job", "due", name=op.f("pk_turn")),
    )
