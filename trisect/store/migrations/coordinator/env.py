"""Alembic runs this for every migration command of the coordinator's schema."""

from alembic import context

from trisect.store.tables import COORDINATOR

context.configure(connection=context.config.attributes["connection"], target_metadata=COORDINATOR)
with context.begin_transaction():
    context.run_migrations()
