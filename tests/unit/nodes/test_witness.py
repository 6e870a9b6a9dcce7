"""A node goes by one record: another that is shown to it, or to a peer, or a part of it that is kept back, ends that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, identity, signed
from support.receipts import receipt
from support.small_record import small_consortium

from nodes.witness import Witness
from trisect.clock import from_seconds
from trisect.errors import StaleError, TrisectError, VerificationError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, log_key, origin, witness_key
from trisect.rules.permit import Permit
from trisect.store.database import Database, sqlite_url
from trisect.store.record import NewEntry, Record, numbered
from trisect.store.settings import Setting
from trisect.store.tables import coordinator_record, node_record
from trisect.trust import documents
from trisect.trust.keys import PartyName
from trisect.trust.statements import COORDINATOR
from trisect.wire.v1 import record_pb2

NOW_S = 1_700_000_000
WITNESSES = (GOVERNMENT, "proxy")


class Log:
    """A coordinator's record, and what it says of it."""

    def __init__(self, folder: Path, found: Sequence[bytes]) -> None:
        self.database = Database(sqlite_url(folder / "coordinator.db"))
        self.database.migrate("coordinator")
        self.cosigned = 0
        self.record = Record(self.database, coordinator_record)
        self.record.append([NewEntry(entry) for entry in found])

    def note(self, size: int = 0) -> str:
        size = size or self.record.size
        head = Checkpoint(origin(CONSORTIUM), size, self.record.root(size))
        note = head.note.signed(log_key(CONSORTIUM, identity(COORDINATOR).public), identity(COORDINATOR))
        for name in WITNESSES:
            note = note.cosigned(witness_key(CONSORTIUM, name, identity(name).public), identity(name), NOW_S)
        return str(note)

    async def GetHead(self, request: record_pb2.GetHeadRequest, timeout: float) -> record_pb2.GetHeadReply:  # noqa: N802, ARG002
        proof = self.record.consistency(request.after, self.record.size) if request.after else []
        return record_pb2.GetHeadReply(note=self.note(), consistency=proof, counted=self.note())

    async def ListEntries(self, request: Any, timeout: float) -> record_pb2.ListEntriesReply:  # noqa: N802, ARG002
        return record_pb2.ListEntriesReply(entries=self.record.entries(request.first))

    async def Cosign(self, request: Any, timeout: float) -> None:  # noqa: N802, ARG002
        self.cosigned += 1


