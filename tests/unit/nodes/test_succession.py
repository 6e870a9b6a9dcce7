"""New keys of a node: kept before they are told, in place once the consortium has them, wherever it was cut."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, drawn, identity, keys, sealing, signed

from nodes.keys import NodeKeys
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.succession import Successions
from trisect.clock import system_clock, system_randomness, to_text
from trisect.errors import ConflictError, DeniedError, StaleError, UnreachableError, VerificationError
from trisect.store.database import Database, sqlite_url
from trisect.store.rolling import Rolling
from trisect.store.statements import Statements
from trisect.store.tables import node_statements
from trisect.trust import peppers
from trisect.trust.certificates import TlsIdentity
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role, Standing
from trisect.wire.v1 import directory_pb2

TELCO = PartyName("telco")
CHAIN = [peppers.new_pepper(drawn("pepper 0")), peppers.new_pepper(drawn("pepper 1"))]


def new_keys() -> NodeKeys:
    return NodeKeys(
        "telco", identity("telco"), sealing("telco"), bytes(32), TlsIdentity(b"key", b"certificate"), b"ca"
    )


class Reply:
    """What a call of the directory gives, with its metadata."""

    def __init__(self, reply: object) -> None:
        self._reply = reply

    def __await__(self) -> Any:
        async def given() -> object:
            return self._reply

        return given().__await__()

    async def initial_metadata(self) -> list[Any]:
        return []


@dataclass
class Log:
    """A coordinator's directory: it verifies and keeps statements, and breaks off where it is told to."""

    consortium: Consortium
    envelopes: list[bytes] = field(default_factory=list)
    lost: str = ""
    withheld: list[bytes] = field(default_factory=list)

    def take(self, envelope: bytes) -> None:
        self.consortium.membership.apply(envelope)
        self.envelopes.append(envelope)

    async def Publish(self, request: directory_pb2.PublishRequest, **_: object) -> object:  # noqa: N802
        match self.lost:
            case "question":
                raise UnreachableError("lost")
            case "withheld":
                self.withheld.append(request.envelope)
                return directory_pb2.PublishReply()
        self.take(request.envelope)
        if self.lost == "answer":
            raise UnreachableError("lost")
        return directory_pb2.PublishReply(sequence=len(self.envelopes))

    def ListStatements(self, request: directory_pb2.ListStatementsRequest, **_: object) -> Reply:  # noqa: N802
        found = list(enumerate(self.envelopes, 1))[request.after :]
        return Reply(
            directory_pb2.ListStatementsReply(
                statements=[directory_pb2.Statement(sequence=number, envelope=one) for number, one in found]
            )
        )


class FakeLink:
    """A link without a connection; keys are changed and kept as the real one does."""

    def __init__(self, directory: Log, home: Path) -> None:
        self.directory = directory
        self.keys = NodeKeys.load(home)
        self.times = SimpleNamespace(heard=lambda *_: None)
        self._home = home
        self._saving = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()

    change_keys = Link.change_keys
    _change_keys = Link._change_keys

    @asynccontextmanager
    async def translated(self) -> AsyncIterator[None]:
        yield


@dataclass
class Node:
    """One process of the telco's node: its home and the log outlive it."""

    home: Path
    log: Log

    def __post_init__(self) -> None:
        self.database = Database(sqlite_url(self.home / "node.db"))
        self.database.migrate("node")
        self.link: Any = FakeLink(self.log, self.home)
        self.peppers = Peppers(Rolling(self.database), self.link.keys.storage, system_randomness)
        self.members = Members(
            name=TELCO,
            role=Role.PROVIDER,
            consortium=CONSORTIUM,
            founder=keys(GOVERNMENT).identity.fingerprint,
            link=self.link,
            store=Statements(self.database, node_statements),
            peppers=self.peppers,
            clock=system_clock,
        )
        self.successions = Successions(
            self.members, self.link, clock=system_clock, randomness=system_randomness
        )

    async def start(self) -> Node:
        await self.peppers.start()
        await self.members.start()
        return self

    async def restarted(self) -> Node:
        self.database.close()
        return await Node(self.home, self.log).start()

    @property
    def fingerprint(self) -> str:
        return self.link.keys.identity.public.fingerprint

    @property
    def member(self) -> str:
        return self.log.consortium.membership.party("telco").keys.identity.fingerprint


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A telco's node that is admitted and has pepper epoch 0."""
    log = Log(Consortium())
    for make in (
        log.consortium.founding,
        lambda: log.consortium.admission("telco"),
        lambda: log.consortium.grant(GOVERNMENT, 0),
        lambda: grant(log, 0),
    ):
        log.take(signed(make(), GOVERNMENT))
    new_keys().save(tmp_path)
    found = await Node(tmp_path, log).start()
    await found.members.sync()
    assert found.peppers.epoch == 0
    yield found
    found.database.close()


