"""A telco that asks a bank about people who have consented through a proxy, with the mechanism's real parts.

What is left out is the transport between them and the engine: an asker learns what is in both sets, and the channel and
the workers have tests of their own.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.membership import GOVERNMENT, Consortium, identity
from support.rulebooks import NOTICE, NOW, offer, texts
from support.sqlite import reading

from nodes.consents.receiving import Receiving
from nodes.consents.replay import Replay
from nodes.exchanges.means import Means
from nodes.peppers import Peppers
from nodes.untreated import stored
from trisect.clock import to_text
from trisect.indicators.entries import Entry
from trisect.indicators.forms import Indicator
from trisect.indicators.kinds import Kind
from trisect.indicators.labels import Label
from trisect.indicators.tokens import Pepper, Token
from trisect.rules import permit
from trisect.rules.consent_frames import Frame
from trisect.rules.consents import Consent, EpochCommitment, Language
from trisect.rules.notices import Notice
from trisect.rules.permit import Answer
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.vocabulary import Purpose
from trisect.store.collections import Collections
from trisect.store.consents import Consents, Use
from trisect.store.database import Database, sqlite_url
from trisect.store.granting import Draft, GrantedConsents
from trisect.store.intake import Imports
from trisect.store.rolling import Rolling
from trisect.trust.filings import ConsentsFiling, NoticeFiling, RulebookFiling
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import Role, Standing, Vetting

PURPOSES = (Purpose.SCAM_PREVENTION, Purpose.CALL_SCREENING)
PROXY, BANK, TELCO = PartyName("aid"), PartyName("bank"), PartyName("telco")
LIST, BASIS = "customers", "consent: terms of the union"
PADDED = 1_024
_LONG = "2028-01-01T00:00:00Z"
_NOTICE = (
    NOTICE.replace('"iban"', '"phone"')
    .replace("payment-check", "call-screening")
    .replace("2026-11-27T12", "2026-11-20T12")
    .replace("2027-05-26", "2027-11-20")
)


@dataclass
class Clock:
    """What time it is, for everybody."""

    now: dt.datetime = NOW

    def __call__(self) -> dt.datetime:
        return self.now


class Node:
    """The bank's node: what it keeps is in one file, and everything else ends with its process."""

    def __init__(self, file: Path, consortium: Consortium, clock: Clock) -> None:
        self.file = file
        self._consortium = consortium
        self._clock = clock
        self.database = Database(sqlite_url(file))
        members: Any = _Members(consortium, clock)
        link: Any = SimpleNamespace(
            connected=True, keys=SimpleNamespace(identity=identity(BANK), storage=b"k" * 32)
        )
        consents = Consents(self.database)
        self.consents = consents
        self.peppers = Peppers(Rolling(self.database), b"k" * 32, os.urandom)
        self.replay = Replay(members, link, consents, clock)
        self.receiving = Receiving(members, link, consents, self.peppers, self.replay, clock)
        self.collections = Collections(self.database)
        self.imports = Imports(self.database)
        unused: Any = None
        self.means = Means(
            book=unused,
            collections=self.collections,
            link=link,
            members=members,
            peppers=self.peppers,
            workers=unused,
            slots=unused,
            budgets=unused,
            counts=unused,
            witness=unused,
            replay=self.replay,
            accusing=unused,
            committing=unused,
            clock=clock,
            randomness=os.urandom,
            config=unused,
        )

    async def start(self, chain: Iterable[Pepper]) -> None:
        """Begin as a process does: with what is kept, and the peppers that the directory has granted."""
        await self.peppers.start()
        await self.take(chain)
        await self.replay.start()

    async def take(self, chain: Iterable[Pepper]) -> None:
        await self.peppers.take(tuple(chain))
        await self.peppers.finish_roll()


class _Members:
    def __init__(self, consortium: Consortium, clock: Clock) -> None:
        self._consortium = consortium
        self._clock = clock
        self.name = BANK
        self.synced = asyncio.Event()
        self.synced.set()

    @property
    def membership(self) -> Membership:
        return self._consortium.membership.as_of(self._clock())

    @property
    def own(self) -> object:
        return self.membership.party(BANK)


