"""An index on the few entries that are contested, so that those which lapse are found without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    contested = sa.column("contested_at").is_not(None)
    op.create_index(
        "ix_entries_contested",
        "entries",
        ["contested_at"],
        sqlite_where=contested,
        postgresql_where=contested,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_entries_contested", "entries")
