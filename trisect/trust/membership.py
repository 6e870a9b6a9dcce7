"""Who belongs to the consortium, as it follows from signed statements alone.

All checks, no I/O: a coordinator and every node apply the same statements in the same order and come to the
same directory. The root of trust is the founding government's key fingerprint, which stands in every
invitation; the coordinator's word counts for nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import assert_never

from trisect.clock import from_text
from trisect.errors import ConflictError, NotFoundError, VerificationError
from trisect.trust import documents
from trisect.trust.filings import (
    STATEMENTS,
    Author,
    Filed,
    Filing,
    OfficerFiling,
    RulebookFiling,
    Statement,
    VettingFiling,
)
from trisect.trust.keys import Fingerprint, IdentityPublic, PartyName
from trisect.trust.officers import Officers
from trisect.trust.party import Party
from trisect.trust.statements import (
    Admission,
    CoordinatorKey,
    KeyCheck,
    PepperGrant,
    Role,
    Standing,
    StandingChange,
    Succession,
    Vetting,
)

MAX_PARTIES = 100_000


_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(slots=True)
class Membership:
    """The directory of one consortium.

    Args:
        consortium: its name, which every statement must carry.
        founder: the fingerprint of the founding government's identity key; None accepts the first founder
            that comes (only the coordinator and the founder itself may start so).

    Attributes:
        coordinator_keys: those that a government has vouched for, oldest first; the last is the present one.
        approvals: how many officers have to sign what needs approval, as the newest rulebook has it.
        newest: when the statement was signed that was signed last.
    """

    consortium: str
    founder: Fingerprint | None = None
    coordinator_keys: tuple[IdentityPublic, ...] = ()
    approvals: int = 1
    newest: dt.datetime = _LONG_AGO
    _parties: dict[PartyName, Party] = field(default_factory=dict)
    _suspended: dict[PartyName, dt.datetime] = field(default_factory=dict)
    _suspensions: dict[PartyName, tuple[StandingChange, ...]] = field(default_factory=dict)
    _officers: dict[PartyName, Officers] = field(default_factory=dict)
    _filed: dict[tuple[str, PartyName], tuple[Filed, ...]] = field(default_factory=dict)
    _lapsed: tuple[frozenset[PartyName], Membership] | None = field(default=None, compare=False, repr=False)

    @property
    def parties(self) -> Mapping[PartyName, Party]:
        """All parties by name, in the order of their admission."""
        return MappingProxyType(self._parties)

    def party(self, name: str) -> Party:
        """Look a party up; raises NotFoundError."""
        try:
            return self._parties[PartyName(name)]
        except KeyError:
            raise NotFoundError(
                "there is no party of that name in the consortium",
                hint="`trisect party list` at a government node names all",
            ) from None

    @property
    def pepper_keeper(self) -> PartyName | None:
        """The government that makes new peppers: the active one that was admitted first."""
        return next(
            (
                party.name
                for party in self._parties.values()
                if party.role is Role.GOVERNMENT and party.standing is Standing.ACTIVE
            ),
            None,
        )

    @property
    def pepper_epoch(self) -> int:
        """The newest pepper epoch that was granted to anybody, -1 before the first."""
        return max((party.pepper_epoch for party in self._parties.values()), default=-1)

    def apply(self, envelope: bytes) -> Statement:
        """Verify one statement and take it in.

        Raises:
            VerificationError: forged, out of another consortium, or by somebody who may not say it.
            ConflictError: its serial has been used.
        """
        kind, body = documents.peek(envelope)
        if kind not in STATEMENTS:
            raise VerificationError("a statement is of no kind that this version knows")
        statement = STATEMENTS[kind].from_body(body)
        if statement.consortium != self.consortium:
            raise VerificationError("a statement belongs to another consortium")
        self._lapsed = None
        self.lapse(_moment(statement.issued))
        signers = self._signers(statement)
        signed = documents.verify(envelope, kind, signers, threshold=len(signers))
        officers = frozenset[bytes]()
        if approvals := self.approvals_for(statement):
            officers = self.officers(statement.issuer).check(envelope, kind, approvals)
        match statement:
            case Admission():
                self._admit(statement)
            case StandingChange():
                self._stand(self.party(statement.party), statement)
            case Succession():
                self._succeed(self.party(statement.party), statement)
            case PepperGrant():
                self._grant(self.party(statement.party), statement)
            case CoordinatorKey():
                self._name_coordinator(statement)
            case Filing():
                self._file(statement, Filed(statement, signed.payload_hash, officers))
            case _:
                assert_never(statement)
        self.newest = max(self.newest, _moment(statement.issued))
        return statement

    def lapse(self, now: dt.datetime) -> list[PartyName]:
        """End the suspensions whose time is over, and name whose.

        A statement is judged by its own time, so that it is judged alike whenever it is applied.
        """
        lapsed = [name for name, until in self._suspended.items() if until <= now]
        for name in lapsed:
            self._suspended.pop(name, None)
            self._parties[name] = replace(self._parties[name], standing=Standing.ACTIVE, suspended_until="")
        return lapsed

    def as_of(self, now: dt.datetime) -> Membership:
        """Give the directory as it is at a moment, for whoever asks and not for statements to be applied to.

        Nothing lapses in this one: what is said next is judged by its own time, and so alike when it is replayed.
        """
        due = frozenset(name for name, until in self._suspended.items() if until <= now)
        if not due:
            return self
        if self._lapsed is None or self._lapsed[0] != due:
            found = self.copy()
            found.lapse(now)
            self._lapsed = (due, found)
        return self._lapsed[1]

    def copy(self) -> Membership:
        """Make a directory that can be changed without changing this one."""
        return replace(
            self,
            _parties=dict(self._parties),
            _suspended=dict(self._suspended),
            _suspensions=dict(self._suspensions),
            _officers=dict(self._officers),
            _filed=dict(self._filed),
            _lapsed=None,
        )

    def next_serial(self, name: PartyName) -> int:
        """Tell the serial that the next admission, standing or succession of a party must carry."""
        party = self._parties.get(name)
        return party.serial + 1 if party else 1

    def filed(self, kind: type[Filing], name: str | None = None) -> tuple[Filed, ...]:
        """List the filings of a kind about a party, or about all, oldest first of each party."""
        if kind.ONE_SERIES or name is not None:
            return self._filed.get(_series(kind, PartyName(name or "")), ())
        return tuple(one for (found, _), filed in self._filed.items() if found == kind.KIND for one in filed)

    def suspensions(self, name: str) -> tuple[StandingChange, ...]:
        """List the emergency suspensions of a party, oldest first."""
        return self._suspensions.get(PartyName(name), ())

    def officers(self, name: str) -> Officers:
        """Give the officers of a government; where it has named none, its identity key is the one officer's."""
        found = self._officers.get(PartyName(name))
        return found or Officers.alone(self.party(name).keys.identity)

    def approvals_for(self, statement: Statement) -> int:
        """Tell how many of the issuer's officers have to sign a statement, 0 where none does."""
        match statement:
            case OfficerFiling():
                return self.approvals if self.officers(statement.issuer).named else 1
            case Filing():
                return self.approvals if statement.APPROVED else 0
            case Admission():
                return 0 if statement.key_check is KeyCheck.FOUNDER else self.approvals
            case StandingChange():
                return self.approvals if statement.standing is Standing.EXPELLED else 0
        return 0

    def _signers(self, statement: Statement) -> list[IdentityPublic]:
        """List the keys that must all have signed a statement."""
        if isinstance(statement, Succession):
            return [self.party(statement.party).keys.identity, statement.keys.identity]
        if not self._parties:
            return [self._founder_key(statement)]
        issuer = self.party(statement.issuer)
        if (
            isinstance(statement, Filing)
            and statement.AUTHOR is Author.ITSELF
            and statement.party != issuer.name
        ):
            raise VerificationError(f"{issuer.name} files a document in the name of {statement.party}")
        if isinstance(statement, Filing) and statement.AUTHOR in {Author.ITSELF, Author.ADMITTED}:
            if issuer.standing is Standing.EXPELLED:
                raise VerificationError(f"{issuer.name} is expelled and files nothing any more")
            return [issuer.keys.identity]
        if isinstance(statement, Filing) and statement.AUTHOR is Author.MEMBER:
            issuer.require_active()
            return [issuer.keys.identity]
        if issuer.role is not Role.GOVERNMENT:
            raise VerificationError(f"{issuer.name} is no government party and cannot make statements")
        if issuer.standing is not Standing.ACTIVE:
            raise VerificationError(f"{issuer.name} is {issuer.standing.value} and cannot make statements")
        return [issuer.keys.identity]

    def _founder_key(self, statement: Statement) -> IdentityPublic:
        founds = (
            isinstance(statement, Admission)
            and statement.role is Role.GOVERNMENT
            and statement.issuer == statement.party
            and statement.key_check is KeyCheck.FOUNDER
        )
        if not founds or not isinstance(statement, Admission):
            raise VerificationError("the first statement of a consortium is not a founding admission")
        found = statement.keys.identity.fingerprint
        if self.founder is not None and found != self.founder:
            raise VerificationError(
                f"the founding government's key is {found}; the invitation names {self.founder}",
                hint="ask for a new invitation and compare the fingerprints with the government by telephone",
            )
        return statement.keys.identity

    def _admit(self, admission: Admission) -> None:
        if self._parties and admission.key_check is KeyCheck.FOUNDER:
            raise VerificationError("a consortium has one founder only")
        if len(self._parties) >= MAX_PARTIES:
            raise ConflictError(
                f"a consortium has at most {MAX_PARTIES} parties", hint="found another consortium for more"
            )
        known = self._parties.get(admission.party)
        if known is not None and known.role is not admission.role:
            raise VerificationError(f"{admission.party} was admitted as {known.role.value} before")
        self._check_serial(admission, known)
        self.founder = self.founder or admission.keys.identity.fingerprint
        self._suspended.pop(admission.party, None)
        self._parties[admission.party] = Party(
            name=admission.party,
            role=admission.role,
            keys=admission.keys,
            key_check=admission.key_check,
            standing=Standing.ACTIVE,
            serial=admission.serial,
            vetting=admission.vetting,
        )

    def _stand(self, party: Party, change: StandingChange) -> None:
        self._check_change(party, change)
        if bool(change.until) != (change.standing is Standing.SUSPENDED):
            raise VerificationError("a suspension, and no other standing, says when it lapses")
        self._suspended.pop(party.name, None)
        if change.until:
            self._suspended[party.name] = _moment(change.until)
            self._suspensions[party.name] = (*self.suspensions(party.name), change)
        self._parties[party.name] = replace(
            party, serial=change.serial, standing=change.standing, suspended_until=change.until
        )

    def _file(self, filing: Filing, filed: Filed) -> None:
        self.party(filing.party)
        series = _series(type(filing), filing.party)
        before = self._filed.get(series, ())
        if filing.serial != len(before) + 1:
            raise ConflictError(
                f"a document of the kind {filing.KIND} has number {filing.serial}, expected {len(before) + 1}",
                hint="another one came first, or an old one was filed again; look and repeat",
            )
        if isinstance(filing, OfficerFiling):
            self._officers[filing.issuer] = self.officers(filing.issuer).changed(filing, self.approvals)
        if isinstance(filing, RulebookFiling):
            approvals = filing.content.get("approvals")
            if type(approvals) is not int or approvals < 1:
                raise VerificationError("a rulebook does not say how many officers approve")
            if approvals > len(self.officers(filing.issuer).keys):
                raise ConflictError(
                    f"the rulebook wants {approvals} officers to approve, more than its issuer has named",
                    hint="name them first with `trisect officer add`; two more than approve, since keys get lost",
                )
            self.approvals = approvals
        if isinstance(filing, VettingFiling):
            vetted = replace(self.party(filing.party), vetting=Vetting.from_body(filing.content))
            self._parties[filing.party] = vetted
        self._filed[series] = (*before, filed)

    def _name_coordinator(self, statement: CoordinatorKey) -> None:
        if statement.serial != len(self.coordinator_keys) + 1:
            raise ConflictError(
                f"the coordinator has had {len(self.coordinator_keys)} keys; this is stated as the {statement.serial}th",
                hint="another government was first; look and repeat",
            )
        if statement.key in self.coordinator_keys:
            raise VerificationError("a key that the coordinator has given up does not come back")
        self.coordinator_keys = (*self.coordinator_keys, statement.key)

    def _succeed(self, party: Party, succession: Succession) -> None:
        self._check_change(party, succession)
        if succession.former != party.keys.identity:
            raise VerificationError(f"a succession names another former key than the one of {party.name}")
        if succession.keys.identity.raw in party.former_identities:
            raise VerificationError(
                f"a key that {party.name} has given up does not come back by a succession"
            )
        self._parties[party.name] = replace(
            party,
            serial=succession.serial,
            keys=succession.keys,
            former_identities=(*party.former_identities, party.keys.identity.raw),
        )

    def _check_change(self, party: Party, statement: StandingChange | Succession) -> None:
        self._check_serial(statement, party)
        if party.standing is Standing.EXPELLED:
            raise ConflictError(
                f"{party.name} is expelled; only a new admission brings it back",
                hint="invite and admit it anew",
            )

    def _grant(self, party: Party, grant: PepperGrant) -> None:
        if grant.epoch <= party.pepper_epoch:
            raise ConflictError(
                f"{party.name} has been granted pepper epoch {party.pepper_epoch} already",
                hint="there is nothing left to grant",
            )
        newest = self.pepper_epoch
        if grant.epoch > newest + (grant.issuer == self.pepper_keeper):
            raise VerificationError(
                f"{grant.issuer} grants pepper epoch {grant.epoch}, but the newest is {newest} and only "
                f"{self.pepper_keeper} begins the next"
            )
        self._parties[party.name] = replace(party, pepper_epoch=grant.epoch)

    @staticmethod
    def _check_serial(statement: Statement, known: Party | None) -> None:
        expected = known.serial + 1 if known else 1
        if statement.serial != expected:
            raise ConflictError(
                f"a statement about {statement.party} has serial {statement.serial}, expected {expected}",
                hint="another officer was first, or an old statement was played again; look and repeat",
            )


def _series(kind: type[Filing], name: PartyName) -> tuple[str, PartyName]:
    return (kind.KIND, PartyName("") if kind.ONE_SERIES else name)


def _moment(text: str) -> dt.datetime:
    try:
        return from_text(text)
    except ValueError as error:
        raise VerificationError("a statement says a time that is none") from error
