"""Frames in which a proxy tells one party what persons have allowed and taken back; all of one size.

Every party gets one each tick, whether there is something to tell or not, and answers with one: whoever carries them
cannot tell whom a consent concerns. A frame is signed by the proxy and sealed to the party. It goes on from what the
party has taken in, so that one that was lost, kept back, repeated or put out of order changes nothing. Not here: when
they are sent (`nodes.consents.courier`) and what follows from them (`trisect.store.consents`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

from trisect.clock import from_text
from trisect.errors import VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.consents import ID_BYTES
from trisect.rules.vocabulary import Purpose
from trisect.trust import documents
from trisect.trust.canonical_json import Json
from trisect.trust.equal_seals import EqualSeal, context
from trisect.trust.keys import IdentityKey, IdentityPublic, PartyName, SealingKey, SealingPublic
from trisect.trust.statements import party_name

SEAL = EqualSeal(64 * 1024)
MOST_AHEAD = 64
"""Revocations that a frame carries before their turn."""
MAX_VERSIONS = 64
"""Collections that one acknowledgement names; what a revocation changes beyond that is told by the last one."""


@dataclass(frozen=True, slots=True)
class Granted:
    """That a person has consented, as one party needs to know it.

    Attributes:
        sequence: its number among all that the proxy tells, from 1.
        id: the consent's.
        subject: the person's pseudonym towards this party.
        purposes: what for.
        kinds: of which indicators.
        parties: who may process them besides the proxy.
        voluntariness: 0 to 100.
        expires: until when.
    """

    sequence: int
    id: bytes
    subject: str
    purposes: tuple[Purpose, ...]
    kinds: tuple[Kind, ...]
    parties: tuple[PartyName, ...]
    voluntariness: int
    expires: str

    def to_body(self) -> dict[str, Json]:
        """Write the event as a frame carries it."""
        return {
            "sequence": self.sequence,
            "granted": self.id.hex(),
            "subject": self.subject,
            "purposes": [one.value for one in self.purposes],
            "kinds": [one.value for one in self.kinds],
            "parties": list(self.parties),
            "voluntariness": self.voluntariness,
            "expires": self.expires,
        }


@dataclass(frozen=True, slots=True)
class Revoked:
    """That a consent is no more. It carries the consent's random id, and nothing of whom it concerns."""

    sequence: int
    id: bytes

    def to_body(self) -> dict[str, Json]:
        """Write the event as a frame carries it."""
        return {"sequence": self.sequence, "revoked": self.id.hex()}


Event = Granted | Revoked


