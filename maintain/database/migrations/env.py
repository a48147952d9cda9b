"""Alembic's entry: runs the migrations on the connection that the program hands in."""

from __future__ import annotations

from alembic import context

from maintain.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
