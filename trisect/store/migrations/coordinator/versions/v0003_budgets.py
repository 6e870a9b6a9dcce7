"""Budgets are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "budgets",
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("answerer", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("elements", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asker", "answerer", "purpose", "day"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("budgets")