def grant(log: Log, epoch: int, to: str = "telco") -> Any:
    box = peppers.grant_box(
        CHAIN[: epoch + 1], sealing(to).public, consortium=CONSORTIUM, party=PartyName("telco")
    )
    return log.consortium.grant("telco", epoch, box=box)


def test_keys_come_back_from_the_keystore_at_every_step(tmp_path: Path) -> None:
    first = new_keys()
    begun = first.with_successor(drawn("next"))
    assert begun.with_successor(drawn("another")) is begun, "what was drawn stays"
    assert (begun.identity, begun.sealing) == (first.identity, first.sealing)
    second = begun.succeeded()
    assert begun.successor is not None
    assert second.public == begun.successor.public
    assert second.identities == (first.identity.public, second.identity.public)
    third = second.with_successor(drawn("last")).succeeded()
    assert third.sealing.former == (first.sealing.raw, second.sealing.raw)
    assert first.succeeded() is first
    for kept in (first, begun, second, third):
        kept.save(tmp_path)
        assert NodeKeys.load(tmp_path) == kept
        assert (kept.storage, kept.tls, kept.authority) == (first.storage, first.tls, first.authority)
    assert first.identity.raw not in {second.identity.raw, third.identity.raw}


async def test_a_succession_is_kept_published_and_in_place(node: Node) -> None:
    former = node.fingerprint
    told = await node.successions.succeed(former)
    assert told == node.fingerprint == node.member != former
    assert NodeKeys.load(node.home) == node.link.keys
    assert node.link.keys.successor is None
    assert await node.successions.succeed(former) == told, "the same act again does nothing"
    assert len(node.log.envelopes) == 5
    again = await node.restarted()
    assert again.fingerprint == told
    assert again.peppers.epoch == 0
    with pytest.raises(ConflictError, match=f"the key of telco is {told}"):
        await again.successions.succeed(keys("stranger").identity.fingerprint)
    third = await again.successions.succeed(told)
    assert third == again.member
    assert len(node.log.consortium.membership.party("telco").former_identities) == 2
    again.database.close()


@pytest.mark.parametrize("killed", [False, True])
async def test_what_was_not_published_is_tried_again_with_the_same_keys(node: Node, killed: bool) -> None:
    former = node.fingerprint
    node.log.lost = "question"
    with pytest.raises(UnreachableError, match="is not known") as caught:
        await node.successions.succeed(former)
    assert "repeat the command" in caught.value.hint
    kept = NodeKeys.load(node.home).successor
    assert kept is not None
    found = await node.restarted() if killed else node
    node.log.lost = ""
    await found.members.sync()
    assert found.fingerprint == found.member == former
    assert await found.successions.succeed(former) == kept.identity.public.fingerprint == found.member
    found.database.close()


@pytest.mark.parametrize("killed", [False, True])
async def test_what_was_published_is_put_in_place_by_the_node_itself(node: Node, killed: bool) -> None:
    former = node.fingerprint
    node.log.lost = "answer"
    with pytest.raises(UnreachableError, match="is not known"):
        await node.successions.succeed(former)
    assert node.fingerprint == former != node.member
    found = await node.restarted() if killed else node
    node.log.lost = ""
    await found.members.sync()
    assert found.fingerprint == found.member != former
    assert await found.successions.succeed(former) == found.fingerprint
    assert len(found.log.envelopes) == 5
    found.database.close()


