"""What the demonstration shows of a red line: an offer that crosses it, made past the asker's own node, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import grpc.aio

from trisect.cli import screen
from trisect.cli.demo.cluster import COORDINATOR, PARTIES, Cluster
from trisect.cli.demo.step import Step
from trisect.clock import system_clock, system_randomness, to_text
from trisect.record.export import Checked
from trisect.rpc import tls
from trisect.rpc.status import translated
from trisect.rules.offers import OFFER_LIFE, Details, Offer, Reason, Refusal
from trisect.rules.regime import Regime
from trisect.store.keystore import KEYSTORE_FILE, load
from trisect.trust.certificates import TlsIdentity
from trisect.trust.keys import IdentityKey, SealingKey
from trisect.wire.v1 import governance_pb2, governance_pb2_grpc, relay_pb2, relay_pb2_grpc

CALL_S = 30.0
POLL_S = 0.1
KNOWN_S = 60.0
ASKER, ANSWERER, THEIRS = "telco", "bank", "payment-threats"
RED_LINE = "no-basis-no-exchange"
Channel = Callable[[str], AbstractAsyncContextManager[grpc.aio.Channel]]


class Crossing:
    """Somebody at the telco makes an offer with its keys, without its node, which would not have made it."""

    def __init__(self, cluster: Cluster, channel: Channel, frames: Callable[[], float]) -> None:
        self._cluster = cluster
        self._channel = channel
        self._frames = frames
        self._keys = load(cluster.home(ASKER).path / KEYSTORE_FILE)

    async def red_line(self, exported: Callable[[], Awaitable[tuple[str, Checked]]]) -> Step:
        """Offer what a red line forbids, and look who refuses it and who learns of it."""
        head, checked = await exported()
        before = self._frames()
        reason = await self._offer(self._offered(head, checked), checked)
        breaches = [await self._known(party.name) for party in PARTIES]
        found, passed = breaches[0], int(self._frames() - before)
        known = sum(one == found for one in breaches)
        detail = (
            f"{ASKER}, past its own node, offers {ANSWERER} a list without a legal basis; refused ({reason.rule}: {reason.message.rstrip('.')}) "
            f"and {screen.count(passed, 'frame')} passed; {found.issuer} opened the breach {found.party}/{found.number} "
            f"with the signed offer as its proof, and {known} of {len(PARTIES)} nodes have it"
        )
        ok = reason.rule == found.rule == RED_LINE and not passed and known == len(PARTIES)
        return Step("red_line", ok and found.issuer == ANSWERER and found.state == "open", detail)

    def _offered(self, head: str, checked: Checked) -> Offer:
        """Write an offer that would be all right, but for its legal basis."""
        membership, now, exchange = checked.membership, system_clock(), system_randomness(16)
        regime, answerer = Regime(membership), membership.party(ANSWERER)
        return Offer(
            consortium=membership.consortium,
            exchange=exchange,
            attempt=1,
            asker=ASKER,
            asker_key=membership.party(ASKER).keys.identity.fingerprint,
            answerer=ANSWERER,
            answerer_key=answerer.keys.identity.fingerprint,
            purpose="scam-prevention",
            mode="match",
            engine="ecdh",
            pepper_epoch=0,  # a demonstration does not rotate
            collection="0" * 32,
            version=1,
            kinds="phone",
            basis="unspecified",
            consents="",
            asked_padded=1_024,
            rulebook=regime.rulebooks.at(now).hash,
            notice=regime.notice_hash(ASKER),
            head=head,
            share=system_randomness(32),
            details=Details(THEIRS).seal(answerer.keys.sealing, exchange),
            created=to_text(now),
            expires=to_text(now + OFFER_LIFE),
        )

    async def _offer(self, offer: Offer, checked: Checked) -> Reason:
        """Send an offer as a node does; gives the reason of its refusal."""
        identity = TlsIdentity(self._keys["tls_key"], self._keys["tls_certificate"])
        address = self._cluster.home(COORDINATOR).running()["address"]
        call = relay_pb2.CallRequest(
            to=ANSWERER,
            method=relay_pb2.PEER_METHOD_OFFER,
            exchange_id=offer.exchange,
            body=offer.sign(IdentityKey(self._keys["identity"])),
        )
        async with (
            tls.coordinator_channel(address, self._keys["authority"], identity) as channel,
            translated("the coordinator"),
        ):
            reply = await relay_pb2_grpc.RelayStub(channel).Call(call, timeout=CALL_S)
        answer = relay_pb2.OfferReply.FromString(reply.body).answer
        refusal, _ = Refusal.verify(answer, checked.membership.party(ANSWERER).keys.identity)
        return Reason.open(refusal.reason, SealingKey(self._keys["sealing"]), offer.exchange)

    async def _known(self, name: str) -> governance_pb2.Breach:
        """Wait until a node has the breach; gives none if it never comes."""
        deadline = asyncio.get_running_loop().time() + KNOWN_S
        async with self._channel(name) as channel, translated(f"the node of {name}"):
            stub = governance_pb2_grpc.GovernanceStub(channel)
            while True:
                request = governance_pb2.ListBreachesRequest(party=ASKER)
                found = (await stub.ListBreaches(request, timeout=CALL_S)).breaches
                if found or asyncio.get_running_loop().time() > deadline:
                    return found[0] if found else governance_pb2.Breach()
                await asyncio.sleep(POLL_S)