@dataclass(frozen=True, slots=True)
class Frame:
    """What a proxy tells one party at one tick.

    Attributes:
        after: the sequence up to which the party has taken everything in, as the proxy knows.
        upto: the sequence up to which it has after this frame.
        acknowledged: up to which the proxy has its acknowledgements.
        events: those between that concern the party, in order.
        withdrawn: revocations after `upto` that concern it, in order: they do not wait for what was granted before them.
    """

    KIND: ClassVar[str] = "consent-frame.v1"

    consortium: str
    proxy: PartyName
    party: PartyName
    after: int
    upto: int
    acknowledged: int
    events: tuple[Event, ...] = ()
    withdrawn: tuple[Revoked, ...] = ()

    def seal(self, key: IdentityKey, to: SealingPublic) -> bytes:
        """Sign and seal it; the size is always the same.

        Raises:
            VerificationError: it holds more than a frame carries.
        """
        signed = documents.sign(self.KIND, self.to_body(), [key])
        return SEAL.seal(signed, to, context(self.KIND, self.consortium, self.proxy, self.party))

    def filled(self, events: Iterable[Event], last: int, key: IdentityKey) -> Self:
        """Give the same frame with as many of the events as it carries.

        Args:
            events: those after `after` that concern the party, in order.
            last: the sequence up to which there are no others.
            key: who will sign it.
        """
        found, taken = list(events), self
        fits, least = len(found), -1
        while least < fits:  # the largest number that fits
            half = (least + fits + 1) // 2
            trial = replace(
                self,
                events=tuple(found[:half]),
                upto=last if half == len(found) else (found[half - 1].sequence if half else self.after),
            )
            if SEAL.fits(documents.sign(self.KIND, trial.to_body(), [key])):
                least, taken = half, trial
            else:
                fits = half - 1
        return taken

    @classmethod
    def open(
        cls,
        frame: bytes,
        sealing: SealingKey,
        consortium: str,
        proxy: PartyName,
        party: PartyName,
        *keys: IdentityPublic,
    ) -> Self:
        """Open and check a frame; raises VerificationError."""
        signed = SEAL.open(frame, sealing, context(cls.KIND, consortium, proxy, party))
        body = documents.verify(signed, cls.KIND, keys).body
        try:
            found = cls(
                **_addressed(body),
                **_counts(body, "after", "upto", "acknowledged"),
                events=tuple(_event(one) for one in body["events"]),
                withdrawn=tuple(_revoked(one) for one in body["withdrawn"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise VerificationError("a frame of consents is not sound") from error
        if (found.consortium, found.proxy, found.party) != (
            consortium,
            proxy,
            party,
        ) or not found._in_order():
            raise VerificationError("a frame of consents is for another party, or not in order")
        return found

    def _in_order(self) -> bool:
        numbers = [self.after, *(event.sequence for event in self.events)]
        ahead = [self.upto, *(event.sequence for event in self.withdrawn)]
        ordered = all(one < next_one for row in (numbers, ahead) for one, next_one in pairwise(row))
        return ordered and numbers[-1] <= self.upto and len(self.withdrawn) <= MOST_AHEAD

    def to_body(self) -> dict[str, Json]:
        """Write what is signed."""
        return {
            "consortium": self.consortium,
            "proxy": self.proxy,
            "party": self.party,
            "after": self.after,
            "upto": self.upto,
            "acknowledged": self.acknowledged,
            "events": [event.to_body() for event in self.events],
            "withdrawn": [event.to_body() for event in self.withdrawn],
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """In which versions of a party's collections a revocation took effect.

    Attributes:
        sequence: the revocation's.
        versions: opaque id and version of each collection that it changed; none where nothing of the person was there.
        at: when.
    """

    sequence: int
    versions: tuple[tuple[str, int], ...]
    at: str

    def to_body(self) -> dict[str, Json]:
        """Write the effect as a reply carries it."""
        versions: list[Json] = [[name, version] for name, version in self.versions[:MAX_VERSIONS]]
        return {"sequence": self.sequence, "versions": versions, "at": self.at}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a party answers to a frame; as large as one.

    Attributes:
        cursor: the sequence up to which it has taken everything in, and told all effects.
        effects: of revocations after `Frame.acknowledged`, as far as there is room.
    """

    KIND: ClassVar[str] = "consent-reply.v1"

    consortium: str
    proxy: PartyName
    party: PartyName
    cursor: int
    effects: tuple[Effect, ...] = ()

    def seal(self, key: IdentityKey, to: SealingPublic) -> bytes:
        """Sign and seal it; effects beyond what it carries are left out, and the cursor stops before them."""
        signed = (documents.sign(self.KIND, reply.to_body(), [key]) for reply in self._shorter())
        shortened = next(one for one in signed if SEAL.fits(one))
        return SEAL.seal(shortened, to, context(self.KIND, self.consortium, self.party, self.proxy))

    def _shorter(self) -> Iterator[Self]:
        yield self
        count = len(self.effects)
        while count:
            count //= 2
            yield replace(self, effects=self.effects[:count], cursor=self.effects[count].sequence - 1)

    @classmethod
    def open(
        cls,
        reply: bytes,
        sealing: SealingKey,
        consortium: str,
        proxy: PartyName,
        party: PartyName,
        *keys: IdentityPublic,
    ) -> Self:
        """Open and check a reply; raises VerificationError."""
        signed = SEAL.open(reply, sealing, context(cls.KIND, consortium, party, proxy))
        body = documents.verify(signed, cls.KIND, keys).body
        try:
            found = cls(
                **_addressed(body),
                **_counts(body, "cursor"),
                effects=tuple(_effect(one) for one in body["effects"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise VerificationError("a reply to a frame of consents is not sound") from error
        if (found.consortium, found.proxy, found.party) != (consortium, proxy, party):
            raise VerificationError("a reply to a frame of consents is another party's")
        return found

    def to_body(self) -> dict[str, Json]:
        """Write what is signed."""
        return {
            "consortium": self.consortium,
            "proxy": self.proxy,
            "party": self.party,
            "cursor": self.cursor,
            "effects": [effect.to_body() for effect in self.effects],
        }


def _addressed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "consortium": str(body["consortium"]),
        "proxy": party_name(body["proxy"]),
        "party": party_name(body["party"]),
    }


def _counts(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    found = {name: body[name] for name in names}
    if not all(type(value) is int and value >= 0 for value in found.values()):
        raise ValueError("a number in a frame of consents is none")
    return found


def _event(body: Mapping[str, Any]) -> Event:
    sequence = _counts(body, "sequence")["sequence"]
    event: Event
    if "revoked" in body:
        event = Revoked(sequence, bytes.fromhex(body["revoked"]))
    else:
        event = Granted(
            sequence=sequence,
            id=bytes.fromhex(body["granted"]),
            subject=str(body["subject"]),
            purposes=tuple(Purpose(one) for one in body["purposes"]),
            kinds=tuple(Kind(one) for one in body["kinds"]),
            parties=tuple(party_name(one) for one in body["parties"]),
            voluntariness=_counts(body, "voluntariness")["voluntariness"],
            expires=body["expires"],
        )
        from_text(event.expires)
    if len(event.id) != ID_BYTES or event.to_body() != body:
        raise ValueError("an event in a frame of consents is none")
    return event


def _revoked(body: Mapping[str, Any]) -> Revoked:
    event = _event(body)
    if not isinstance(event, Revoked):
        raise ValueError("only what was taken back is told ahead")  # noqa: TRY004  (a value of the wire)
    return event


def _effect(body: Mapping[str, Any]) -> Effect:
    versions = tuple((str(name), int(version)) for name, version in body["versions"])
    from_text(body["at"])
    return Effect(_counts(body, "sequence")["sequence"], versions, body["at"])
