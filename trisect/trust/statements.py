"""What a government says, as signed documents: admissions, standings, pepper grants, the coordinator's key.

Each statement about a party carries a serial that only rises, so that an old one cannot be played again.
Not here: who may say what, and what follows from it (`trisect.trust.membership`).
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, TypeVar

from trisect.clock import from_text
from trisect.errors import BadInputError, VerificationError
from trisect.trust.canonical_json import Json
from trisect.trust.keys import IdentityKey, IdentityPublic, PartyName, SealingPublic

_NAME = re.compile(r"(?=.*[a-z])(?!.*[0-9]{9})[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
E = TypeVar("E", bound=enum.StrEnum)
_SEALING_DOMAIN = b"trisect/sealing-key/v1\x00"


class Role(enum.StrEnum):
    """The three sides."""

    PROVIDER = "provider"
    GOVERNMENT = "government"
    PROXY = "proxy"


class KeyCheck(enum.StrEnum):
    """How the admitting government knew that the keys are the party's own."""

    FOUNDER = "founder"
    FINGERPRINT = "fingerprint"
    NONE = "none"


class Standing(enum.StrEnum):
    """Whether a party takes part."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPELLED = "expelled"


def party_name(text: str) -> PartyName:
    """Check a party's name.

    Raises:
        BadInputError: it is not 1 to 63 of a-z, 0-9 and inner dashes, with a letter and no long number.
    """
    if not _NAME.fullmatch(text):
        raise BadInputError(
            "a party's name has 1 to 63 characters: a-z, 0-9 and dashes inside, a letter among them and no long number",
            hint="choose a name such as first-bank",
        )
    return PartyName(text)


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """A party's public keys; the identity key has signed the sealing key."""

    identity: IdentityPublic
    sealing: SealingPublic
    sealing_signature: bytes

    @classmethod
    def bind(cls, identity: IdentityKey, sealing: SealingPublic) -> Self:
        """Sign a sealing key with its owner's identity key."""
        return cls(identity.public, sealing, identity.private.sign(_SEALING_DOMAIN + sealing.raw))

    def check(self) -> None:
        """Check that the identity key has signed the sealing key.

        Raises:
            VerificationError: it has not.
        """
        self.identity.verify(self.sealing_signature, _SEALING_DOMAIN + self.sealing.raw)

    def to_body(self) -> dict[str, Json]:
        """Write the keys as fields of a document."""
        return {
            "identity": _text(self.identity.raw),
            "sealing": _text(self.sealing.raw),
            "sealing_signature": _text(self.sealing_signature),
        }

    @classmethod
    def from_raw(cls, identity: bytes, sealing: bytes, sealing_signature: bytes) -> Self:
        """Read the keys and check them; raises VerificationError."""
        keys = cls(IdentityPublic(identity), SealingPublic(sealing), sealing_signature)
        keys.check()
        return keys

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the keys out of a document and check them; raises VerificationError."""
        return cls.from_raw(*(_bytes(body, name) for name in ("identity", "sealing", "sealing_signature")))


@dataclass(frozen=True, slots=True)
class Vetting:
    """That somebody has looked into a party, upon what, and until when that counts (paper, 4.1.2).

    Attributes:
        reviewer: who did, as every party reads it.
        evidence: where it is filed, or its digest; never the evidence itself.
        expires: RFC 3339, UTC.
    """

    reviewer: str
    evidence: str
    expires: str

    def to_body(self) -> dict[str, Json]:
        """Write the vetting as a document's field or content."""
        return {"reviewer": self.reviewer, "evidence": self.evidence, "expires": self.expires}

    @classmethod
    def from_body(cls, body: object) -> Self:
        """Read what `to_body` wrote; raises VerificationError."""
        if not isinstance(body, dict) or set(body) != {"reviewer", "evidence", "expires"}:
            raise VerificationError("a vetting does not name reviewer, evidence and expiry")
        found = cls(*(_string(body, name) for name in ("reviewer", "evidence", "expires")))
        try:
            from_text(found.expires)
        except ValueError as error:
            raise VerificationError("a vetting's expiry is no time") from error
        if not found.reviewer.strip() or not found.evidence.strip():
            raise VerificationError("a vetting names no reviewer or no evidence")
        return found

    def in_force(self, moment: dt.datetime) -> bool:
        """Tell whether it has not expired."""
        return moment < from_text(self.expires)


