"""The day on which an entry was listed last, from which its collection's retention counts."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what is there already counts as listed today, since nothing tells when it was."""
    op.add_column("entries", sa.Column("listed_on", sa.Integer(), nullable=False, server_default="0"))
    entries = sa.table("entries", sa.column("listed_on", sa.Integer()))
    op.execute(sa.update(entries).values(listed_on=int(time.time()) // 86_400))


def downgrade() -> None:
    """Take back."""
    op.drop_column("entries", "listed_on")
