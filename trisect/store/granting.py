"""The consents that persons have given a proxy, in the numbered order in which it tells them.

A number is used once, whether a consent is given or taken back. Not here: what a party that hears of them does
(`trisect.store.consents`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.rules.consent_frames import Effect, Event, Granted, Revoked
from trisect.rules.consents import Consent
from trisect.store.consent_epochs import NUMBERS, newest_number
from trisect.store.consents import read_versions, write_versions
from trisect.store.database import Database
from trisect.store.proxy_tables import consent_acknowledgements, delegations, granted_consents
from trisect.trust.keys import PartyName

MAX_LISTED = 1_000
_NOTHING = dict.fromkeys(("subject", "subjects", "record", "salt", "delegation", "said", "credential"))
"""What an erased consent keeps of these."""


@dataclass(frozen=True, slots=True)
class GrantedConsent:
    """One consent as the proxy keeps it.

    Attributes:
        id: of the consent.
        sequence: its number.
        record: the signed record, None after erasure.
        salt: of its commitment, None after erasure.
        parties: that it names besides the proxy.
        delegation: id of the delegation under which it was given; empty where the person has given it.
        credential: of the app that brought it; empty where an administrator did.
        revoked_sequence: the number of its revocation, None while nobody has taken it back.
        revoked_at: when somebody did, or empty.
        effects: what parties have acknowledged of the revocation, by name.
    """

    id: bytes
    sequence: int
    record: bytes | None
    salt: bytes | None
    parties: Sequence[PartyName]
    delegation: bytes
    credential: str
    revoked_sequence: int | None
    revoked_at: str
    effects: Mapping[str, Effect]


@dataclass(frozen=True, slots=True)
class Draft:
    """A consent that is to be kept.

    Attributes:
        consent: what the record says.
        record: signed.
        salt: of its commitment.
        subjects: the person's pseudonym towards each party that it names.
        delegation: id of the one under which it is given, empty where the person gives it.
        credential: of the app that brings it, empty where an administrator does.
    """

    consent: Consent
    record: bytes
    salt: bytes
    subjects: Mapping[str, str]
    delegation: bytes = b""
    credential: str = ""


class GrantedConsents:
    """Consents at one proxy. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def newest(self) -> int:
        """The number that was used last, 0 before the first."""
        with self._database.read() as connection:
            return newest_number(connection)

    def grant(self, *drafts: Draft) -> Sequence[int | ConflictError]:
        """Keep consents, all in one transaction.

        Returns:
            The number of each; in its place an error where its delegation has been taken back meanwhile.
        """
        outcomes: list[int | ConflictError] = []
        rows: list[dict[str, object]] = []
        with self._database.write() as connection:
            sequence = newest_number(connection)
            standing = _standing(connection, {draft.delegation for draft in drafts if draft.delegation})
            for draft in drafts:
                if draft.delegation and draft.delegation not in standing:
                    outcomes.append(ConflictError("the delegation was taken back", hint="ask the person"))
                    continue
                sequence += 1
                rows.append(_row(draft, sequence))
                outcomes.append(sequence)
            if rows:
                connection.execute(sa.insert(granted_consents), rows)
        return outcomes

    def revoke(self, consent: bytes, now: str) -> int:
        """Take a consent back; gives the number of that. A second time gives the first one's.

        Raises:
            NotFoundError: there is no such consent.
        """
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(granted_consents.c.revoked_sequence).where(granted_consents.c.id == consent)
            ).one_or_none()
            if row is None:
                raise _unknown()
            return row.revoked_sequence or _take_back(connection, [consent], now)

    def erase(self, consent: bytes) -> None:
        """Forget all of a consent but its numbers.

        Raises:
            NotFoundError: there is no such consent.
            ConflictError: it was not taken back.
        """
        mine = granted_consents.c.id == consent
        with self._database.write() as connection:
            row = connection.execute(sa.select(granted_consents.c.revoked_at).where(mine)).one_or_none()
            if row is None:
                raise _unknown()
            if row.revoked_at is None:
                raise ConflictError(
                    "a consent that is in force is not erased", hint="revoke it with `trisect consent revoke`"
                )
            connection.execute(sa.update(granted_consents).where(mine).values(_NOTHING))

    def get(self, consent: bytes) -> GrantedConsent:
        """Look a consent up; raises NotFoundError."""
        found = self._select(granted_consents.c.id == consent)
        if not found:
            raise _unknown()
        return found[0]

    def all_of(self, consents: Sequence[bytes]) -> Mapping[bytes, GrantedConsent]:
        """Look up several by their ids; gives those that there are."""
        return {found.id: found for found in self._select(granted_consents.c.id.in_(consents))}

    def of_subject(
        self, subject: str, *, before: int = 0, limit: int = MAX_LISTED
    ) -> Sequence[GrantedConsent]:
        """List the newest consents of a person by the pseudonym with the proxy, oldest of them first.

        Args:
            subject: the pseudonym.
            before: only those with smaller numbers; 0 for all.
            limit: how many at most.
        """
        earlier = granted_consents.c.sequence < before if before else sa.true()
        return self._select(sa.and_(granted_consents.c.subject == subject, earlier), limit)

    def of_credential(self, credential: str) -> Sequence[GrantedConsent]:
        """List the newest consents in force that came by an app's credential, oldest of them first."""
        row = granted_consents.c
        return self._select(sa.and_(row.credential == credential, row.revoked_sequence.is_(None)))

    def saying(self, said: bytes) -> GrantedConsent | None:
        """Find the newest consent that says what has this hash and was not taken back."""
        row = granted_consents.c
        found = self._select(sa.and_(row.said == said, row.revoked_sequence.is_(None)), 1)
        return found[0] if found else None

    def latest(self) -> Sequence[GrantedConsent]:
        """List the newest consents in their order."""
        return self._select(sa.true())

    def events(self, party: str, own: str, *, after: int, limit: int) -> tuple[list[Event], int]:
        """List what a party has to be told after a number, in order.

        Args:
            party: who is told; of the proxy itself everything is.
            own: the proxy's name.
            after: the number up to which the party has been told.
            limit: how many at most.

        Returns:
            The events, and the number up to which there are no others for this party.
        """
        concerns = _concerns(party, own)
        given, taken = NUMBERS
        with self._database.read() as connection:
            newest = newest_number(connection)
            grants = connection.execute(
                sa.select(given, granted_consents.c.record, granted_consents.c.subjects)
                .where(concerns, given > after, taken.is_(None))
                .order_by(given)
                .limit(limit + 1)
            ).all()
            revocations = connection.execute(
                sa.select(taken, granted_consents.c.id)
                .where(concerns, taken > after)
                .order_by(taken)
                .limit(limit + 1)
            ).all()
        found: list[Event] = [
            _granted(sequence, record, subjects, party) for sequence, record, subjects in grants
        ]
        found += [Revoked(sequence, consent) for sequence, consent in revocations]
        found.sort(key=lambda event: event.sequence)
        return (found, newest) if len(found) <= limit else (found[:limit], found[limit - 1].sequence)

    def withdrawals(self, party: str, own: str, *, after: int, limit: int) -> list[Revoked]:
        """List what was taken back after a number that concerns a party, in order; see `events`."""
        taken = granted_consents.c.revoked_sequence
        query = sa.select(taken, granted_consents.c.id).where(_concerns(party, own), taken > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(taken).limit(limit))
            return [Revoked(sequence, consent) for sequence, consent in rows]

    def acknowledge(self, party: str, effects: Sequence[Effect]) -> None:
        """Keep what a party says of revocations; what it has said before stays."""
        numbers = [effect.sequence for effect in effects]
        column = consent_acknowledgements.c
        with self._database.write() as connection:
            known = set(
                connection.execute(
                    sa.select(column.sequence).where(column.party == party, column.sequence.in_(numbers))
                ).scalars()
            )
            for effect in effects:
                if effect.sequence not in known:
                    connection.execute(
                        sa.insert(consent_acknowledgements).values(
                            sequence=effect.sequence,
                            party=party,
                            versions=write_versions(effect.versions),
                            at=effect.at,
                        )
                    )

    def _select(self, where: sa.ColumnElement[bool], limit: int = MAX_LISTED) -> Sequence[GrantedConsent]:
        newest = sa.select(granted_consents).where(where).order_by(granted_consents.c.sequence.desc())
        with self._database.read() as connection:
            rows = connection.execute(newest.limit(limit)).all()[::-1]
            numbers = [row.revoked_sequence for row in rows if row.revoked_sequence is not None]
            told: dict[int, dict[str, Effect]] = {}
            for one in connection.execute(
                sa.select(consent_acknowledgements).where(consent_acknowledgements.c.sequence.in_(numbers))
            ):
                effect = Effect(one.sequence, read_versions(one.versions), one.at)
                told.setdefault(one.sequence, {})[one.party] = effect
        return [
            GrantedConsent(
                id=row.id,
                sequence=row.sequence,
                record=row.record,
                salt=row.salt,
                parties=[PartyName(name) for name in row.parties.strip(",").split(",")],
                delegation=row.delegation or b"",
                credential=row.credential or "",
                revoked_sequence=row.revoked_sequence,
                revoked_at=row.revoked_at or "",
                effects=told.get(row.revoked_sequence, {}),
            )
            for row in rows
        ]


