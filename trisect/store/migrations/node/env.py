"""Alembic runs this for every migration command of the node's schema."""

from alembic import context

from trisect.store.tables import NODE

context.configure(connection=context.config.attributes["connection"], target_metadata=NODE)
with context.begin_transaction():
    context.run_migrations()
