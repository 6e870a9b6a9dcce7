"""Entries of the record tell of which exchange they are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("record_entries") as table:
        table.add_column(sa.Column("exchange", sa.Text))
    op.create_index("ix_record_entries_exchange", "record_entries", ["exchange"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_record_entries_exchange", "record_entries")
    with op.batch_alter_table("record_entries") as table:
        table.drop_column("exchange")