class Node:
    """A node's witness, with all that it asks."""

    def __init__(self, folder: Path, consortium: Consortium, log: Log, statements: list[bytes]) -> None:
        self.database = Database(sqlite_url(folder / "node.db"))
        self.database.migrate("node")
        self.statements = statements
        self.given = newest = len(statements)
        self.now_s = NOW_S
        self.members: Any = SimpleNamespace(
            membership=consortium.membership,
            own=consortium.membership.party("proxy"),
            name=PartyName("proxy"),
            displaced="",
            newest=newest,
            given=lambda after: [*enumerate(self.statements, start=1)][after : self.members.newest],
            sync=self.sync,
            require_coordinator_key=lambda: identity(COORDINATOR).public,
        )
        self.link: Any = SimpleNamespace(
            record=log,
            translated=self.translated,
            times=SimpleNamespace(trouble=""),
            keys=SimpleNamespace(identity=identity("proxy")),
        )
        self.witness = self.made()

    def made(self) -> Witness:
        """Make a witness, as a start of the node does."""
        governing: Any = SimpleNamespace()
        return Witness(
            self.members,
            governing,
            self.link,
            Setting(self.database, "record head"),
            Setting(self.database, "record fork"),
            Record(self.database, node_record),
            lambda: from_seconds(self.now_s),
        )

    async def sync(self) -> None:
        self.members.newest = self.given

    @asynccontextmanager
    async def translated(self) -> Any:
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A consortium with five statements, the record of them, and another that ends otherwise."""
    consortium, statements = small_consortium()
    found = [entries.of_document(one) for one in statements]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    other = signed(consortium.admission("bank"), GOVERNMENT)
    made = SimpleNamespace(
        log=Log(tmp_path / "one", found),
        other=Log(tmp_path / "other", [*found[:-1], other]),
        more=other,
        folder=tmp_path,
        consortium=consortium,
    )
    made.node = Node(tmp_path, consortium, made.log, statements)
    yield made
    for one in (made.log, made.other, made.node):
        one.database.close()


async def test_a_fork_is_found_within_one_exchange_and_ends_all(world: SimpleNamespace) -> None:
    witness: Witness = world.node.witness
    await witness.start()
    await witness.follow()
    witness.require_fresh()
    await witness.check_gossip(world.log.note())
    await witness.check_gossip(world.log.note(3))
    with pytest.raises(VerificationError, match="two records"):
        await witness.check_gossip(world.other.note())
    assert witness.contradiction == (world.log.note(), world.other.note())
    assert "two records" in witness.trouble
    with pytest.raises(VerificationError, match="two records"):
        witness.require_fresh()
    await witness.follow()
    assert "two records" in witness.trouble, "that the coordinator goes on changes nothing"
    restarted = world.node.made()
    await restarted.start()
    await restarted.follow()
    assert restarted.contradiction == witness.contradiction
    with pytest.raises(VerificationError, match="two records"):
        restarted.require_fresh()


async def test_a_peer_that_is_ahead_is_followed_or_waited_for(world: SimpleNamespace) -> None:
    witness: Witness = world.node.witness
    await witness.start()
    await witness.follow()
    with pytest.raises(StaleError, match="not seen the record"):
        await witness.check_gossip("")
    world.log.record.append([NewEntry(world.more)])
    world.node.statements.append(world.more)
    world.node.given = 6
    ahead = world.log.note()
    world.log.record.cut(5)
    with pytest.raises(StaleError, match="does not show here"):
        await witness.check_gossip(ahead)
    world.log.record.append([NewEntry(world.more)])
    await witness.check_gossip(ahead)
    assert witness.head is not None
    assert witness.head.size == 6
    assert not witness.contradiction


@pytest.mark.parametrize("by", ["another key", "another consortium", "nobody"])
async def test_what_the_coordinator_has_not_signed_proves_nothing(world: SimpleNamespace, by: str) -> None:
    witness: Witness = world.node.witness
    await witness.start()
    await witness.follow()
    name = "elsewhere" if by == "another consortium" else CONSORTIUM
    head = Checkpoint(origin(name), 5, world.other.record.root(5)).note
    if by != "nobody":
        signer = identity("mallory" if by == "another key" else COORDINATOR)
        head = head.signed(log_key(name, signer.public), signer)
    with pytest.raises(TrisectError):
        await witness.check_gossip(str(head))
    assert not witness.contradiction
    witness.require_fresh()


async def test_statements_that_are_kept_back_end_exchanges(world: SimpleNamespace) -> None:
    """The record has them, with everybody's cosignature; a withdrawal could be among them."""
    node: Node = world.node
    node.members.newest = node.given = 4
    node.now_s += 1_000  # it would cosign anew
    await node.witness.start()
    with pytest.raises(
        VerificationError, match="holds 5 statements, and the coordinator has given this node 4"
    ):
        await node.witness.follow()
    assert world.log.cosigned == 0, "a head of which not all is known is not cosigned"
    assert node.witness.note is not None, "and it is not forgotten either"
    with pytest.raises(VerificationError, match="holds 5 statements"):
        node.witness.require_fresh()
    node.given = 5
    await node.witness.follow()
    node.witness.require_fresh()
    assert world.log.cosigned == 1


