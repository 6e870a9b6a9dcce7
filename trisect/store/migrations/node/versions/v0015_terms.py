"""Sharings have signed terms, and exchanges those that their permits name."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("sharings", "exchanges"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("terms", sa.LargeBinary))


def downgrade() -> None:
    """Take back."""
    for name in ("sharings", "exchanges"):
        with op.batch_alter_table(name) as table:
            table.drop_column("terms")
