"""What the demonstration shows of consent: only whose indicators may be used, and what one withdrawal changes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import grpc.aio

from trisect.cli.demo.samples import Samples, read
from trisect.cli.demo.step import Step
from trisect.indicators.readers.batch import Batch
from trisect.rpc.status import translated
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import (
    collections_pb2,
    collections_pb2_grpc,
    consents_pb2,
    consents_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
)

CALL_S = 60.0
PROXY, PROVIDER, THEIRS = "proxy", "telco", "abuse-numbers"
LIST = "members"
CONSENTING = 20
"""Members of the proxy who have their number looked for; one more has not been asked."""
Channel = Callable[[str], AbstractAsyncContextManager[grpc.aio.Channel]]


class Consenting:
    """Members of the proxy have it ask the telco whether their numbers are used for fraud.

    Args:
        samples: has the numbers, made up as all in the demonstration.
        channel: opens a channel to the socket of a party's node.

    Attributes:
        exchanges: the ids of those that were run.
    """

    def __init__(self, samples: Samples, channel: Channel) -> None:
        self._samples = samples
        self._channel = channel
        self._consents: list[bytes] = []
        self.exchanges: set[str] = set()

    async def consent(self) -> Step:
        """Record consents, keep the members' numbers on them, and ask: for those who have consented alone."""
        subjects = [await self._grant(f"member {number}") for number in range(CONSENTING)]
        await self._keep([*subjects, "somebody who was not asked"])
        found = await self._match()
        detail = (
            f"{CONSENTING} of {CONSENTING + 1} members have consented through {PROXY}; its list of all was asked about "
            f"as {found.asked} entries, and {found.matched} are among {PROVIDER}'s {THEIRS}"
        )
        return Step(
            "consent",
            (found.state, found.asked, found.matched) == ("complete", CONSENTING, CONSENTING),
            detail,
        )

    async def revoked(self) -> Step:
        """Take one consent back, and ask again."""
        started = time.monotonic()
        request = consents_pb2.RevokeConsentRequest(id=self._consents[0], wait_s=CALL_S / 2)
        async with self._consents_of(PROXY) as stub:
            reply = await stub.RevokeConsent(request, timeout=CALL_S)
        told = {
            one.party: [row.version for row in one.versions]
            for one in reply.consent.acknowledgements
            if one.at
        }
        seconds = time.monotonic() - started
        found = await self._match()
        detail = (
            f"one consent taken back, acknowledged by {', '.join(sorted(told))} within {seconds:.1f} s, in force since version "
            f"{', '.join(map(str, told.get(PROXY, [])))} of the list; asked again it had {found.asked} entries, "
            f"{found.matched} of them found"
        )
        ok = set(told) == {PROXY, PROVIDER} and (found.asked, found.matched) == (
            CONSENTING - 1,
            CONSENTING - 1,
        )
        return Step("revoked", ok, detail)

    async def _grant(self, person: str) -> str:
        """Record a member's consent; gives the pseudonym that stands in the proxy's own list."""
        request = consents_pb2.GrantConsentRequest(
            person=person,
            purposes=[self._samples.purpose],
            kinds=["phone"],
            parties=[PROVIDER],
            days=30,
            language="en",
            method="made up for a demonstration",
        )
        async with self._consents_of(PROXY) as stub:
            reply = await stub.GrantConsent(request, timeout=CALL_S)
        self._consents.append(reply.consent.id)
        return reply.subjects[PROXY]

    async def _keep(self, subjects: Sequence[str]) -> None:
        (listed,) = (one for one in self._samples.imports if one.collection == THEIRS)
        numbers = [value for batch in read(listed) for value in batch.columns["value"]]
        batch = Batch(
            {"value": numbers[: len(subjects)], "subject": list(subjects)},
            [str(number + 1) for number in range(len(subjects))],
        )
        begin = collections_pb2.ImportBegin(
            collection=LIST,
            kind="phone",
            region=listed.region,
            source="Members",
            legal_basis="consent",
            retention_days=30,
        )

        def requests() -> Iterator[collections_pb2.ImportRequest]:
            yield collections_pb2.ImportRequest(begin=begin)
            yield collections_pb2.ImportRequest(batch=batch_to_wire(batch))
            yield collections_pb2.ImportRequest(finish=collections_pb2.ImportFinish())

        async with self._channel(PROXY) as channel, translated(f"the node of {PROXY}"):
            stub = collections_pb2_grpc.CollectionsStub(channel)
            async for _ in stub.Import(requests(), timeout=CALL_S):
                pass

    async def _match(self) -> matching_pb2.Exchange:
        question = matching_pb2.StartMatchRequest(
            collection=LIST, peer=PROVIDER, peer_collection=THEIRS, purpose=self._samples.purpose
        )
        found = matching_pb2.Exchange()
        async with self._channel(PROXY) as channel, translated(f"the node of {PROXY}"):
            stub = matching_pb2_grpc.MatchingStub(channel)
            started = await stub.StartMatch(question, timeout=CALL_S)
            watch = matching_pb2.WatchExchangeRequest(exchange_id=started.exchange_id)
            async for latest in stub.WatchExchange(watch, timeout=CALL_S):
                found = latest
        self.exchanges.add(found.exchange_id)
        return found

    @asynccontextmanager
    async def _consents_of(self, name: str) -> AsyncIterator[consents_pb2_grpc.ConsentsStub]:
        async with self._channel(name) as channel, translated(f"the node of {name}"):
            yield consents_pb2_grpc.ConsentsStub(channel)
