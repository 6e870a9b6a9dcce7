"""The consortium as this node has verified it: statements synchronised, peppers taken, duties of a government.

The coordinator hands statements out; each is verified here against the founding government's key before it
counts. A statement that does not verify stops the synchronisation and shows in /ready.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from nodes.keys import NodeKeys
from nodes.link import Link
from nodes.peppers import Peppers
from trisect.clock import Clock, to_text
from trisect.errors import ConflictError, DeniedError, StaleError, TrisectError, VerificationError
from trisect.indicators.tokens import Pepper
from trisect.rules import checking
from trisect.rules.regime import Regime
from trisect.rules.sharing import meant
from trisect.store.statements import Statements
from trisect.trust import documents
from trisect.trust import peppers as sealed
from trisect.trust.filings import Statement
from trisect.trust.keys import Fingerprint, IdentityPublic, PartyName
from trisect.trust.membership import Membership
from trisect.trust.party import Party
from trisect.trust.statements import (
    Admission,
    KeyCheck,
    PepperGrant,
    Role,
    Standing,
)
from trisect.waiting import set_within
from trisect.wire.v1 import directory_pb2

_log = logging.getLogger(__name__)
SYNC_EVERY_S = 30.0
_TIMEOUT_S = 15.0


class Members:
    """Membership at one node.

    Args:
        name: this party.
        role: the role that it was invited in.
        consortium: its name.
        founder: the founding government's fingerprint; a government whose own it is founds the consortium.
        link: the connection to the coordinator.
        store: keeps verified statements.
        peppers: keeps the peppers granted to this party.
        clock: tells the time.

    Attributes:
        trouble: what keeps statements from being synchronised, for /ready; empty where nothing does.
        synced: set once they have been since the node started.
    """

    def __init__(
        self,
        *,
        name: PartyName,
        role: Role,
        consortium: str,
        founder: Fingerprint,
        link: Link,
        store: Statements,
        peppers: Peppers,
        clock: Clock,
    ) -> None:
        self.name = name
        self.role = role
        self._consortium = consortium
        self._founds = role is Role.GOVERNMENT and founder == link.keys.identity.public.fingerprint
        self._link = link
        self._store = store
        self._peppers = peppers
        self._clock = clock
        self._newest = 0
        self._syncing = asyncio.Lock()
        self._trusted = Membership(consortium, founder)
        self._granted: PepperGrant | None = None
        self.trouble = ""
        self.synced = asyncio.Event()

    @property
    def membership(self) -> Membership:
        """The verified directory, as it is now."""
        return self._trusted.as_of(self._clock())

    @property
    def newest(self) -> int:
        """The sequence of the newest statement that was verified."""
        return self._newest

    def given(self, after: int) -> Sequence[tuple[int, bytes]]:
        """List a page of the statements that were verified after one, each with its sequence."""
        return self._store.after(after)

    @property
    def own(self) -> Party | None:
        """This party as the consortium has it, None before admission."""
        return self.membership.parties.get(self.name)

    @property
    def admitted(self) -> bool:
        """Whether this party has been admitted with this node's keys and holds the peppers."""
        return self.own is not None and self._peppers.epoch >= 0

    @property
    def displaced(self) -> str:
        """Why this node's key is not this party's, empty where it is or nobody has been admitted yet."""
        own = self.own
        if own is None or own.keys.identity == self._link.keys.identity.public:
            return ""
        return f"{self.name} was admitted with a key that is not this node's"

    def require_active(self) -> None:
        """Raise DeniedError unless this party is admitted and active."""
        if self.own is None:
            raise DeniedError(
                f"party {self.name} has not been admitted yet",
                hint=f"a government node admits it with `trisect party admit {self.name} --fingerprint "
                f"{self._link.keys.identity.public.fingerprint}`",
            )
        self.own.require_active()

    def require_government(self) -> None:
        """Raise DeniedError unless this party is an active government."""
        self.require_active()
        if self.role is not Role.GOVERNMENT:
            raise DeniedError("only a government node does this", hint="use --home of a government's node")

    def require_notice(self) -> None:
        """Raise DeniedError where this party has told nobody what it does to personal information."""
        Regime(self._trusted).require_notice(self.name, self._clock())

    def count_meant(self, recipient: str) -> int:
        """Count the other parties that are meant by the recipient of a sharing, expelled ones left out."""
        return sum(
            recipient in meant(party.name, party.role)
            for party in self._trusted.parties.values()
            if party.name != self.name and party.standing is not Standing.EXPELLED
        )

    def require_coordinator_key(self) -> IdentityPublic:
        """Give the key by which the coordinator signs permits and heads; raises StaleError before it is stated."""
        keys = self._trusted.coordinator_keys
        if not keys:
            raise StaleError(
                "no government has stated the coordinator's key yet", hint="it does so by itself; try again"
            )
        return keys[-1]

    async def start(self) -> None:
        """Load the statements that this node has verified before."""
        while page := await asyncio.to_thread(self._store.after, self._newest):
            for sequence, envelope in page:
                self._remember_grant(self._trusted.apply(envelope))
                self._newest = sequence
        if self.own is None or self.own.keys.identity not in self._link.keys.former_identities:
            await (
                self._open_grant()
            )  # else the database is older than the keystore; the next statements mend that

    async def run(self) -> None:
        """Synchronise when told to and every half minute, until cancelled."""
        while True:
            self._link.statements_changed.clear()
            if self._link.connected:
                try:
                    await self.sync()
                    self.trouble = ""
                    self.synced.set()
                except TrisectError as error:
                    self.trouble = error.message
                    _log.warning("statements could not be synchronised", extra={"reason": error.message})
            await self._peppers.finish_roll()
            await set_within(self._link.statements_changed, SYNC_EVERY_S)

    async def sync(self) -> None:
        """Fetch, verify and act on new statements."""
        async with self._syncing:
            await self._fetch()
            if self._founds and not self._trusted.parties:
                await self._found()
            await self._grant_missing()

    async def rotate(self) -> int:
        """Begin a new pepper epoch and grant it to every active party; gives how many were granted.

        Raises:
            DeniedError: only the eldest active government rotates.
        """
        self.require_government()
        keeper = self.membership.pepper_keeper
        if self.own is None or keeper != self.name:
            raise DeniedError(
                "this government's node does not make the peppers",
                hint=f"rotate at the node of {keeper}: the eldest active government makes them",
            )
        if self._peppers.epoch != self.own.pepper_epoch:
            raise ConflictError("the last rotation has not ended yet", hint="try again in a moment")
        chain = self._peppers.next_chain()
        await self.publish(self._grant(self.own, chain))
        return sum(
            party.pepper_epoch == len(chain) - 1 and party.name != self.name
            for party in self._trusted.parties.values()
        )

    async def _fetch(self) -> None:
        more = True
        while more:
            async with self._link.translated():
                asked_at = self._clock()
                call = self._link.directory.ListStatements(
                    directory_pb2.ListStatementsRequest(after=self._newest), timeout=_TIMEOUT_S
                )
                reply = await call
                self._link.times.heard(await call.initial_metadata(), asked_at)
            for found in reply.statements:
                await self._take(found.sequence, found.envelope)
            more = reply.more and bool(reply.statements)
        await self._open_grant()

    async def _take(self, sequence: int, envelope: bytes) -> None:
        if sequence != self._newest + 1:
            raise VerificationError("the coordinator left out a statement")
        trial = self._trusted.copy()
        statement = trial.apply(envelope)
        await asyncio.to_thread(checking.check, statement, trial)
        checking.require_not_ahead(statement, self._clock())
        await asyncio.to_thread(self._store.append, envelope, expected=sequence)
        self._trusted = trial
        self._newest = sequence
        self._remember_grant(statement)

    def _remember_grant(self, statement: Statement) -> None:
        if isinstance(statement, PepperGrant) and statement.party == self.name:
            self._granted = statement

    async def _adopt_keys(self) -> None:
        """Put successors in place once a statement has made them this party's keys."""
        own, successor = self.own, self._link.keys.successor
        if own is not None and successor is not None and own.keys.identity == successor.identity.public:
            await self._link.change_keys(NodeKeys.succeeded)
            _log.info("new keys are in place", extra={"fingerprint": own.keys.identity.fingerprint})

    async def _open_grant(self) -> None:
        """Check that the admission names this node's key, and take the newest peppers granted to it."""
        await self._adopt_keys()
        key = self._link.keys
        if self.displaced:
            raise VerificationError(
                self.displaced,
                hint="this home was replaced by a newer one, or somebody between has put another key in your "
                "place: tell the government",
            )
        if self._granted is not None and self._granted.epoch > self._peppers.epoch:
            box = self._granted.box
            chain = sealed.open_box(box, key.sealing, consortium=self._consortium, party=self.name)
            if len(chain) != self._granted.epoch + 1:
                raise VerificationError(
                    f"{self._granted.issuer} has granted {len(chain)} peppers for epoch {self._granted.epoch}",
                    hint="ask another government to admit this party again; it gets all peppers anew",
                )
            await self._peppers.take(chain)

    async def _found(self) -> None:
        """Found the consortium: admit this party, and make the first pepper."""
        await self._publish(
            Admission(
                consortium=self._consortium,
                party=self.name,
                role=Role.GOVERNMENT,
                keys=self._link.keys.public,
                key_check=KeyCheck.FOUNDER,
                serial=1,
                issuer=self.name,
                issued=self.now(),
            )
        )
        _log.info("the consortium is founded", extra={"consortium": self._consortium})

    async def _grant_missing(self) -> None:
        """As a government, give every active party the newest peppers; as the eldest, make the first."""
        own = self.own
        if own is None or own.role is not Role.GOVERNMENT or own.standing is not Standing.ACTIVE:
            return
        if self.membership.pepper_keeper == self.name and self._trusted.pepper_epoch < 0:
            await self._publish(self._grant(own, self._peppers.next_chain()))
        if self._peppers.epoch != self._trusted.pepper_epoch:
            return
        for name in list(self._trusted.parties):
            party = self._trusted.party(name)
            if party.standing is Standing.ACTIVE and party.pepper_epoch < self._peppers.epoch:
                try:
                    await self._publish(self._grant(party, self._peppers.chain))
                except ConflictError:  # another government was first
                    await self._fetch()

    def _grant(self, party: Party, peppers: Sequence[Pepper]) -> PepperGrant:
        box = sealed.grant_box(peppers, party.keys.sealing, consortium=self._consortium, party=party.name)
        return PepperGrant(
            consortium=self._consortium,
            party=party.name,
            box=box,
            serial=len(peppers),
            issuer=self.name,
            issued=self.now(),
        )

    def sign(self, statement: Statement) -> bytes:
        """Sign a statement with this node's key; gives the envelope."""
        return documents.sign(statement.KIND, statement.to_body(), [self._link.keys.identity])

    async def publish(self, statement: Statement) -> None:
        """Sign and publish a statement, then take it back in as everybody does."""
        await self.publish_signed(self.sign(statement))

    async def publish_signed(self, envelope: bytes) -> None:
        """Publish a statement that others have signed too, then take it back in as everybody does."""
        await self._send(envelope)
        try:
            await self.sync()
        except (
            StaleError
        ) as error:  # another's, of a time that this clock has not reached: ours is published all the same
            self.trouble = error.message
            _log.warning("statements could not be synchronised", extra={"reason": error.message})

    async def _publish(self, statement: Statement) -> None:
        """Publish a statement in the middle of a synchronisation."""
        await self._send(self.sign(statement))
        await self._fetch()

    async def _send(self, envelope: bytes) -> None:
        async with self._link.translated():
            await self._link.directory.Publish(
                directory_pb2.PublishRequest(envelope=envelope), timeout=_TIMEOUT_S
            )

    def now(self) -> str:
        """Tell the time as statements carry it."""
        return to_text(self._clock())
