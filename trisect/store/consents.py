"""What proxies have told a node of consents, and what follows for its entries.

An entry of a collection whose legal basis is consent counts only while a consent of its subject lives and nobody has
taken one back over its token. Not here: consents that a proxy itself keeps (`trisect.store.granting`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.clock import to_text
from trisect.indicators.kinds import KINDS
from trisect.rules.consent_frames import Effect, Event, Granted, Revoked
from trisect.rules.vocabulary import BasisName, Purpose
from trisect.store import counts, presence
from trisect.store.database import Database
from trisect.store.tables import (
    collections,
    consent_cursors,
    consent_effects,
    consents,
    entries,
    suppressions,
)

BATCH = 500
"""Consents that one transaction deletes."""


@dataclass(frozen=True, slots=True)
class Use:
    """For what entries are about to be used.

    Attributes:
        peer: the other end of the exchange.
        purpose: of the exchange.
        moment: the time that consents are judged by.
        min_voluntariness: of a consent that may be a basis, by the rulebook.
        proxies: whose word counts; one that was expelled could not tell of a withdrawal any more.
    """

    peer: str
    purpose: Purpose
    moment: dt.datetime
    min_voluntariness: int
    proxies: frozenset[str]

    def allows_entry(self) -> sa.ColumnElement[bool]:
        """Give the condition under which an entry kept on consent may be used."""
        live = (
            sa.select(sa.literal(1))
            .where(
                consents.c.subject == entries.c.subject,
                consents.c.proxy.in_(self.proxies),
                sa.not_(consents.c.revoked),
                consents.c.expires_at > to_text(self.moment),
                consents.c.voluntariness >= self.min_voluntariness,
                consents.c.purposes.contains(f",{self.purpose},", autoescape=True),
                sa.or_(
                    consents.c.proxy == self.peer,
                    consents.c.parties.contains(f",{self.peer},", autoescape=True),
                ),
                consents.c.kinds.contains(
                    sa.literal(",") + sa.cast(entries.c.kind, sa.Text) + sa.literal(",")
                ),
            )
            .exists()
        )
        taken_back = sa.select(sa.literal(1)).where(suppressions.c.token == entries.c.token).exists()
        return sa.and_(live, sa.not_(taken_back))


class Consents:
    """Consents as one node knows them. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursors(self) -> dict[str, int]:
        """Tell up to which of its numbers each proxy's word has been taken in."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(consent_cursors.c.proxy, consent_cursors.c.sequence))
            return {row.proxy: row.sequence for row in rows}

    def take(
        self,
        proxy: str,
        events: Iterable[Event],
        withdrawn: Iterable[Revoked] = (),
        *,
        after: int,
        upto: int,
        now: dt.datetime,
    ) -> bool:
        """Take in what a proxy tells, whole or not at all; durable when this returns.

        Args:
            proxy: who tells it.
            events: in order.
            withdrawn: revocations that come after `upto` and take effect before their turn.
            after: the number after which they begin; nothing is taken in where one is missing before it.
            upto: the number up to which there are no others.
            now: the time of what takes effect.

        Returns:
            Whether what has its turn was new.
        """
        with self._database.write() as connection:
            cursor = _cursor(connection, proxy)
            is_next = after <= cursor < upto
            new: list[Event] = [event for event in events if is_next and event.sequence > cursor]
            new += (event for event in withdrawn if event.sequence > cursor)
            ahead = _effective(connection, proxy, cursor)
            new = [
                event for event in new if not (event.sequence in ahead and _was_revoked(connection, event))
            ]
            if new:
                presence.hold(connection, _kept_on_consent())
            for event in new:
                if isinstance(event, Granted):
                    _grant(connection, proxy, event)
                else:
                    _revoke(connection, proxy, event, now)
            if is_next:
                connection.execute(sa.delete(consent_cursors).where(consent_cursors.c.proxy == proxy))
                connection.execute(sa.insert(consent_cursors).values(proxy=proxy, sequence=upto))
            return is_next

    def expire(self, now: dt.datetime) -> int:
        """Delete the consents whose time is over; the entries of who has no other leave their lists. Gives how many."""
        over = sa.and_(sa.not_(consents.c.revoked), consents.c.expires_at <= to_text(now))
        some = sa.select(consents.c.id).where(over).limit(BATCH)
        gone = 0
        with self._database.read() as connection:
            if connection.execute(some.limit(1)).first() is None:
                return gone
        while True:
            with self._database.write() as connection:
                presence.hold(connection, _kept_on_consent())
                ended = sa.delete(consents).where(consents.c.id.in_(some))
                rows = connection.execute(ended.returning(consents.c.subject)).all()
                left = {row.subject for row in rows if not _consents(connection, row.subject, now)}
                for subject in sorted(left):
                    _leave(connection, _entries_of(subject))
            gone += len(rows)
            if len(rows) < BATCH:
                return gone

    def effects(self, proxy: str, *, after: int) -> Sequence[Effect]:
        """List what a proxy's revocations after a number have changed, in order; the earlier are forgotten."""
        mine = consent_effects.c.proxy == proxy
        with self._database.read() as connection:
            known = connection.execute(
                sa.select(sa.literal(1)).where(mine, consent_effects.c.sequence <= after).limit(1)
            ).first()
        if known:
            with self._database.write() as connection:
                connection.execute(
                    sa.delete(consent_effects).where(mine, consent_effects.c.sequence <= after)
                )
        query = sa.select(consent_effects).where(mine, consent_effects.c.sequence > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(consent_effects.c.sequence))
            return [Effect(row.sequence, read_versions(row.versions), row.at) for row in rows]


