"""What a person wishes, as it is told to a proxy, made into the record of a consent or of a delegation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nodes.link import Link
from nodes.members import Members
from trisect.clock import Clock, Randomness, to_text
from trisect.errors import BadInputError, DeniedError
from trisect.indicators.kinds import KINDS, Kind
from trisect.rules.consents import ID_BYTES, LONGEST, SALT_BYTES, Consent, Language, Pressure, words
from trisect.rules.delegations import Delegation
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Purpose
from trisect.store.granting import Draft
from trisect.trust import documents
from trisect.trust.pseudonyms import Pseudonyms
from trisect.trust.statements import Standing

MAX_METHOD = 1_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person allows, as it is told to the proxy.

    Attributes:
        person: the proxy's own reference.
        purposes: names of purposes.
        kinds: names of kinds of indicators.
        parties: who may process them.
        days: for how long.
        notice: which of the proxy's notices the person has seen, from 1; 0 the newest.
        language: in which it was read.
        method: how the person was asked, in words.
        pressures: what made the consent less than free.
        delegation: id of the one under which the proxy says it in the person's name; empty where the person does.
        credential: of the app that brings it; empty where an administrator does.
    """

    person: str
    purposes: Sequence[str]
    kinds: Sequence[str]
    parties: Sequence[str]
    days: int
    notice: int
    language: str
    method: str
    pressures: Sequence[str]
    delegation: bytes = b""
    credential: str = ""


class Drafting:
    """Drafts records at one proxy.

    Args:
        members: tells who there is, and what notices say.
        link: has this node's keys.
        clock: tells the time.
        randomness: draws ids.
    """

    def __init__(self, members: Members, link: Link, clock: Clock, randomness: Randomness) -> None:
        self._members = members
        self._link = link
        self._clock = clock
        self._randomness = randomness
        self._pseudonyms = Pseudonyms(link.keys.storage)

    def subject(self, person: str, party: str) -> str:
        """Give the pseudonym of a person towards a party."""
        return self._pseudonyms.of(person, party)

    def draft(self, wish: Wish, delegation: bytes | None) -> Draft:
        """Draft a consent with all that is kept of it; raises as `consent` does."""
        consent = self.consent(wish, delegation)
        subjects: dict[str, str] = {
            name: self.subject(wish.person, name) for name in (consent.proxy, *consent.parties)
        }
        record = consent.sign(self._link.keys.identity)
        return Draft(
            consent, record, self._randomness(SALT_BYTES), subjects, wish.delegation, wish.credential
        )

    def consent(self, wish: Wish, delegation: bytes | None) -> Consent:
        """Draft a consent.

        Args:
            wish: what it says.
            delegation: the signed record of the one under which it is given, None where the person gives it. What
                made that less than free made the consent so too.

        Raises:
            BadInputError: it names something that there is not.
            DeniedError: it lies beyond the delegation, or names a kind that never leaves a node.
        """
        said = self._said(wish)
        if delegation is None:
            return Consent(**said)
        found = Delegation.peek(delegation)
        pressures = tuple(sorted({*said.pop("pressures"), *found.pressures}))
        consent = Consent(**said, pressures=pressures, delegation=documents.payload_hash(delegation))
        found.require(consent)
        return consent

    def delegation(self, wish: Wish) -> Delegation:
        """Draft a delegation; raises as `consent` does."""
        return Delegation(**self._said(wish))

    def _said(self, wish: Wish) -> dict[str, Any]:
        if len(wish.method.encode()) > MAX_METHOD or not wish.method.isprintable():
            raise BadInputError(
                f"how a person was asked is told in at most {MAX_METHOD} bytes of printable text",
                hint="name the form, and keep its text elsewhere",
            )
        if not 0 < wish.days <= LONGEST.days:
            raise BadInputError(
                f"what a person says holds for 1 to {LONGEST.days} days",
                hint="ask the person again when it ends",
            )
        now, membership = self._clock(), self._members.membership
        notices = Regime(membership).notices(self._members.name)
        number = wish.notice or len(notices)
        if not 1 <= number <= len(notices):
            raise BadInputError(
                f"{self._members.name} has not published a notice {number}",
                hint="`trisect notice show` tells how many there are",
            )
        parties = tuple(sorted({membership.party(name).name for name in wish.parties} - {self._members.name}))
        for name in parties:
            if membership.party(name).standing is Standing.EXPELLED:
                raise BadInputError(f"{name} is expelled", hint="name parties that take part")
        kinds = words(Kind, wish.kinds, "kind of indicator")
        for kind in kinds:
            if KINDS[kind].refusal:
                raise DeniedError(
                    f"indicators of the kind {kind}: {KINDS[kind].refusal}",
                    hint="leave that kind out",
                    rule="kind",
                )
        return {
            "consortium": membership.consortium,
            "proxy": self._members.name,
            "id": self._randomness(ID_BYTES),
            "subject": self.subject(wish.person, self._members.name),
            "purposes": words(Purpose, wish.purposes, "purpose"),
            "kinds": kinds,
            "parties": parties,
            "notice": notices[number - 1][1].hash,
            "language": words(Language, [wish.language], "language")[0],
            "method": wish.method,
            "pressures": words(Pressure, wish.pressures, "pressure"),
            "given": to_text(now),
            "expires": to_text(now + dt.timedelta(days=wish.days)),
        }
