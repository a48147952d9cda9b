"""moves of aliases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "alias_move",
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.CheckConstraint("state in ('recorded', 'done')", name=op.f("ck_alias_move_state")),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_alias_move")),
        comment="A move of a model's aliases that an entry of the ledger decided, until the store shows it.",
    )
    with op.batch_alter_table("alias_move", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alias_move_state"), ["state"], unique=False)
