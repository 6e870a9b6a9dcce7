"""Counts: what they have told the asker, and what the answerer tells again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("exchanges", sa.Column("counted", sa.BigInteger(), nullable=True))
    op.add_column("exchanges", sa.Column("rounded_to", sa.Integer(), nullable=True))
    op.create_table(
        "counts",
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("asked_collection", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("asker", "collection", "purpose", "day"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("counts")
    op.drop_column("exchanges", "rounded_to")
    op.drop_column("exchanges", "counted")
