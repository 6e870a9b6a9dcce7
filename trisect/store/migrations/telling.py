"""What two trees of migrations do alike."""

from __future__ import annotations

import base64
import json

import sqlalchemy as sa
from alembic import op

_PAGE = 500


def tell_exchanges() -> None:
    """Tell of permits that stand in the record already, signed documents in DSSE, of which exchange they are."""
    table = sa.table("record_entries", sa.column("number"), sa.column("entry"), sa.column("exchange"))
    connection = op.get_bind()
    first = 0
    while rows := connection.execute(
        sa.select(table.c.number, table.c.entry)
        .where(table.c.number >= first)
        .order_by(table.c.number)
        .limit(_PAGE)
    ).all():
        first = rows[-1].number + 1
        for row in rows:
            envelope = json.loads(row.entry)
            if "permit.v1" in envelope.get("payloadType", ""):
                body = json.loads(base64.b64decode(envelope["payload"]))
                exchange = base64.b64decode(body["exchange"]).hex()
                connection.execute(
                    sa.update(table).where(table.c.number == row.number).values(exchange=exchange)
                )
