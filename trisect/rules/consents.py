"""Consents: what a person has allowed through a proxy, how freely, and until when (paper, 4.1.2 and 4.2.2).

A consent is recorded in the sections of ISO/IEC TS 27560:2023, with terms of DPV, and signed by the proxy. It names no
person: only the pairwise pseudonym of one. Not here: how a party hears of it (`trisect.rules.consent_frames`).
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar

from trisect.clock import from_text
from trisect.errors import BadInputError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import dpv
from trisect.rules.vocabulary import BasisName, Purpose
from trisect.trust import canonical_json, documents
from trisect.trust.canonical_json import Json
from trisect.trust.keys import IdentityKey, IdentityPublic, PartyName
from trisect.trust.statements import party_name

ID_BYTES = 16
SALT_BYTES = 32
LONGEST = dt.timedelta(days=2 * 366)
"""After two years a person is asked again."""
MAX_PARTIES = 64
_DOMAIN = b"trisect/consent-commitment/v1\x00"
_WITHDRAWN = b"trisect/withdrawal-commitment/v1\x00"
_ORDERED = "give at least one, each once; records have them sorted"
_DAY = dt.timedelta(days=1)
E = TypeVar("E", bound=enum.StrEnum)


class Pressure(enum.StrEnum):
    """What makes a consent less than freely given."""

    BUNDLED = "bundled"
    SERVICE_REFUSED = "service-refused"
    POWER_IMBALANCE = "power-imbalance"
    PRE_TICKED = "pre-ticked"


WEIGHTS: Mapping[Pressure, int] = {
    Pressure.BUNDLED: 50,
    Pressure.SERVICE_REFUSED: 50,
    Pressure.POWER_IMBALANCE: 50,
    Pressure.PRE_TICKED: 100,
}
"""What each takes from a hundred: a box that was ticked before is no act of will at all."""


class Language(enum.StrEnum):
    """In which language a person has read the notice."""

    ENGLISH = "en"
    CHINESE = "zh"


def voluntariness(pressures: Iterable[Pressure]) -> int:
    """Tell how freely a consent was given, 0 to 100."""
    return max(0, 100 - sum(WEIGHTS[one] for one in set(pressures)))


@dataclass(frozen=True, slots=True)
class Word:
    """What one person has said through a proxy, in the bounds that the person has set.

    Attributes:
        id: 16 random bytes, by which it is revoked; tells nothing of the person.
        subject: the person's pseudonym with the proxy.
        purposes: what for, sorted.
        kinds: of which indicators of the person, sorted.
        parties: who may process them besides the proxy, sorted.
        notice: hash of the proxy's notice that the person has seen, in `language`.
        method: how it was asked for, in words.
        pressures: what made it less than free, sorted; empty where nothing did.
        given: when.
        expires: until when it holds if nobody revokes it.
    """

    KIND: ClassVar[str]
    EVENT: ClassVar[str]
    """What was said, in a word."""

    consortium: str
    proxy: PartyName
    id: bytes
    subject: str
    purposes: tuple[Purpose, ...]
    kinds: tuple[Kind, ...]
    parties: tuple[PartyName, ...]
    notice: bytes
    language: Language
    method: str
    pressures: tuple[Pressure, ...]
    given: str
    expires: str

    def __post_init__(self) -> None:
        for name, values in (("purposes", self.purposes), ("kinds", self.kinds), ("parties", self.parties)):
            if not values or list(values) != sorted(set(values)):
                raise BadInputError(f"the {name} of a {self.EVENT} are none, or not in order", hint=_ORDERED)
        if list(self.pressures) != sorted(set(self.pressures)):
            raise BadInputError(f"the pressures of a {self.EVENT} are not in order", hint=_ORDERED)
        if len(self.parties) > MAX_PARTIES:
            raise BadInputError(f"a {self.EVENT} names at most {MAX_PARTIES} parties", hint="give several")
        if len(self.id) != ID_BYTES or not self.subject or not self.method.strip():
            raise BadInputError(
                f"a {self.EVENT} has no id, no subject or no method", hint="say how the person was asked"
            )
        if not dt.timedelta() < from_text(self.expires) - from_text(self.given) <= LONGEST:
            raise BadInputError(
                f"a {self.EVENT} ends after it was given, and at most {LONGEST.days} days later",
                hint="ask the person again when it ends",
            )

    @property
    def voluntariness(self) -> int:
        """How freely it was given, 0 to 100."""
        return voluntariness(self.pressures)

    @property
    def said(self) -> bytes:
        """Hash of who says what and how, whenever it was given and however long it holds."""
        told = {
            one.name: _plain(getattr(self, one.name))
            for one in fields(self)
            if one.name not in {"id", "given", "expires"}
        }
        return hashlib.sha256(canonical_json.encode(told)).digest()

    def covers(self, other: Self) -> bool:
        """Tell whether it says the same as another word, and holds as long, but for a day."""
        return self.said == other.said and from_text(self.expires) >= from_text(other.expires) - _DAY

    def sign(self, key: IdentityKey) -> bytes:
        """Sign the record of it; gives the envelope."""
        return documents.sign(self.KIND, self.to_body(), [key])

    @classmethod
    def verify(cls, envelope: bytes, *keys: IdentityPublic) -> Self:
        """Check that one of the keys has signed, and read the record; raises VerificationError."""
        return cls.from_body(documents.verify(envelope, cls.KIND, keys).body)

    @classmethod
    def peek(cls, envelope: bytes) -> Self:
        """Read a record that was verified before."""
        return cls.from_body(documents.peek(envelope)[1])

    def to_body(self) -> dict[str, Json]:
        """Write the record in the sections of ISO/IEC TS 27560."""
        return {
            "header": {
                "schema_version": f"ISO/IEC TS 27560:2023, trisect {self.KIND}",
                "record_id": self.id.hex(),
                "pii_principal_id": self.subject,
                "consortium": self.consortium,
            },
            "pii_processing": {
                "privacy_notice": self.notice.hex(),
                "language": self.language.value,
                "lawful_basis": dpv.iri(BasisName.CONSENT),
                "collection_method": self.method,
                "purposes": [{"purpose": one.value, "term": dpv.iri(one)} for one in self.purposes],
                "pii_information": [{"kind": one.value, "term": dpv.iri(one)} for one in self.kinds],
                "withdrawal_method": f"tell {self.proxy} the record_id; nothing else is needed",
            },
            "party_identification": [
                {"party_id": name, "party_role": "recipient" if at else "proxy"}
                for at, name in enumerate((self.proxy, *self.parties))
            ],
            "event": {
                "event_type": self.EVENT,
                "event_state": "given",
                "event_time": self.given,
                "valid_until": self.expires,
                **self._event(),
            },
            "voluntariness": {
                "score": self.voluntariness,
                "pressures": [one.value for one in self.pressures],
            },
        }

    def _event(self) -> dict[str, Json]:
        """Write what this word alone says of its event."""
        return {}

    @classmethod
    def _from_event(cls, _event: Mapping[str, Any]) -> dict[str, Any]:
        """Read what this word alone says of its event."""
        return {}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a record; raises VerificationError where it says anything that `to_body` does not write."""
        try:
            header, processing, event = body["header"], body["pii_processing"], body["event"]
            proxy, *parties = (party_name(one["party_id"]) for one in body["party_identification"])
            found = cls(
                consortium=header["consortium"],
                proxy=proxy,
                id=bytes.fromhex(header["record_id"]),
                subject=header["pii_principal_id"],
                purposes=tuple(Purpose(one["purpose"]) for one in processing["purposes"]),
                kinds=tuple(Kind(one["kind"]) for one in processing["pii_information"]),
                parties=tuple(parties),
                notice=bytes.fromhex(processing["privacy_notice"]),
                language=Language(processing["language"]),
                method=processing["collection_method"],
                pressures=tuple(Pressure(one) for one in body["voluntariness"]["pressures"]),
                given=event["event_time"],
                expires=event["valid_until"],
                **cls._from_event(event),
            )
            if found.to_body() == body:
                return found
        except (KeyError, ValueError, TypeError, AttributeError, BadInputError) as error:
            raise VerificationError(f"the record of a {cls.EVENT} is not sound") from error
        raise VerificationError(f"the record of a {cls.EVENT} says more or less than one does")


