"""Alembic runs this for every migration command of the node's schema."""

from alembic import context

from trisect.store import proxy_tables

context.configure(connection=context.config.attributes["connection"], target_metadata=proxy_tables.NODE)
with context.begin_transaction():
    context.run_migrations()
