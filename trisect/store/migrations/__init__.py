"""Schema migrations, run by Alembic when a daemon starts."""