@dataclass
class Cast:
    """Everybody, and what was done last.

    Attributes:
        folder: where databases and backups are.
        template: an empty database of a node's.
        clock: everybody's.
        chain: the peppers that everybody has.
        given: how many consents were given.
    """

    folder: Path
    template: Path
    clock: Clock = field(default_factory=Clock)
    chain: list[Pepper] = field(default_factory=lambda: [Pepper(b"\0" * 32)])
    given: int = 0

    def __post_init__(self) -> None:
        self.consortium = Consortium.founded((PROXY, Role.PROXY))
        vetting = Vetting("licensing", "file 7", _LONG)
        for name in (BANK, TELCO):
            self.consortium.take(self.consortium.admission(name, vetting=vetting))
            notice = Notice.parse(_NOTICE, Role.PROVIDER)
            self.consortium.take(self.consortium.filing(NoticeFiling, name, notice.content))
        self.consortium.review(BANK, TELCO)
        self.consortium.review(TELCO, BANK)
        for name in (PROXY, BANK):
            shutil.copy(self.template, self.folder / f"{name}.db")
        self.proxy = Database(sqlite_url(self.folder / f"{PROXY}.db"))
        self.granted = GrantedConsents(self.proxy)
        self.node = Node(self.folder / f"{BANK}.db", self.consortium, self.clock)

    async def begin(self) -> None:
        await self.node.start(self.chain)
        self.node.collections.create(
            LIST, public_id="opaque", source="branches", legal_basis=BASIS, retention_days=30,
            created_at=to_text(self.clock.now),
        )  # fmt: skip

    def close(self) -> None:
        self.proxy.close()
        self.node.database.close()

    # What the proxy does.

    def grant(self, person: int, purposes: Iterable[Purpose], parties: Iterable[str], days: float) -> Consent:
        """Record what a person allows."""
        self.given += 1
        consent = Consent(
            consortium=self.consortium.membership.consortium,
            proxy=PROXY,
            id=self.given.to_bytes(16, "big"),
            subject=f"aid-{person}",
            purposes=tuple(sorted(purposes)),
            kinds=(Kind.PHONE,),
            parties=tuple(sorted(map(PartyName, parties))),
            notice=bytes(32),
            language=Language.ENGLISH,
            method="a form",
            pressures=(),
            given=to_text(self.clock.now),
            expires=to_text(self.clock.now + dt.timedelta(days=days)),
        )
        subjects = {name: f"{name}-{person}" for name in (PROXY, *consent.parties)}
        (number,) = self.granted.grant(Draft(consent, consent.sign(identity(PROXY)), bytes(32), subjects))
        assert isinstance(number, int)
        return consent

    def revoke(self, consent: Consent) -> int:
        return self.granted.revoke(consent.id, to_text(self.clock.now))

    def commit(self) -> None:
        """Put into the record how far the proxy's consents have come."""
        epoch = len(self.consortium.membership.filed(ConsentsFiling, PROXY)) + 1
        content = EpochCommitment(epoch, self.granted.newest, 16, bytes(32)).to_content()
        self.consortium.take(
            self.consortium.filing(ConsentsFiling, PROXY, content, issued=to_text(self.clock.now))
        )

    async def deliver(self) -> None:
        """Tell the bank what concerns it."""
        after = self.node.replay.cursor(PROXY)
        events, upto = self.granted.events(BANK, PROXY, after=after, limit=512)
        if upto > after:
            consortium = self.consortium.membership.consortium
            await self.node.receiving.take(Frame(consortium, PROXY, BANK, after, upto, 0, tuple(events)))

    # What the government does.

    def rule(self, purposes: Iterable[Purpose]) -> None:
        """Publish a rulebook that allows matches for some purposes."""
        version = len(self.consortium.membership.filed(RulebookFiling)) + 1
        toml, _ = texts("demo", version=version, begins=self.clock.now, approvals=1)
        named = ", ".join(f'"{one}"' for one in purposes)
        cedar = (
            '@id("rule") @sentence("x") permit (principal, action == Trisect::Action::"match", resource) '
            f"when {{ [{named}].contains(context.purpose) }};"
        )
        found = Rulebook.parse(toml, cedar)
        self.consortium.take(
            self.consortium.filing(RulebookFiling, GOVERNMENT, found.content, issued=to_text(self.clock.now))
        )

    def stand(self, name: str, standing: Standing) -> None:
        now = self.clock.now
        until = to_text(now + dt.timedelta(days=7)) if standing is Standing.SUSPENDED else ""
        self.consortium.take(self.consortium.standing(name, standing, issued=to_text(now), until=until))

    async def rotate(self) -> None:
        self.chain.append(Pepper(bytes([len(self.chain)]) * 32))
        await self.node.take(self.chain)

    # What the bank does.

    def token(self, person: int) -> Token:
        return self.node.peppers.tokeniser().token(Indicator(Kind.PHONE, f"+1202555{person:04}"))

    def list_(self, persons: Iterable[int], *, replaces: bool) -> None:
        """Import a list of persons' telephones."""
        rows = sorted(
            stored(Entry(self.token(person), Kind.PHONE, f"case-{person}", f"bank-{person}", Label()))
            for person in persons
        )
        held = self.node.collections.get(LIST)
        progress = self.node.imports.begin(held.id, os.urandom(8), replace=replaces)
        progress = self.node.imports.add(
            progress, rows, [], epoch=self.node.peppers.epoch, day=(self.clock.now - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).days,
        )  # fmt: skip
        self.node.imports.finish(progress, allow_large_drop=True)

    async def restart(self, backup: Path | None = None) -> None:
        """End the bank's process as a kill does, and start it again: with its file, or with an old one."""
        self.node.database.close()
        if backup is not None:
            for kept in self.folder.glob(f"{BANK}.db*"):
                kept.unlink()
            shutil.copy(backup, self.node.file)
        self.node = Node(self.node.file, self.consortium, self.clock)
        await self.node.start(self.chain)

    def backup(self) -> Path:
        """Copy the bank's file, as an administrator does."""
        place = self.folder / f"backup-{len(list(self.folder.glob('backup-*')))}"
        with reading(self.node.file) as database:
            database.execute("VACUUM INTO ?", (str(place),))
        return place

    # What the telco does.

    async def ask(self, purpose: Purpose, meanwhile: Any = None) -> set[Token]:
        """Ask the bank which of all telephones are among its customers'; gives what the bank's set holds.

        Raises:
            TrisectError: the mechanism refuses it, before or after something happened `meanwhile`.
        """
        regime = Regime(self.consortium.membership.as_of(self.clock.now))
        rulebook = regime.rulebooks.at(self.clock.now)
        for name in (TELCO, BANK):
            regime.membership.party(name).require_active()
        asked = offer(
            notice=regime.notice_hash(TELCO), created=to_text(self.clock.now), purpose=purpose.value,
            rulebook=rulebook.hash, pepper_epoch=self.node.peppers.epoch,
        )  # fmt: skip
        permit.preview(asked, regime)
        means = self.node.means
        use: Use = means.use(asked, TELCO)
        snapshot = await means.snapshot(LIST, use, self.node.peppers.epoch)
        answer = Answer(
            permit=b"p" * 16,
            collection=snapshot.collection.public_id,
            version=snapshot.collection.version,
            kinds=frozenset({Kind.PHONE}),
            basis=snapshot.collection.legal_basis,
            padded=PADDED,
            retention_days=30,
            consents=snapshot.consents,
        )
        written = permit.propose(asked, b"h" * 32, answer, regime)
        permit.judge(written, asked, b"h" * 32, regime)
        if meanwhile is not None:
            await meanwhile()
        await means.require_usable(snapshot, use)
        tokens = snapshot.tokens
        return {Token(bytes(tokens[at : at + 32])) for at in range(0, len(tokens), 32)}
