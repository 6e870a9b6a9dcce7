"""Exchanges have a number, in the order in which they were recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; those that are there are numbered by the second in which they began."""
    op.add_column("exchanges", sa.Column("number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE exchanges SET number = ordered.number FROM"
        " (SELECT id, row_number() OVER (ORDER BY started_at, id) AS number FROM exchanges) AS ordered"
        " WHERE ordered.id = exchanges.id"
    )
    op.create_index(op.f("ix_exchanges_number"), "exchanges", ["number"], unique=True)
    op.drop_index(op.f("ix_exchanges_started_at"), table_name="exchanges")


def downgrade() -> None:
    """Take back."""
    op.create_index(op.f("ix_exchanges_started_at"), "exchanges", ["started_at"], unique=False)
    op.drop_index(op.f("ix_exchanges_number"), table_name="exchanges")
    op.drop_column("exchanges", "number")