async def test_a_node_killed_between_its_database_and_its_keystore_mends_itself(node: Node) -> None:
    before = node.link.keys.with_successor(system_randomness)
    before.save(node.home)
    node.link.keys = before
    told = await node.successions.succeed(node.fingerprint)
    before.save(node.home)
    again = await node.restarted()
    assert again.fingerprint == told, "before any word of the coordinator's"
    assert NodeKeys.load(node.home) == again.link.keys
    again.database.close()


async def test_a_statement_that_comes_late_is_the_nodes_all_the_same(node: Node) -> None:
    former = node.fingerprint
    node.log.lost = "withheld"
    with pytest.raises(UnreachableError, match="does not hand the statement out"):
        await node.successions.succeed(former)
    assert node.fingerprint == former
    again = await node.restarted()
    node.log.take(node.log.withheld[0])
    await again.members.sync()
    assert again.fingerprint == again.member != former
    again.database.close()


async def test_peppers_granted_to_the_former_key_are_taken(node: Node) -> None:
    """The government had not seen the succession when it granted."""
    await node.successions.succeed(node.fingerprint)
    node.log.take(signed(node.log.consortium.grant(GOVERNMENT, 1), GOVERNMENT))
    node.log.take(signed(grant(node.log, 1), GOVERNMENT))
    await node.members.sync()
    assert node.peppers.epoch == 1


async def test_a_database_from_before_does_not_keep_a_node_from_starting(node: Node, tmp_path: Path) -> None:
    node.database.close()
    kept = (node.home / "node.db").read_bytes()
    later = await Node(node.home, node.log).start()
    told = await later.successions.succeed(later.fingerprint)
    later.database.close()
    for name in ("node.db-wal", "node.db-shm"):
        (node.home / name).unlink(missing_ok=True)
    (node.home / "node.db").write_bytes(kept)
    restored = await Node(node.home, node.log).start()
    await restored.members.sync()
    assert restored.fingerprint == restored.member == told
    restored.database.close()


async def test_a_keystore_from_before_is_told(node: Node) -> None:
    kept = node.link.keys
    await node.successions.succeed(node.fingerprint)
    kept.save(node.home)
    node.database.close()
    again = Node(node.home, node.log)
    with pytest.raises(VerificationError, match="not this node's"):
        await again.start()
    again.database.close()


async def test_a_party_that_is_suspended_succeeds_nothing(node: Node) -> None:
    lapses = to_text(system_clock() + dt.timedelta(hours=1))
    suspension = node.log.consortium.standing(
        "telco", Standing.SUSPENDED, issued=to_text(system_clock()), until=lapses
    )
    node.log.take(signed(suspension, GOVERNMENT))
    await node.members.sync()
    with pytest.raises(DeniedError, match="suspended"):
        await node.successions.succeed(node.fingerprint)
    assert NodeKeys.load(node.home).successor is None


async def test_a_renewal_and_a_succession_at_once_lose_nothing(node: Node) -> None:
    renewed = TlsIdentity(b"new key", b"new certificate")
    told, *_ = await asyncio.gather(
        node.successions.succeed(node.fingerprint),
        *(node.link.change_keys(lambda keys: keys.with_tls(renewed)) for _ in range(5)),
    )
    kept = NodeKeys.load(node.home)
    assert (kept.tls, kept.identity.public.fingerprint) == (renewed, told)


async def test_a_node_takes_no_statement_of_the_future(node: Node) -> None:
    """Whom a coordinator and a government would help by it is a suspended party: its suspension lapses by such a time."""
    known = node.members.membership.parties[TELCO]
    far = to_text(system_clock() + dt.timedelta(days=30))
    node.log.take(signed(node.log.consortium.standing("telco", Standing.ACTIVE, issued=far), GOVERNMENT))
    with pytest.raises(StaleError, match="here it is"):
        await node.members.sync()
    assert node.members.membership.parties[TELCO] == known
