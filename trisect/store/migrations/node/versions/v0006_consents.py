"""Consents: as proxies have told them, what their withdrawal suppresses, and those that a proxy keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_entries_subject",
        "entries",
        ["subject"],
        unique=False,
        sqlite_where=sa.text("subject IS NOT NULL"),
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("parties", sa.Text(), nullable=False),
        sa.Column("voluntariness", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_consents_subject"), "consents", ["subject"], unique=False)
    op.create_table(
        "consent_cursors",
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("proxy"),
    )
    op.create_table(
        "consent_effects",
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("versions", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("proxy", "sequence"),
    )
    op.create_table(
        "suppressions",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token", "proxy", "subject"),
    )
    op.create_index(op.f("ix_suppressions_subject"), "suppressions", ["subject"], unique=False)
    op.create_table(
        "granted_consents",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("subjects", sa.LargeBinary(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("parties", sa.Text(), nullable=False),
        sa.Column("revoked_sequence", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("revoked_sequence"),
        sa.UniqueConstraint("sequence"),
    )
    op.create_index(op.f("ix_granted_consents_subject"), "granted_consents", ["subject"], unique=False)
    op.create_table(
        "consent_acknowledgements",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("versions", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", "party"),
    )
    op.create_table(
        "consent_epochs",
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("consent_epochs")
    op.drop_table("consent_acknowledgements")
    op.drop_index(op.f("ix_granted_consents_subject"), table_name="granted_consents")
    op.drop_table("granted_consents")
    op.drop_index(op.f("ix_suppressions_subject"), table_name="suppressions")
    op.drop_table("suppressions")
    op.drop_table("consent_effects")
    op.drop_table("consent_cursors")
    op.drop_index(op.f("ix_consents_subject"), table_name="consents")
    op.drop_table("consents")
    op.drop_index("ix_entries_subject", table_name="entries")