def write_versions(versions: Iterable[tuple[str, int]]) -> bytes:
    """Write collections and their versions as a column keeps them."""
    return json.dumps([list(one) for one in versions]).encode()


def read_versions(kept: bytes) -> tuple[tuple[str, int], ...]:
    """Read what `write_versions` wrote."""
    return tuple((name, version) for name, version in json.loads(kept))


def _cursor(connection: sa.Connection, proxy: str) -> int:
    query = sa.select(consent_cursors.c.sequence).where(consent_cursors.c.proxy == proxy)
    return connection.execute(query).scalar_one_or_none() or 0


def _was_revoked(connection: sa.Connection, event: Event) -> bool:
    """Tell whether it is this consent that was taken back under a number; a proxy from a backup uses numbers again."""
    query = sa.select(consents.c.revoked).where(consents.c.id == event.id)
    return isinstance(event, Revoked) and bool(connection.execute(query).scalar_one_or_none())


def _effective(connection: sa.Connection, proxy: str, after: int) -> frozenset[int]:
    """Name the revocations after a number that have taken effect before their turn."""
    query = sa.select(consent_effects.c.sequence).where(
        consent_effects.c.proxy == proxy, consent_effects.c.sequence > after
    )
    return frozenset(connection.execute(query).scalars())


def _grant(connection: sa.Connection, proxy: str, event: Granted) -> None:
    """Keep a consent unless it was revoked before; what its person had taken back may be used again."""
    known = connection.execute(sa.select(sa.literal(1)).where(consents.c.id == event.id)).first()
    if known:
        return
    connection.execute(
        sa.insert(consents).values(
            id=event.id,
            proxy=proxy,
            subject=event.subject,
            purposes=_listed(event.purposes),
            kinds=_listed(str(KINDS[kind].number) for kind in event.kinds),
            parties=_listed(event.parties),
            voluntariness=event.voluntariness,
            expires_at=event.expires,
            revoked=False,
        )
    )
    connection.execute(
        sa.delete(suppressions).where(suppressions.c.proxy == proxy, suppressions.c.subject == event.subject)
    )
    presence.come_back(connection, entries.c.subject == event.subject)


