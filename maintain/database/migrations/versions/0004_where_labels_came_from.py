"""where labels came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply this step. What was recorded before says nothing of it, and is left so."""
    op.add_column("ingest", sa.Column("actor", sa.String(), nullable=True))
    op.add_column("ingest", sa.Column("contents", sa.String(), nullable=True))
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ingest_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_label_ingest_id"), "ingest", ["ingest_id"], ["id"])
