"""The tables. Two schemas, one for a node and one for the coordinator; both keep signed statements.

Tokens are stored with the pepper epoch they belong to, so that a rotation can roll them in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

NODE = sa.MetaData()
COORDINATOR = sa.MetaData()


def _statements(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "statements",
        metadata,
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
    )


def _settings(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "settings",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _budgets(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "budgets",
        metadata,
        sa.Column("asker", sa.Text, primary_key=True),
        sa.Column("answerer", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("elements", sa.BigInteger, nullable=False),
    )


@dataclass(frozen=True, slots=True)
class RecordTables:
    """The public record at one daemon.

    Attributes:
        entries: in order; each of a statement has that one's sequence, every other one the id of its exchange.
        nodes: the complete nodes of the tree; level 0 are the entries' hashes.
        heads: those that were signed, each with the cosignatures that came for it.
    """

    entries: sa.Table
    nodes: sa.Table
    heads: sa.Table


def _record(metadata: sa.MetaData) -> RecordTables:
    return RecordTables(
        sa.Table(
            "record_entries",
            metadata,
            sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("entry", sa.LargeBinary, nullable=False),
            sa.Column("statement", sa.BigInteger, index=True, unique=True),
            sa.Column("exchange", sa.Text, index=True),
        ),
        sa.Table(
            "record_nodes",
            metadata,
            sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
            sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sqlite_with_rowid=False,
        ),
        sa.Table(
            "record_heads",
            metadata,
            sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("note", sa.Text, nullable=False),
        ),
    )


node_statements = _statements(NODE)
coordinator_statements = _statements(COORDINATOR)
settings = _settings(NODE)
node_record = _record(NODE)
coordinator_record = _record(COORDINATOR)
node_budgets = _budgets(NODE)
coordinator_budgets = _budgets(COORDINATOR)

collections = sa.Table(
    "collections",
    NODE,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("legal_basis", sa.Text, nullable=False),
    sa.Column("retention_days", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
)

entries = sa.Table(
    "entries",
    NODE,
    sa.Column("collection_id", sa.Integer, sa.ForeignKey("collections.id"), primary_key=True),
    sa.Column("token", sa.LargeBinary, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    # From which version of the collection on it has been active, and from which on it is no more.
    sa.Column("active_since", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("gone_since", sa.BigInteger),
    sa.Column("contested_at", sa.Text),
    # The day (since 1970-01-01, UTC) on which an import has brought it last; its retention counts from then.
    sa.Column("listed_on", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("category", sa.Text),
    sa.Column("fraud_role", sa.Text),
    sa.Column("channel", sa.Text),
    sa.Column("ai_technique", sa.Text),
    sa.Column("confidence", sa.SmallInteger),
    sa.Column("first_seen", sa.Text),
    sa.Column("last_seen", sa.Text),
    sqlite_with_rowid=False,
)

sa.Index(
    "ix_entries_subject",
    entries.c.subject,
    sqlite_where=entries.c.subject.is_not(None),
    postgresql_where=entries.c.subject.is_not(None),
)

sa.Index(
    "ix_entries_contested",
    entries.c.contested_at,
    sqlite_where=entries.c.contested_at.is_not(None),
    postgresql_where=entries.c.contested_at.is_not(None),
)

sa.Index(
    "ix_entries_gone",
    entries.c.collection_id,
    entries.c.gone_since,
    sqlite_where=entries.c.gone_since.is_not(None),
    postgresql_where=entries.c.gone_since.is_not(None),
)

sharings = sa.Table(
    "sharings",
    NODE,
    sa.Column("collection_id", sa.Integer, sa.ForeignKey("collections.id"), primary_key=True),
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True),
    # The signed terms; nobody can ask under one that has none.
    sa.Column("terms", sa.LargeBinary),
)

imports = sa.Table(
    "imports",
    NODE,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("collection_id", sa.Integer, sa.ForeignKey("collections.id"), nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("replace", sa.Boolean, nullable=False),
    sa.Column("batches_done", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("rejected", sa.BigInteger, nullable=False),
)

rejects = sa.Table(
    "rejects",
    NODE,
    sa.Column("import_id", sa.Integer, sa.ForeignKey("imports.id"), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

exchanges = sa.Table(
    "exchanges",
    NODE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("side", sa.Text, nullable=False),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("peer_collection", sa.Text, nullable=False),
    # Opaque id of this end's collection, and its version when the snapshot was taken.
    sa.Column("public_id", sa.Text, index=True),
    sa.Column("version", sa.BigInteger),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("key_check", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("error", sa.LargeBinary),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("asked_padded", sa.BigInteger, nullable=False),
    sa.Column("answered_padded", sa.BigInteger, nullable=False),
    sa.Column("matched", sa.BigInteger),
    # What a count was told to the asker, and the unit that it is rounded to.
    sa.Column("counted", sa.BigInteger),
    sa.Column("rounded_to", sa.Integer),
    sa.Column("bytes_sent", sa.BigInteger, nullable=False),
    sa.Column("bytes_received", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False),
    # In the order in which they were recorded here; `started_at` of two may be the same second.
    sa.Column("number", sa.BigInteger, index=True, unique=True),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("offer", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.LargeBinary),
    sa.Column("permit", sa.LargeBinary),
    # The answerer's, which the permit names.
    sa.Column("terms", sa.LargeBinary),
    # Until when the terms of its permit let this end keep the hits, and when they were deleted.
    sa.Column("keep_until", sa.Text, index=True),
    sa.Column("hits_deleted_at", sa.Text),
    # At an asker: how many entries of the answerer's snapshot have left its list since, and when it was told first.
    sa.Column("stale", sa.BigInteger),
    sa.Column("stale_at", sa.Text),
    sa.Column("own_receipt", sa.LargeBinary),
    sa.Column("peer_receipt", sa.LargeBinary),
    # Whether the record has this end's receipt, once there is one.
    sa.Column("recorded", sa.SmallInteger, index=True),
    # Of what this end's receipt commits to: a root of `snapshots`.
    sa.Column("snapshot", sa.LargeBinary, index=True),
)

snapshots = sa.Table(
    "snapshots",
    NODE,
    sa.Column("name", sa.LargeBinary, primary_key=True),
    sa.Column("root", sa.LargeBinary, nullable=False, index=True),
    sa.Column("keep_until", sa.Text, nullable=False, index=True),
)

snapshot_leaves = sa.Table(
    "snapshot_leaves",
    NODE,
    sa.Column("snapshot", sa.LargeBinary, sa.ForeignKey("snapshots.name"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

hits = sa.Table(
    "hits",
    NODE,
    sa.Column("exchange_id", sa.Text, sa.ForeignKey("exchanges.id"), primary_key=True),
    sa.Column("token", sa.LargeBinary, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

# At an answerer: matches whose asker has hits that may be stale, and what it has been told of that.
stale_hits = sa.Table(
    "stale_hits",
    NODE,
    sa.Column("exchange_id", sa.Text, sa.ForeignKey("exchanges.id"), primary_key=True),
    # The version of the collection up to which entries that have left it are counted.
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("told", sa.BigInteger, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("dropped_at", sa.Text, index=True),
    # What stands in the record of it; 0 once that it was settled does.
    sa.Column("filed", sa.BigInteger, nullable=False),
)

# A legal hold: hits of an exchange stay though their retention has ended.
holds = sa.Table(
    "holds",
    NODE,
    sa.Column("exchange_id", sa.Text, sa.ForeignKey("exchanges.id"), primary_key=True),
    sa.Column("placed_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", sa.Text, nullable=False),
    sa.Column("placed_at", sa.Text, nullable=False),
)

# What this party has told of counts as an answerer: the same again, to whoever asks again on that budget day.
counts = sa.Table(
    "counts",
    NODE,
    sa.Column("asker", sa.Text, primary_key=True),
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("asked_collection", sa.Text, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    # Whether somebody in the collection has taken a consent back since.
    sa.Column("withdrawn", sa.Boolean, nullable=False),
)

# What proxies have told this party of persons' consents; one that was revoked stays, so that it never comes back.
consents = sa.Table(
    "consents",
    NODE,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("proxy", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, index=True),
    sa.Column("purposes", sa.Text, nullable=False),
    sa.Column("kinds", sa.Text, nullable=False),
    sa.Column("parties", sa.Text, nullable=False),
    sa.Column("voluntariness", sa.SmallInteger, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False),
)

# Up to which of its numbers each proxy's word has been taken in.
consent_cursors = sa.Table(
    "consent_cursors",
    NODE,
    sa.Column("proxy", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

# What a revocation has changed here, until its proxy has the acknowledgement.
consent_effects = sa.Table(
    "consent_effects",
    NODE,
    sa.Column("proxy", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("versions", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)

# Indicators of persons who have taken their consent back: they enter no snapshot, whoever brings them again.
suppressions = sa.Table(
    "suppressions",
    NODE,
    sa.Column("token", sa.LargeBinary, primary_key=True),
    sa.Column("proxy", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True, index=True),
    sa.Column("epoch", sa.Integer, nullable=False),
)

# Programs of this party that may call its node over the network.
credentials = sa.Table(
    "credentials",
    NODE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("issued_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.Text, nullable=False),
)

schedules = sa.Table(
    "schedules",
    NODE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("every_s", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Text, nullable=False),
    sa.Column("work", sa.LargeBinary, nullable=False),
    sa.Column("last_result", sa.Text, nullable=False),
)

invitations = sa.Table(
    "invitations",
    COORDINATOR,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("party", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text, nullable=False),
    sa.Column("key_hash", sa.LargeBinary),
    sa.Column("certificate", sa.LargeBinary),
    sa.Column("contested", sa.Integer, nullable=False),
)

enrolled = sa.Table(
    "enrolled",
    COORDINATOR,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("identity", sa.LargeBinary, nullable=False),
    sa.Column("sealing", sa.LargeBinary, nullable=False),
    sa.Column("sealing_signature", sa.LargeBinary, nullable=False),
    sa.Column("joined_at", sa.Text, nullable=False),
)