@dataclass(frozen=True, slots=True)
class Admission:
    """A party, its role and its keys, as a government has admitted it."""

    KIND: ClassVar = "admission.v1"

    consortium: str
    party: PartyName
    role: Role
    keys: PartyKeys
    key_check: KeyCheck
    serial: int
    issuer: PartyName
    issued: str
    vetting: Vetting | None = None

    def to_body(self) -> dict[str, Json]:
        """Write the statement's fields."""
        return {
            **common(self),
            "role": self.role.value,
            "key_check": self.key_check.value,
            "vetting": self.vetting.to_body() if self.vetting else None,
            **self.keys.to_body(),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the statement's fields; raises VerificationError."""
        return cls(
            **read_common(body),
            role=_member(Role, body, "role"),
            keys=PartyKeys.from_body(body),
            key_check=_member(KeyCheck, body, "key_check"),
            vetting=Vetting.from_body(body["vetting"]) if body.get("vetting") is not None else None,
        )


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A suspension, a reinstatement or an expulsion.

    Attributes:
        until: when a suspension lapses by itself; empty in what is none.
    """

    KIND: ClassVar = "standing.v1"

    consortium: str
    party: PartyName
    standing: Standing
    reason: str
    until: str
    serial: int
    issuer: PartyName
    issued: str

    def to_body(self) -> dict[str, Json]:
        """Write the statement's fields."""
        return {
            **common(self),
            "standing": self.standing.value,
            "reason": self.reason,
            "until": self.until,
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the statement's fields; raises VerificationError."""
        return cls(
            **read_common(body),
            standing=_member(Standing, body, "standing"),
            reason=_string(body, "reason"),
            until=_string(body, "until"),
        )


@dataclass(frozen=True, slots=True)
class Succession:
    """A party's new keys, signed by its old identity key and by the new one.

    It names the old key, so that nobody can put another one before the new one's signature.
    """

    KIND: ClassVar = "succession.v1"

    consortium: str
    party: PartyName
    former: IdentityPublic
    keys: PartyKeys
    serial: int
    issuer: PartyName
    issued: str

    def to_body(self) -> dict[str, Json]:
        """Write the statement's fields."""
        return {**common(self), "former": _text(self.former.raw), **self.keys.to_body()}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the statement's fields; raises VerificationError."""
        return cls(
            **read_common(body),
            former=IdentityPublic(_bytes(body, "former")),
            keys=PartyKeys.from_body(body),
        )


@dataclass(frozen=True, slots=True)
class PepperGrant:
    """All peppers up to an epoch, sealed to one party's key.

    Here `serial` counts pepper epochs: it is the newest epoch in the box plus one.
    """

    KIND: ClassVar = "pepper-grant.v1"

    consortium: str
    party: PartyName
    box: bytes
    serial: int
    issuer: PartyName
    issued: str

    @property
    def epoch(self) -> int:
        """The newest pepper epoch in the box."""
        return self.serial - 1

    def to_body(self) -> dict[str, Json]:
        """Write the statement's fields."""
        return {**common(self), "box": _text(self.box)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the statement's fields; raises VerificationError."""
        return cls(**read_common(body), box=_bytes(body, "box"))


@dataclass(frozen=True, slots=True)
class CoordinatorKey:
    """The key by which the coordinator signs heads of the record, as a government vouches for it.

    Here `party` is `COORDINATOR`, and `serial` counts the keys that the coordinator has had.
    """

    KIND: ClassVar = "coordinator-key.v1"

    consortium: str
    party: PartyName
    key: IdentityPublic
    serial: int
    issuer: PartyName
    issued: str

    def to_body(self) -> dict[str, Json]:
        """Write the statement's fields."""
        return {**common(self), "key": _text(self.key.raw)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the statement's fields; raises VerificationError."""
        found = cls(**read_common(body), key=IdentityPublic(_bytes(body, "key")))
        if found.party != COORDINATOR:
            raise VerificationError("a coordinator's key is stated of a party")
        return found


COORDINATOR = PartyName("coordinator")
PartyStatement = Admission | StandingChange | Succession | PepperGrant | CoordinatorKey
PARTY_STATEMENTS: Mapping[str, type[PartyStatement]] = {
    kind.KIND: kind for kind in (Admission, StandingChange, Succession, PepperGrant, CoordinatorKey)
}


class Stated(Protocol):
    """What every statement says."""

    @property
    def consortium(self) -> str:
        """Of which consortium it is."""

    @property
    def party(self) -> PartyName:
        """About whom it is."""

    @property
    def serial(self) -> int:
        """Which of its series it is, from 1."""

    @property
    def issuer(self) -> PartyName:
        """Who says it."""

    @property
    def issued(self) -> str:
        """When, for people."""


def common(statement: Stated) -> dict[str, Json]:
    """Write the fields that every statement has."""
    return {
        "consortium": statement.consortium,
        "party": statement.party,
        "serial": statement.serial,
        "issuer": statement.issuer,
        "issued": statement.issued,
    }


def read_common(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read the fields that every statement has; raises VerificationError."""
    serial = body.get("serial")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 1:
        raise VerificationError("a statement has no serial")
    return {
        "consortium": _string(body, "consortium"),
        "party": party_name(_string(body, "party")),
        "serial": serial,
        "issuer": party_name(_string(body, "issuer")),
        "issued": _string(body, "issued"),
    }


def _string(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise VerificationError(f"a statement has no text field {name}")
    return value


def _member(vocabulary: type[E], body: Mapping[str, Any], name: str) -> E:
    try:
        return vocabulary(_string(body, name))
    except ValueError as error:
        raise VerificationError(f"a statement's field {name} holds no known word") from error


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(body: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_string(body, name), validate=True)
    except ValueError as error:
        raise VerificationError(f"a statement's field {name} is not base64") from error
