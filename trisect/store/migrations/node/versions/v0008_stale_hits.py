"""When entries come into force and leave it, contests with a deadline, and hits that have gone stale."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("entries", sa.Column("active_since", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("entries", sa.Column("gone_since", sa.BigInteger(), nullable=True))
    op.add_column("entries", sa.Column("contested_at", sa.Text(), nullable=True))
    op.create_index(
        "ix_entries_gone",
        "entries",
        ["collection_id", "gone_since"],
        unique=False,
        sqlite_where=sa.text("gone_since IS NOT NULL"),
        postgresql_where=sa.text("gone_since IS NOT NULL"),
    )
    op.add_column("exchanges", sa.Column("public_id", sa.Text(), nullable=True))
    op.add_column("exchanges", sa.Column("version", sa.BigInteger(), nullable=True))
    op.add_column("exchanges", sa.Column("stale", sa.BigInteger(), nullable=True))
    op.add_column("exchanges", sa.Column("stale_at", sa.Text(), nullable=True))
    op.create_index(op.f("ix_exchanges_public_id"), "exchanges", ["public_id"], unique=False)
    op.create_table(
        "stale_hits",
        sa.Column("exchange_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("dropped_at", sa.Text(), nullable=True),
        sa.Column("filed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchanges.id"]),
        sa.PrimaryKeyConstraint("exchange_id"),
    )
    op.create_index(op.f("ix_stale_hits_dropped_at"), "stale_hits", ["dropped_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_stale_hits_dropped_at"), table_name="stale_hits")
    op.drop_table("stale_hits")
    op.drop_index(op.f("ix_exchanges_public_id"), table_name="exchanges")
    for column in ("stale_at", "stale", "version", "public_id"):
        op.drop_column("exchanges", column)
    op.drop_index("ix_entries_gone", table_name="entries")
    for column in ("contested_at", "gone_since", "active_since"):
        op.drop_column("entries", column)
