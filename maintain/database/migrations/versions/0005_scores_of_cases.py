"""scores of cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "score",
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("computed", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["image_case.case_id"], name=op.f("fk_score_case_id")),
        sa.PrimaryKeyConstraint("case_id", "name", name=op.f("pk_score")),
        comment="Figures computed of a case's pixels; computing a name again replaces all of that name.",
    )
    with op.batch_alter_table("score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_name_value"), ["name", "value"], unique=False)