def take_back_under(connection: sa.Connection, delegation: bytes, now: str) -> list[bytes]:
    """Take back every consent in force that was given under a delegation; gives their ids."""
    row = granted_consents.c
    under = row.delegation == delegation
    found = connection.execute(
        sa.select(row.id).where(under, row.revoked_sequence.is_(None)).order_by(row.sequence)
    )
    consents = list(found.scalars())
    _take_back(connection, consents, now)
    return consents


def erase_under(connection: sa.Connection, delegation: bytes) -> None:
    """Forget all but the numbers of every consent that was given under a delegation and is not in force."""
    row = granted_consents.c
    under = sa.and_(row.delegation == delegation, row.revoked_sequence.is_not(None))
    connection.execute(sa.update(granted_consents).where(under).values(_NOTHING))


def _row(draft: Draft, sequence: int) -> dict[str, object]:
    return {
        "id": draft.consent.id,
        "sequence": sequence,
        "subject": draft.consent.subject,
        "subjects": json.dumps(dict(draft.subjects)).encode(),
        "record": draft.record,
        "salt": draft.salt,
        "parties": f",{','.join(draft.consent.parties)},",
        "delegation": draft.delegation or None,
        "said": draft.consent.said,
        "credential": draft.credential or None,
    }


def _standing(connection: sa.Connection, named: Collection[bytes]) -> set[bytes]:
    """Give those of some delegations that were not taken back."""
    row = delegations.c
    standing = sa.select(row.id).where(row.id.in_(named), row.revoked_at.is_(None))
    return set(connection.execute(standing).scalars()) if named else set()


