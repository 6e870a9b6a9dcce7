"""The consents that a proxy keeps for its people: given, taken back, committed to in the public record."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nodes.consents.receiving import Receiving
from nodes.consents.replay import Replay
from nodes.consents.wishes import Drafting, Wish
from nodes.link import Link
from nodes.members import Members
from trisect.clock import Clock, Randomness, from_text, to_text
from trisect.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    StaleError,
    TrisectError,
)
from trisect.rpc.gate import require_uncut
from trisect.rules.consent_frames import Frame
from trisect.rules.consents import Consent, Word
from trisect.rules.delegations import RULE, Delegation
from trisect.rules.regime import Regime
from trisect.store.consents import Consents
from trisect.store.delegating import Delegations, KeptDelegation
from trisect.store.granting import MAX_LISTED, Draft, GrantedConsent, GrantedConsents
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role
from trisect.waiting import whole

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A consent that is kept.

    Attributes:
        consent: as it is kept.
        subjects: the person's pseudonym towards each party.
        known: whether it was there already.
    """

    consent: GrantedConsent
    subjects: Mapping[str, str]
    known: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    """A consent that will be kept, and whether somebody before has asked for it in the same call."""

    draft: Draft
    known: bool


class Register:
    """Keeps the consents of one proxy's people.

    Args:
        members: tells who this party and the others are.
        link: has this node's keys.
        granted: keeps them.
        delegations: keeps those under which they may be given.
        consents: what counts at this node, as at every party.
        receiving: takes them in for that.
        replay: tells how far that is.
        clock: tells the time.
        randomness: draws ids and salts.
    """

    def __init__(
        self,
        members: Members,
        link: Link,
        granted: GrantedConsents,
        delegations: Delegations,
        consents: Consents,
        receiving: Receiving,
        replay: Replay,
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._members = members
        self._link = link
        self._granted = granted
        self._delegations = delegations
        self._drafting = Drafting(members, link, clock, randomness)
        self._consents = consents
        self._receiving = receiving
        self._replay = replay
        self._clock = clock
        self._changing = asyncio.Lock()
        self._granting = asyncio.Lock()
        """Held by whoever gives something: however many wait for it, one at most stands before who takes back."""
        self._acknowledged = 0
        """Up to which number this node's own acknowledgements are kept."""

    @property
    def name(self) -> PartyName:
        """Whose it is."""
        return self._members.name

    async def grant(self, wish: Wish, *, once: bool = False) -> Recorded:
        """Record a consent.

        Args:
            wish: what the person allows.
            once: record nothing where the person has allowed the same already and it is in force.

        Raises:
            DeniedError: this party is no proxy, or has no notice in force, or the person has not delegated it.
            BadInputError: it names something that there is not.
            NotFoundError: there is no such delegation.
            ConflictError: this node's database is older than the public record.
        """
        (outcome,) = await self.grant_all([(wish, once)])
        if isinstance(outcome, TrisectError):
            raise outcome
        return outcome

    async def grant_all(self, wishes: Sequence[tuple[Wish, bool]]) -> Sequence[Recorded | TrisectError]:
        """Record many consents together; gives for each what became of it, or why it was refused.

        Args:
            wishes: each with whether to record it once, as `grant` does.

        Raises:
            DeniedError: this party is no proxy, or has no notice in force.
            ConflictError: this node's database is older than the public record.
        """
        self._require_sound()
        self._members.require_notice()
        await self._granting.acquire()
        return await whole(self._grant_next(wishes))

    async def _grant_next(self, wishes: Sequence[tuple[Wish, bool]]) -> Sequence[Recorded | TrisectError]:
        try:
            require_uncut()
            return await self._grant_all(wishes)
        finally:
            self._granting.release()

    async def _grant_all(self, wishes: Sequence[tuple[Wish, bool]]) -> Sequence[Recorded | TrisectError]:
        found: list[_Planned | Recorded | TrisectError] = []
        drafts: list[Draft] = []
        of_persons: dict[str, list[Draft]] = defaultdict(list)
        async with self._changing:
            for wish, once in wishes:
                one = await self._drafted(wish, once=once)
                if not isinstance(one, Draft):
                    found.append(one)
                    continue
                others = of_persons[one.consent.subject]
                same = [other for other in others if once and other.consent.covers(one.consent)]
                if not same:
                    drafts.append(one)
                    others.append(one)
                found.append(_Planned(same[0] if same else one, bool(same)))
            numbers = await asyncio.to_thread(self._granted.grant, *drafts)
            await self._tell_own()
        kept = await asyncio.to_thread(self._granted.all_of, [draft.consent.id for draft in drafts])
        refused = {
            draft.consent.id: number
            for draft, number in zip(drafts, numbers, strict=True)
            if isinstance(number, TrisectError)
        }
        return [
            refused.get(one.draft.consent.id)
            or Recorded(kept[one.draft.consent.id], one.draft.subjects, known=one.known)
            if isinstance(one, _Planned)
            else one
            for one in found
        ]

    async def _drafted(self, wish: Wish, *, once: bool) -> Draft | Recorded | TrisectError:
        try:
            delegation = await self._delegation(wish.delegation)
            draft = await asyncio.to_thread(self._drafting.draft, wish, delegation)
        except TrisectError as error:
            return error
        if once and (known := await asyncio.to_thread(self._same, draft.consent)):
            return Recorded(known, draft.subjects, known=True)
        return draft

    def _same(self, wanted: Consent) -> GrantedConsent | None:
        """Find a consent in force by which the person has allowed the same in the same way, for as long."""
        found = self._granted.saying(wanted.said)
        if found is None or found.record is None or self.why_not(found):
            return None
        return found if Consent.peek(found.record).covers(wanted) else None

    async def revoke(self, consent: bytes, *, erase: bool = False) -> GrantedConsent:
        """Take a consent back, and forget it where that is wanted; gives it as it is then.

        Raises:
            NotFoundError: there is no such consent.
            ConflictError: this node's database is older than the public record.
        """
        self._require_sound()
        return await whole(self._revoke(consent, erase=erase))

    async def _revoke(self, consent: bytes, *, erase: bool) -> GrantedConsent:
        async with self._changing:
            await asyncio.to_thread(self._granted.revoke, consent, to_text(self._clock()))
            await self._tell_own()
            if erase:
                await asyncio.to_thread(self._granted.erase, consent)
        return await asyncio.to_thread(self._granted.get, consent)

    async def delegate(self, wish: Wish) -> KeptDelegation:
        """Record within which bounds this proxy may consent in a person's name; raises as `grant` does."""
        self._require_sound()
        self._members.require_notice()
        await self._granting.acquire()
        return await whole(self._delegate(wish))

    async def _delegate(self, wish: Wish) -> KeptDelegation:
        try:
            require_uncut()
            delegation = self._drafting.delegation(wish)
            record = delegation.sign(self._link.keys.identity)
            async with self._changing:
                await asyncio.to_thread(self._delegations.keep, delegation, record, wish.credential)
        finally:
            self._granting.release()
        return await asyncio.to_thread(self._delegations.get, delegation.id)

    async def revoke_delegation(
        self, delegation: bytes, *, erase: bool = False
    ) -> tuple[KeptDelegation, Sequence[bytes]]:
        """Take a delegation back with every consent under it; gives it, and the ids of those.

        Raises:
            NotFoundError: there is no such delegation.
            ConflictError: this node's database is older than the public record.
        """
        self._require_sound()
        return await whole(self._revoke_delegation(delegation, erase=erase))

    async def _revoke_delegation(
        self, delegation: bytes, *, erase: bool
    ) -> tuple[KeptDelegation, Sequence[bytes]]:
        async with self._changing:
            consents = await asyncio.to_thread(self._delegations.revoke, delegation, to_text(self._clock()))
            await self._tell_own()
            if erase:
                await asyncio.to_thread(self._delegations.erase, delegation)
        return await asyncio.to_thread(self._delegations.get, delegation), consents

    async def delegations(self, person: str) -> Sequence[KeptDelegation]:
        """List the delegations of a person, or the newest."""
        self._require_proxy()
        return (
            await self.delegations_of(person) if person else await asyncio.to_thread(self._delegations.latest)
        )

    async def delegations_of(self, person: str) -> Sequence[KeptDelegation]:
        """List the delegations of a person."""
        self._require_proxy()
        return await asyncio.to_thread(self._delegations.of_subject, self._subject(person))

    async def require_delegation_of(self, person: str, delegation: bytes) -> None:
        """Raise NotFoundError unless a delegation that has not been erased is this person's."""
        self._require_proxy()
        subject = self._subject(person)
        found = await asyncio.to_thread(self._delegations.get, delegation)
        if found.record is None or Delegation.peek(found.record).subject != subject:
            raise NotFoundError("the person has given no such delegation", hint="list those that there are")

    async def require_consent_of(self, person: str, consent: bytes) -> None:
        """Raise NotFoundError unless a consent that has not been erased is this person's."""
        self._require_proxy()
        subject = self._subject(person)
        found = await asyncio.to_thread(self._granted.get, consent)
        if found.record is None or Consent.peek(found.record).subject != subject:
            raise NotFoundError("the person has given no such consent", hint="list those that there are")

    async def of_person(
        self, person: str, *, before: int = 0, limit: int = MAX_LISTED
    ) -> Sequence[GrantedConsent]:
        """List the newest consents of a person whose numbers are smaller, oldest of them first; 0 for all."""
        self._require_proxy()
        subject = self._subject(person)
        return await asyncio.to_thread(lambda: self._granted.of_subject(subject, before=before, limit=limit))

    def _subject(self, person: str) -> str:
        return self._drafting.subject(person, self._members.name)

    async def delegation_of(self, found: GrantedConsent) -> bytes:
        """Give the signed record of the delegation under which a consent was given; empty where there is none."""
        if not found.delegation:
            return b""
        return (await asyncio.to_thread(self._delegations.get, found.delegation)).record or b""

    async def _delegation(self, delegation: bytes) -> bytes | None:
        """Give the record of a delegation under which a consent may be given now; None where none is named."""
        if not delegation:
            return None
        kept = await asyncio.to_thread(self._delegations.get, delegation)
        if why_not := self.why_not_delegated(kept):
            raise DeniedError(
                f"nothing may be consented to under this delegation: {why_not}",
                hint="ask the person",
                rule=RULE,
            )
        return kept.record

    async def find(self, person: str, consent: bytes, credential: str = "") -> Sequence[GrantedConsent]:
        """List one consent, those of a person, those in force that came by a credential, or the newest."""
        self._require_proxy()
        if consent:
            return [await asyncio.to_thread(self._granted.get, consent)]
        if credential:
            return await asyncio.to_thread(self._granted.of_credential, credential)
        return await self.of_person(person) if person else await asyncio.to_thread(self._granted.latest)

    def why_not(self, found: GrantedConsent) -> str:
        """Tell why a consent is no basis now, empty where it is one."""
        return self._why_not(found.revoked_at, Consent.peek(found.record) if found.record else None)

    def why_not_delegated(self, found: KeptDelegation) -> str:
        """Tell why no consent may be given under a delegation now, empty where one may."""
        return self._why_not(found.revoked_at, Delegation.peek(found.record) if found.record else None)

    def _why_not(self, revoked_at: str, word: Word | None) -> str:
        if revoked_at:
            return "it was taken back"
        if word is None:
            return "it was erased"
        now = self._clock()
        if from_text(word.expires) <= now:
            return "it has ended"
        try:
            rulebook = Regime(self._members.membership).rulebooks.at(now)
        except StaleError as error:
            return error.message
        least = rulebook.provisions.limits.min_voluntariness
        if word.voluntariness < least:
            return (
                f"it was not given freely: voluntariness {word.voluntariness}, the rulebook asks for {least}"
            )
        return ""

    async def settle(self) -> None:
        """Let what was kept just before the node was killed count at this node too."""
        async with self._changing:
            await self._tell_own()

    @property
    def trouble(self) -> str:
        """What is wrong with what is kept, for /ready; empty where nothing is."""
        own = self._members.own
        if own is None or own.role is not Role.PROXY:
            return ""
        told = Regime(self._members.membership).consents_told(own.name)
        if told <= self._replay.cursor(own.name):
            return ""
        return f"the database knows less of consents than the public record, which has {told} numbers: it is an old backup"

    def _require_proxy(self) -> None:
        own = self._members.own
        if own is None or own.role is not Role.PROXY:
            raise DeniedError("only a proxy keeps consents", hint="use --home of a proxy's node")

    def _require_sound(self) -> None:
        self._require_proxy()
        if trouble := self.trouble:
            raise ConflictError(trouble, hint="restore the newest backup of this node's database")

    async def _tell_own(self) -> None:
        """Let what was just kept count at this node too, and keep its own acknowledgement."""
        own = self._members.name
        while (after := self._replay.cursor(own)) < await asyncio.to_thread(lambda: self._granted.newest):
            events, last = await asyncio.to_thread(self._granted.events, own, own, after=after, limit=512)
            frame = Frame(self._members.membership.consortium, own, own, after, last, after, tuple(events))
            await self._receiving.take(frame)
        effects = await asyncio.to_thread(self._consents.effects, own, after=self._acknowledged)
        if effects:
            await asyncio.to_thread(self._granted.acknowledge, own, effects)
            self._acknowledged = effects[-1].sequence
