"""the register of weights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "weight_file",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("weights", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=True),
        sa.CheckConstraint("(weights is null) = (file is null)", name=op.f("ck_weight_file_known")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_weight_file")),
        comment=(
            "Where weights lie below the workspace; digests are NULL where a training replaces them after every pass."
        ),
    )
    with op.batch_alter_table("weight_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_weight_file_weights"), ["weights"], unique=False)
