"""Who is enrolled and who is a member: invitations, certificates, signed statements.

The coordinator verifies every statement as every node does, so that it refuses what they would refuse; what
it says itself binds nobody.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from coordinator.authority import new_invitation_id
from trisect.clock import Clock, Randomness, from_text, to_text
from trisect.errors import (
    BadInputError,
    ConflictError,
    DeniedError,
    UnauthenticatedError,
    VerificationError,
)
from trisect.rules import checking
from trisect.store.database import Database
from trisect.store.enrolment import Enrolled, Enrolments
from trisect.store.enrolment import Invitation as KeptInvitation
from trisect.store.statements import Statements
from trisect.store.tables import coordinator_statements
from trisect.trust import certificates
from trisect.trust.authority import Authority
from trisect.trust.certificates import Caller, Principal
from trisect.trust.invitations import Invitation
from trisect.trust.keys import IdentityPublic
from trisect.trust.membership import Membership
from trisect.trust.party import Party
from trisect.trust.statements import (
    Admission,
    CoordinatorKey,
    PartyKeys,
    PepperGrant,
    Role,
    Standing,
    Succession,
    party_name,
)

_log = logging.getLogger(__name__)
MAX_TTL = dt.timedelta(days=30)
_CERTIFICATE_GRACE = dt.timedelta(days=7)


class Registry:
    """Enrolment and membership of one consortium. Called from threads."""

    def __init__(
        self,
        database: Database,
        authority: Authority,
        signing_key: IdentityPublic,
        *,
        clock: Clock,
        randomness: Randomness,
        party_life: dt.timedelta,
    ) -> None:
        self._consortium = authority.server.consortium
        self._party_life = party_life
        self._enrolments = Enrolments(database)
        self._statements = Statements(database, coordinator_statements)
        self._authority = authority
        self._signing_key = signing_key
        self._clock = clock
        self._randomness = randomness
        self._lock = threading.Lock()
        self._membership = Membership(self._consortium)
        self.newest = 0
        self._load()
        # Asked at every call, hence in memory: a party's certificate names the party and not its key.
        self._enrolled = {party.party: party for party in self._enrolments.enrolled()}

    @property
    def membership(self) -> Membership:
        """The directory, as it is now."""
        return self._membership.as_of(self._clock())

    def _load(self) -> None:
        while page := self._statements.after(self.newest):
            for sequence, envelope in page:
                self._membership.apply(envelope)
                self.newest = sequence

    def invite(self, party: str, role: str, ttl: dt.timedelta, *, address: str) -> Invitation:
        """Make an invitation.

        Raises:
            BadInputError: no such role, a name that is none, or a life above 30 days.
            ConflictError: the founding government has not joined yet, or the party has another role.
        """
        name, wanted = party_name(party), _role(role)
        if not dt.timedelta() < ttl <= MAX_TTL:
            raise BadInputError("an invitation lives at most 30 days", hint="use --ttl 24h")
        known = self.membership.parties.get(name)
        if known is not None and (known.role is not wanted):
            raise ConflictError(
                f"{name} is a {known.role.value} already",
                hint=f"invite it with --role {known.role.value}, or choose another name",
            )
        founder = self.membership.founder
        if founder is None and wanted is not Role.GOVERNMENT:
            raise ConflictError(
                "the first party must be the government that founds the consortium, and it has not joined yet",
                hint="`trisect invite --role government` first; invite the others once it has joined",
            )
        if founder is None and any(
            party != name for party in self._enrolments.invited(to_text(self._clock()))
        ):
            raise ConflictError(
                "another government party is invited to found the consortium and has not joined yet",
                hint="wait until it has joined, or its invitation has expired",
            )
        invitation_id = new_invitation_id(self._randomness)
        expires_at = to_text(self._clock() + ttl)
        whom = Principal(self._consortium, Caller.INVITATION, invitation_id)
        identity = self._authority.identity(whom, ttl + _CERTIFICATE_GRACE)
        self._enrolments.add_invitation(invitation_id, party=name, role=wanted.value, expires_at=expires_at)
        return Invitation(
            consortium=self._consortium,
            coordinator=address,
            party=name,
            role=wanted.value,
            expires_at=expires_at,
            authority=self._authority.root.certificate.decode(),
            authority_fingerprint=self._authority.fingerprint,
            founder_fingerprint=founder or "",
            certificate=identity.certificate.decode(),
            key=identity.key.decode(),
        )

    def redeem(self, invitation_id: str, request: bytes, keys: PartyKeys, proof: bytes) -> tuple[bytes, str]:
        """Trade an invitation for a certificate, PEM, and the party's state.

        Raises:
            DeniedError: unknown, expired, or redeemed with another key.
            ConflictError: the identity key is another party's.
            VerificationError: the request is not for a P-256 key, or the identity key has not signed it.
        """
        keys.check()
        keys.identity.verify(proof, request)
        key_hash = hashlib.sha256(
            b"trisect/redeem/v1" + keys.identity.raw + certificates.request_key(request)
        ).digest()
        invitation = self._live_invitation(invitation_id)
        if invitation.key_hash is None:
            leaf = self._for_party(invitation.party, request)
            party = Enrolled(
                party=invitation.party,
                role=invitation.role,
                identity=keys.identity.raw,
                sealing=keys.sealing.raw,
                sealing_signature=keys.sealing_signature,
                joined_at=to_text(self._clock()),
            )
            with self._lock:
                self._require_own_key(party.party, keys)
                first = self._enrolments.redeem(invitation_id, key_hash, leaf, party)
                if first:
                    self._enrolled[party.party] = party
            if first:
                _log.info("an invitation was redeemed", extra={"party": invitation.party})
                return leaf, self._state(party)
            invitation = self._live_invitation(invitation_id)
        if invitation.key_hash != key_hash or invitation.certificate is None:
            self._enrolments.contest(invitation_id)
            _log.warning(
                "an invitation was tried with a second key; whoever issued it should ask the party",
                extra={"party": invitation.party},
            )
            raise DeniedError(
                "this invitation has been redeemed with another key",
                hint="if that was not your party, tell the coordinator's administrator at once; "
                "otherwise use the home folder that joined first, or ask for a new invitation",
            )
        return invitation.certificate, self._state(self._enrolled[invitation.party])

    def _require_own_key(self, name: str, keys: PartyKeys) -> None:
        """Raise ConflictError where a party's identity key is, or was, that of a party of another name."""
        others = {party.identity for party in self._enrolments.enrolled() if party.party != name}
        for member in self.membership.parties.values():
            if member.name != name:
                others |= {member.keys.identity.raw, *member.former_identities}
        if keys.identity.raw in others:
            raise ConflictError(
                "this identity key is enrolled under another name",
                hint="every party joins in a home of its own: choose an empty folder",
            )

    def _live_invitation(self, invitation_id: str) -> KeptInvitation:
        found = self._enrolments.invitation(invitation_id)
        if found is None:
            raise DeniedError("the coordinator does not know this invitation", hint="ask for a new one")
        if from_text(found.expires_at) <= self._clock():
            raise DeniedError(
                f"the invitation expired at {found.expires_at}", hint="ask for a new one, and check the clock"
            )
        return found

    def renew(self, name: str, request: bytes, proof: bytes) -> bytes:
        """Issue a party's next certificate; its identity key must have signed the request."""
        keys = self._keys(name)
        keys.identity.verify(proof, request)
        certificates.request_key(request)
        return self._for_party(name, request)

    def _for_party(self, name: str, request: bytes) -> bytes:
        return self._authority.certify(
            Principal(self._consortium, Caller.PARTY, name), request, self._party_life
        )

    def publish(self, publisher: str, envelope: bytes) -> int:
        """Verify and store a statement; gives its sequence number.

        Raises:
            VerificationError: it does not verify, or names keys that the party has not enrolled with.
            DeniedError: the publisher is not its issuer.
            ConflictError: its serial has been used, or a succession's key is another party's.
        """
        with self._lock:
            trial = self._membership.copy()
            statement = trial.apply(envelope)
            checking.check(statement, trial)
            checking.require_not_ahead(statement, self._clock())
            if publisher != (statement.party if isinstance(statement, Succession) else statement.issuer):
                raise DeniedError(
                    "a statement is published by its issuer only",
                    hint="publish it from its issuer's own node",
                )
            if isinstance(statement, Admission):
                found = self._enrolments.find(statement.party)
                if found is None or found.identity != statement.keys.identity.raw:
                    raise VerificationError(
                        f"the admission of {statement.party} names a key that it has not enrolled with"
                    )
                if found.role != statement.role.value:
                    raise VerificationError(f"{statement.party} was invited as {found.role}")
            if isinstance(statement, Succession):
                self._require_own_key(statement.party, statement.keys)
            if isinstance(statement, CoordinatorKey) and statement.key != self._signing_key:
                raise VerificationError("a government vouches for a key that is not this coordinator's")
            self._statements.append(envelope, expected=self.newest + 1)
            self._membership = trial
            self.newest += 1
            if isinstance(statement, Succession):
                self._enrol_successor(statement)
            if not isinstance(statement, PepperGrant):
                _log.info(
                    "a statement was published", extra={"party": statement.party, "kind": statement.KIND}
                )
            return self.newest

    def statements_after(self, sequence: int) -> Sequence[tuple[int, bytes]]:
        """List a page of statements."""
        return self._statements.after(sequence)

    def applicants(self) -> Sequence[Enrolled]:
        """List the enrolled parties whose present keys no admission names, and the expelled ones."""
        return [
            party
            for party in self._enrolments.enrolled()
            if not self._is_admitted(party)
            or self.membership.party(party.party).standing is Standing.EXPELLED
        ]

    def enrolled(self) -> Sequence[tuple[Enrolled, str]]:
        """List all enrolled parties with their state: applicant, active, suspended or expelled."""
        return [(party, self._state(party)) for party in self._enrolments.enrolled()]

    def contested(self) -> Sequence[str]:
        """List the parties whose invitation was tried with a second key."""
        return self._enrolments.contested()

    def require_enrolled(self, name: str) -> None:
        """Raise unless the party is enrolled and not expelled."""
        member = self.membership.parties.get(party_name(name))
        if member is not None and member.standing is Standing.EXPELLED:
            raise DeniedError(f"party {name} is expelled", hint="only a new admission brings it back")
        if member is None and self._enrolments.find(name) is None:
            raise UnauthenticatedError(f"party {name} is not enrolled")

    def require_member(self, name: str) -> Party:
        """Give an active member, or raise DeniedError; one that has joined anew waits to be admitted anew."""
        member = self.require_admitted(name)
        member.require_active()
        return member

    def require_admitted(self, name: str, *, role: Role | None = None) -> Party:
        """Give a party that was admitted, suspended or not, or raise DeniedError.

        Args:
            name: whose certificate it is, or who is called.
            role: that it must have, where that matters.
        """
        member = self.membership.parties.get(party_name(name))
        enrolled = self._enrolled.get(name)
        if member is None or (enrolled is not None and not self._is_admitted(enrolled)):
            anew = "" if member is None else "with the key that it joined with last "
            raise DeniedError(
                f"party {name} has not been admitted {anew}yet",
                hint=f"a government node admits it with `trisect party admit {name} --fingerprint ...`",
            )
        if member.standing is Standing.EXPELLED:
            member.require_active()
        if role is not None and member.role is not role:
            raise DeniedError(f"party {name} is no {role.value}", hint=f"only a {role.value} does this")
        return member

    def _enrol_successor(self, succession: Succession) -> None:
        """Carry a succession over to the enrolment, but for a party that has joined anew with yet another key."""
        found = self._enrolments.find(succession.party)
        if found is None:
            return
        party = replace(
            found,
            identity=succession.keys.identity.raw,
            sealing=succession.keys.sealing.raw,
            sealing_signature=succession.keys.sealing_signature,
        )
        if self._enrolments.succeed(succession.former.raw, party):
            self._enrolled[party.party] = party

    def _keys(self, name: str) -> PartyKeys:
        member = self.membership.parties.get(party_name(name))
        if member is not None:
            return member.keys
        found = self._enrolments.find(name)
        if found is None:
            raise UnauthenticatedError(f"party {name} is not enrolled")
        return stored_keys(found)

    def _state(self, party: Enrolled) -> str:
        return self.membership.party(party.party).standing.value if self._is_admitted(party) else "applicant"

    def _is_admitted(self, party: Enrolled) -> bool:
        """Tell whether an enrolled key is the member's, or was: a node may join anew before it has seen its succession."""
        member = self.membership.parties.get(party_name(party.party))
        return member is not None and (
            party.identity == member.keys.identity.raw or party.identity in member.former_identities
        )


def stored_keys(party: Enrolled) -> PartyKeys:
    """Read the keys that a party enrolled with."""
    return PartyKeys.from_raw(party.identity, party.sealing, party.sealing_signature)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise BadInputError(
            "there is no such role", hint=f"roles: {', '.join(role.value for role in Role)}"
        ) from None