def _revoke(connection: sa.Connection, proxy: str, event: Revoked, now: dt.datetime) -> None:
    row = connection.execute(
        sa.select(consents.c.subject, consents.c.revoked).where(
            consents.c.id == event.id, consents.c.proxy == proxy
        )
    ).one_or_none()
    if row is None:
        _remember_revoked(connection, proxy, event.id)
    elif not row.revoked:
        connection.execute(
            sa.update(consents).where(consents.c.id == event.id).values(revoked=True, subject=None)
        )
    subject = row.subject if row else None
    versions = _suppress(connection, proxy, subject, now) if subject else []
    mine = sa.and_(consent_effects.c.proxy == proxy, consent_effects.c.sequence == event.sequence)
    connection.execute(sa.delete(consent_effects).where(mine))
    connection.execute(
        sa.insert(consent_effects).values(
            proxy=proxy, sequence=event.sequence, versions=write_versions(versions), at=to_text(now)
        )
    )


def _remember_revoked(connection: sa.Connection, proxy: str, consent: bytes) -> None:
    """Keep the id of a consent that is unknown here, so that it does not count if it is told later."""
    if connection.execute(sa.select(sa.literal(1)).where(consents.c.id == consent)).first():
        return  # another proxy's, which alone may revoke it
    connection.execute(
        sa.insert(consents).values(
            id=consent, proxy=proxy, purposes="", kinds="", parties="", voluntariness=0,
            expires_at="", revoked=True,
        )
    )  # fmt: skip


def _suppress(connection: sa.Connection, proxy: str, subject: str, now: dt.datetime) -> list[tuple[str, int]]:
    """Suppress the entries of a person who has no other consent left; gives the collections that this changed."""
    mine = _entries_of(subject)
    if not _consents(connection, subject, now, proxy):
        known = sa.select(suppressions.c.token).where(
            suppressions.c.proxy == proxy, suppressions.c.subject == subject
        )
        found = sa.select(entries.c.token, entries.c.epoch).where(mine, entries.c.token.not_in(known))
        tokens = {row.token: row.epoch for row in connection.execute(found)}
        if tokens:
            connection.execute(
                sa.insert(suppressions),
                [
                    {"token": token, "proxy": proxy, "subject": subject, "epoch": epoch}
                    for token, epoch in tokens.items()
                ],
            )
    changed = _leave(connection, mine)
    counts.withdraw(connection, [name for name, _ in changed])
    return changed


def _consents(connection: sa.Connection, subject: str, now: dt.datetime, proxy: str = "") -> bool:
    """Tell whether a person has a consent that lives, through a proxy or through any."""
    query = sa.select(sa.literal(1)).where(
        consents.c.subject == subject,
        sa.not_(consents.c.revoked),
        consents.c.expires_at > to_text(now),
        *([consents.c.proxy == proxy] if proxy else []),
    )
    return connection.execute(query.limit(1)).first() is not None


def _entries_of(subject: str) -> sa.ColumnElement[bool]:
    """Give the condition of a person's entries in lists that are kept on consent."""
    on_consent = sa.select(collections.c.id).where(_kept_on_consent())
    return sa.and_(entries.c.subject == subject, entries.c.collection_id.in_(on_consent))


def _leave(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> list[tuple[str, int]]:
    """Note that entries have left their collections; gives each with the version that it has now."""
    touched = list(connection.execute(sa.select(entries.c.collection_id).where(mine).distinct()).scalars())
    if not touched:
        return []
    raised = connection.execute(
        sa.update(collections)
        .where(collections.c.id.in_(touched))
        .values(version=collections.c.version + 1)
        .returning(collections.c.id, collections.c.public_id, collections.c.version)
    ).all()
    for row in raised:
        gone = presence.leaving(row.version)
        connection.execute(sa.update(entries).where(mine, entries.c.collection_id == row.id).values(**gone))
    return sorted((row.public_id, row.version) for row in raised)


def _kept_on_consent() -> sa.ColumnElement[bool]:
    basis = collections.c.legal_basis
    return sa.or_(basis == BasisName.CONSENT.value, basis.startswith(f"{BasisName.CONSENT.value}:"))


def _listed(values: Iterable[str]) -> str:
    return f",{','.join(values)},"