@dataclass(frozen=True, slots=True)
class Consent(Word):
    """One consent of one person.

    Attributes:
        delegation: hash of the delegation under which the proxy has given it in the person's name; empty where the
            person has given it.
    """

    KIND: ClassVar[str] = "consent.v1"
    EVENT: ClassVar[str] = "consent"

    delegation: bytes = b""

    def _event(self) -> dict[str, Json]:
        return {"delegation": self.delegation.hex()} if self.delegation else {}

    @classmethod
    def _from_event(cls, event: Mapping[str, Any]) -> dict[str, Any]:
        return {"delegation": bytes.fromhex(event.get("delegation", ""))}


def _plain(value: object) -> Json:
    """Write a field of a word for its hash."""
    if isinstance(value, bytes):
        return value.hex()
    return [str(one) for one in value] if isinstance(value, tuple) else str(value)


def commitment(envelope: bytes, salt: bytes) -> bytes:
    """Commit to the record of a consent; who erases the salt has erased what the commitment could tell.

    Args:
        envelope: the signed record.
        salt: 32 random bytes of this consent's own.
    """
    return hashlib.sha256(_DOMAIN + salt + documents.payload_hash(envelope)).digest()


def withdrawal(consent: bytes, salt: bytes) -> bytes:
    """Commit to the withdrawal of a consent by its id."""
    return hashlib.sha256(_WITHDRAWN + salt + consent).digest()


@dataclass(frozen=True, slots=True)
class EpochCommitment:
    """What stands in the record of one epoch.

    Attributes:
        epoch: counts a proxy's epochs, from 1.
        sequence: up to which of the proxy's numbers it reaches: a node serves nothing before it knows those.
        leaves: how many there are, dummies included.
        root: of the RFC 9162 tree over them.
    """

    epoch: int
    sequence: int
    leaves: int
    root: bytes

    def to_content(self) -> dict[str, Json]:
        """Write it as a filing's content."""
        return {
            "epoch": self.epoch,
            "sequence": self.sequence,
            "leaves": self.leaves,
            "root": self.root.hex(),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read a filing's content; raises VerificationError."""
        try:
            found = cls(
                content["epoch"], content["sequence"], content["leaves"], bytes.fromhex(content["root"])
            )
            numbers = (found.epoch, found.sequence, found.leaves)
            if found.to_content() == content and all(type(one) is int and one > 0 for one in numbers):
                return found
        except (KeyError, TypeError, ValueError) as error:
            raise VerificationError("a commitment to consents is not sound") from error
        raise VerificationError("a commitment to consents says more or less than one does")


def words(vocabulary: type[E], texts: Iterable[str], noun: str) -> tuple[E, ...]:
    """Read words of a vocabulary into their order; raises BadInputError naming those there are."""
    try:
        return tuple(sorted({vocabulary(text) for text in texts}))
    except ValueError:
        raise BadInputError(
            f"there is no such {noun}", hint=f"known: {', '.join(one.value for one in vocabulary)}"
        ) from None