def _take_back(connection: sa.Connection, consents: Sequence[bytes], now: str) -> int:
    """Take consents back; gives the number of the last."""
    newest = newest_number(connection)
    taken = [{"consent": one, "number": newest + at} for at, one in enumerate(consents, start=1)]
    if taken:
        connection.execute(
            sa.update(granted_consents)
            .where(granted_consents.c.id == sa.bindparam("consent"))
            .values(revoked_sequence=sa.bindparam("number"), revoked_at=now),
            taken,
        )
    return newest + len(taken)


def _concerns(party: str, own: str) -> sa.ColumnElement[bool]:
    """Give the condition of the consents of which a party is told; the proxy itself is told of all."""
    if party == own:
        return sa.true()
    return granted_consents.c.parties.contains(f",{party},", autoescape=True)


def _granted(sequence: int, record: bytes, subjects: bytes, party: str) -> Granted:
    consent = Consent.peek(record)
    return Granted(
        sequence=sequence,
        id=consent.id,
        subject=json.loads(subjects)[party],
        purposes=consent.purposes,
        kinds=consent.kinds,
        parties=consent.parties,
        voluntariness=consent.voluntariness,
        expires=consent.expires,
    )


def _unknown() -> NotFoundError:
    return NotFoundError("there is no such consent here", hint="`trisect consent list` names those there are")
