"""The tables in which a proxy's node keeps what its people have said; other nodes leave them empty."""

from __future__ import annotations

import sqlalchemy as sa

from trisect.store.tables import NODE

# The consents that persons have given it. Erasure leaves nothing but the numbers.
granted_consents = sa.Table(
    "granted_consents",
    NODE,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("subject", sa.Text, index=True),
    sa.Column("subjects", sa.LargeBinary),
    sa.Column("record", sa.LargeBinary),
    sa.Column("salt", sa.LargeBinary),
    sa.Column("parties", sa.Text, nullable=False),
    sa.Column("revoked_sequence", sa.BigInteger, unique=True),
    sa.Column("revoked_at", sa.Text),
    sa.Column("delegation", sa.LargeBinary, index=True),
    sa.Column("said", sa.LargeBinary, index=True),
    sa.Column("credential", sa.Text, index=True),
)

# The delegations under which it consents in persons' names. Erasure leaves nothing but the id.
delegations = sa.Table(
    "delegations",
    NODE,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("subject", sa.Text, index=True),
    sa.Column("record", sa.LargeBinary),
    sa.Column("revoked_at", sa.Text),
    sa.Column("credential", sa.Text),
)

# Who has acknowledged a revocation, and in which versions of its collections it took effect.
consent_acknowledgements = sa.Table(
    "consent_acknowledgements",
    NODE,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("versions", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

# The leaves of each consent epoch whose root stands in the public record, 32 bytes each.
consent_epochs = sa.Table(
    "consent_epochs",
    NODE,
    sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("leaves", sa.LargeBinary, nullable=False),
)

__all__ = ["NODE", "consent_acknowledgements", "consent_epochs", "delegations", "granted_consents"]
