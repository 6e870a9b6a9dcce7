"""Delegations, and under which of them a consent was given."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "delegations",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("subject", sa.Text),
        sa.Column("record", sa.LargeBinary),
        sa.Column("revoked_at", sa.Text),
    )
    op.create_index("ix_delegations_subject", "delegations", ["subject"])
    op.add_column("granted_consents", sa.Column("delegation", sa.LargeBinary))
    op.create_index("ix_granted_consents_delegation", "granted_consents", ["delegation"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_granted_consents_delegation", "granted_consents")
    op.drop_column("granted_consents", "delegation")
    op.drop_table("delegations")
