"""What the demonstration shows: lists imported and shared, matches run, and the coordinator's blindness.

Every figure is measured in this run. A match counts only if its hits are exactly the known answer; blindness
counts only if the scan finds its planted controls and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio

from trisect.cli.demo.cluster import COORDINATOR, Cluster
from trisect.cli.demo.samples import Import, Match, Samples, read
from trisect.cli.demo.scan import Scan, scan
from trisect.errors import TrisectError
from trisect.indicators.forms import Indicator
from trisect.indicators.kinds import Kind
from trisect.indicators.tokens import Pepper, Tokeniser
from trisect.rpc.admin_socket import socket_channel
from trisect.rpc.status import translated
from trisect.store.database import Database, sqlite_url
from trisect.store.keystore import KEYSTORE_FILE, load
from trisect.store.rolling import Rolling
from trisect.trust import peppers
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import collections_pb2 as lists_pb2
from trisect.wire.v1 import collections_pb2_grpc, matching_pb2, matching_pb2_grpc

CALL_S = 30.0
MATCH_S = 300.0
Say = Callable[[str], None]


class WrongAnswerError(TrisectError):
    """The demonstration came to another result than it must."""

    code = "TRI-DEMO-ANSWER"


@dataclass(frozen=True, slots=True)
class Matched:
    """One exchange with its figures, as the asker's node tells them."""

    plan: Match
    exchange: matching_pb2.Exchange
    found: frozenset[tuple[str, str]]
    answered: int

    @property
    def right(self) -> bool:
        """Whether the hits are exactly the known answer."""
        return self.found == self.plan.expected


class Story:
    """One run of the demonstration against a cluster that is up."""

    def __init__(self, cluster: Cluster, samples: Samples) -> None:
        self._cluster = cluster
        self.samples = samples
        self._sizes: dict[tuple[str, str], int] = {}

    async def fill(self, say: Say) -> None:
        """Import every list and share it."""
        for one in self.samples.imports:
            started = time.monotonic()
            reply = await self._import(one)
            if reply.rejected:
                raise WrongAnswerError(
                    f"{reply.rejected} rows of {one.path.name} were rejected",
                    hint="the sample lists are not those of this version; install Trisect anew",
                )
            self._sizes[one.party, one.collection] = reply.accepted
            say(
                f"{one.party} imported {reply.accepted} entries into {one.collection} "
                f"({reply.duplicates} duplicates, {time.monotonic() - started:.1f} s)"
            )
        for share in self.samples.shares:
            for recipient in share.recipients:
                named: dict[str, Any] = {"with": recipient}  # a word of Python
                sharing = lists_pb2.Sharing(purpose=self.samples.purpose, modes=["match"], **named)
                request = lists_pb2.ShareCollectionRequest(collection=share.collection, sharing=sharing)
                async with self.channel(share.party) as channel, translated(f"the node of {share.party}"):
                    await collections_pb2_grpc.CollectionsStub(channel).ShareCollection(
                        request, timeout=CALL_S
                    )

    async def matches(self) -> AsyncIterator[Matched]:
        """Run every exchange and compare its hits with the known answer."""
        for plan in self.samples.matches:
            async with self.channel(plan.asker) as channel, translated(f"the node of {plan.asker}"):
                stub = matching_pb2_grpc.MatchingStub(channel)
                started = await stub.StartMatch(
                    matching_pb2.StartMatchRequest(
                        collection=plan.collection,
                        peer=plan.answerer,
                        peer_collection=plan.theirs,
                        purpose=self.samples.purpose,
                    ),
                    timeout=CALL_S,
                )
                exchange = matching_pb2.Exchange()
                watch = matching_pb2.WatchExchangeRequest(exchange_id=started.exchange_id)
                async for latest in stub.WatchExchange(watch, timeout=MATCH_S):
                    exchange = latest
                found: set[tuple[str, str]] = set()
                hits = matching_pb2.ListHitsRequest(exchange_id=started.exchange_id)
                async for page in stub.ListHits(hits, timeout=CALL_S):
                    found.update((hit.kind, hit.ref) for hit in page.hits)
            yield Matched(plan, exchange, frozenset(found), self._sizes.get((plan.answerer, plan.theirs), 0))

    def blindness(self, scratch: Path) -> Scan:
        """Scan everything that the coordinator keeps for every value, canonical form, token and pepper."""
        chain = peppers_of(self._cluster.home("government").path)
        tokeniser = Tokeniser(chain)
        canonical = list(self.samples.canonical_values())
        tokens = [tokeniser.token(Indicator(Kind(kind), value)) for kind, value in canonical]
        return scan(
            self._cluster.home(COORDINATOR).path,
            {
                "value": [value.encode() for value in self.samples.raw_values()],
                # A number is also found where it is kept without its plus, in an integer column or anywhere else.
                "canonical form": [value.removeprefix("+").encode() for _, value in canonical],
                "token": tokens,
                "pepper": chain,
            },
            scratch,
        )

    async def _import(self, one: Import) -> lists_pb2.ImportReply:
        begin = lists_pb2.ImportBegin(
            collection=one.collection,
            kind=one.kind,
            region=one.region,
            source=one.source,
            legal_basis=one.legal_basis,
            retention_days=one.retention_days,
        )

        def requests() -> Iterator[lists_pb2.ImportRequest]:
            yield lists_pb2.ImportRequest(begin=begin)
            for batch in read(one):
                yield lists_pb2.ImportRequest(batch=batch_to_wire(batch))
            yield lists_pb2.ImportRequest(finish=lists_pb2.ImportFinish())

        last = lists_pb2.ImportReply()
        async with self.channel(one.party) as channel, translated(f"the node of {one.party}"):
            stub = collections_pb2_grpc.CollectionsStub(channel)
            async for last in stub.Import(requests(), timeout=MATCH_S):  # noqa: B007  (the last one counts)
                pass
        return last

    def channel(self, name: str) -> grpc.aio.Channel:
        """Open a channel to the socket of a party's node."""
        return socket_channel(self._cluster.socket(name))


def peppers_of(home: Path) -> tuple[Pepper, ...]:
    """Read the consortium's peppers where they may be: sealed in the home of a node."""
    database = Database(sqlite_url(home / "node.db"))
    try:
        sealed = Rolling(database).sealed_peppers()
    finally:
        database.close()
    return peppers.recover(sealed or b"", load(home / KEYSTORE_FILE)["storage"])
