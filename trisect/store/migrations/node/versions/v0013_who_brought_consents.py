"""By which credential consents and delegations came, and a hash of what each consent says."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("granted_consents") as table:
        table.add_column(sa.Column("said", sa.LargeBinary))
        table.add_column(sa.Column("credential", sa.Text))
    op.create_index("ix_granted_consents_said", "granted_consents", ["said"])
    op.create_index("ix_granted_consents_credential", "granted_consents", ["credential"])
    with op.batch_alter_table("delegations") as table:
        table.add_column(sa.Column("credential", sa.Text))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("delegations") as table:
        table.drop_column("credential")
    op.drop_index("ix_granted_consents_credential", "granted_consents")
    op.drop_index("ix_granted_consents_said", "granted_consents")
    with op.batch_alter_table("granted_consents") as table:
        table.drop_column("credential")
        table.drop_column("said")
