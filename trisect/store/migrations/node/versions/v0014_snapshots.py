"""What receipts commit to of snapshots is kept; entries of the record tell of which exchange they are."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "snapshots",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("keep_until", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_snapshots_root", "snapshots", ["root"])
    op.create_index("ix_snapshots_keep_until", "snapshots", ["keep_until"])
    op.create_table(
        "snapshot_leaves",
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot"], ["snapshots.name"]),
        sa.PrimaryKeyConstraint("snapshot", "number"),
    )
    with op.batch_alter_table("exchanges") as table:
        table.add_column(sa.Column("recorded", sa.SmallInteger))
        table.add_column(sa.Column("snapshot", sa.LargeBinary))
    op.create_index("ix_exchanges_snapshot", "exchanges", ["snapshot"])
    op.create_index("ix_exchanges_recorded", "exchanges", ["recorded"])
    with op.batch_alter_table("record_entries") as table:
        table.add_column(sa.Column("exchange", sa.Text))
    op.create_index("ix_record_entries_exchange", "record_entries", ["exchange"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_record_entries_exchange", "record_entries")
    with op.batch_alter_table("record_entries") as table:
        table.drop_column("exchange")
    op.drop_index("ix_exchanges_recorded", "exchanges")
    op.drop_index("ix_exchanges_snapshot", "exchanges")
    with op.batch_alter_table("exchanges") as table:
        table.drop_column("snapshot")
        table.drop_column("recorded")
    op.drop_table("snapshot_leaves")
    op.drop_index("ix_snapshots_keep_until", "snapshots")
    op.drop_index("ix_snapshots_root", "snapshots")
    op.drop_table("snapshots")
