"""Hits are kept until their terms end, or a legal hold does."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("exchanges", sa.Column("keep_until", sa.Text(), nullable=True))
    op.add_column("exchanges", sa.Column("hits_deleted_at", sa.Text(), nullable=True))
    op.create_index(op.f("ix_exchanges_keep_until"), "exchanges", ["keep_until"], unique=False)
    op.create_table(
        "holds",
        sa.Column("exchange_id", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchanges.id"]),
        sa.PrimaryKeyConstraint("exchange_id"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("holds")
    op.drop_index(op.f("ix_exchanges_keep_until"), table_name="exchanges")
    op.drop_column("exchanges", "hits_deleted_at")
    op.drop_column("exchanges", "keep_until")