async def test_a_statement_in_the_place_of_another_ends_exchanges(world: SimpleNamespace) -> None:
    """As many stand in the record as were given, and one of them, a withdrawal perhaps, was never given."""
    node: Node = world.node
    node.statements[3:] = [node.statements[4], world.more]
    await node.witness.start()
    with pytest.raises(VerificationError, match="statement 4 in the record is not the one"):
        await node.witness.follow()
    assert world.log.cosigned == 0
    with pytest.raises(VerificationError, match="statement 4"):
        node.witness.require_fresh()
    restarted = node.made()
    await restarted.start()
    with pytest.raises(VerificationError, match="statement 4"):
        await restarted.follow()


async def test_a_statement_that_the_own_database_has_lost_is_told(world: SimpleNamespace) -> None:
    node: Node = world.node
    node.members.given = lambda _after: []
    await node.witness.start()
    with pytest.raises(VerificationError, match="statement 1 is missing in this node's database"):
        await node.witness.follow()


async def test_nothing_is_gone_by_that_no_verified_head_covers(world: SimpleNamespace) -> None:
    """A coordinator that gives entries and then falls silent has not entered them."""
    node: Node = world.node
    await node.witness.start()
    await node.witness.follow()
    planted = entries.of_document(receipt().sign(identity("telco")))
    node.witness.copy.append(numbered([planted], 5))
    exchange = receipt().exchange.hex()
    assert node.witness.copy.of_exchange(exchange) == [planted]
    assert await node.witness.of_exchange(exchange) == []
    assert node.witness.size == 5


async def test_a_permit_that_was_written_down_in_another_way_is_the_same(world: SimpleNamespace) -> None:
    """Whoever stands between may send other white space than what was signed."""
    witness: Witness = world.node.witness
    signed_permit = documents.sign(Permit.KIND, {"exchange": "AAAAAAAAAAAAAAAAAAAAAA=="}, [identity("bank")])
    witness.promised.expect(signed_permit.replace(b":", b": ", 1))
    witness.promised.copied([signed_permit])
    world.node.now_s += 61
    assert witness.promised.trouble == ""


async def test_a_statement_that_never_comes_into_the_record_is_told(world: SimpleNamespace) -> None:
    """After a minute, and it ends nothing: a record that was restored may lack it for a while."""
    node: Node = world.node
    witness = node.witness
    await witness.start()
    await witness.follow()
    node.statements.append(world.more)
    node.members.newest = node.given = 6
    await witness.follow()
    node.now_s += 59
    await witness.follow()
    assert witness.trouble == ""
    node.now_s += 1
    await witness.follow()
    assert "given this node 6 statements, and after a minute the record has 5" in witness.trouble
    witness.require_fresh()
    world.log.record.append([NewEntry(world.more)])
    await witness.follow()
    assert witness.trouble == ""


async def test_a_copy_from_before_statements_were_numbered_is_made_anew(world: SimpleNamespace) -> None:
    node: Node = world.node
    node.witness.copy.append([NewEntry(entry) for entry in world.log.record.entries(0)])
    assert node.witness.copy.newest_statement() == 0
    await node.witness.start()
    await node.witness.follow()
    assert node.witness.copy.newest_statement() == 5


async def test_a_receipt_stands_in_the_record_within_a_minute(world: SimpleNamespace) -> None:
    """Whether this node hears of it first or has copied it first; one that never comes is told."""
    witness: Witness = world.node.witness
    first, second, never = (receipt(asker_frames=n).sign(identity("bank")) for n in range(3))
    await witness.start()
    await witness.follow()
    witness.promised.expect(first)
    world.log.record.append([NewEntry(entries.of_document(one)) for one in (first, second)])
    await witness.follow()
    witness.promised.expect(second)
    witness.promised.expect(never)
    world.node.now_s += 59
    await witness.follow()
    assert witness.trouble == ""
    world.node.now_s += 1
    await witness.follow()
    assert "the record lacks 1 of the permits and receipts of this node's exchanges" in witness.trouble
    world.log.record.append([NewEntry(entries.of_document(never))])
    await witness.follow()
    assert witness.trouble == ""
