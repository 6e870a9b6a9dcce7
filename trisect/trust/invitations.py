"""An invitation: one line of text that lets one party enrol once, until it expires.

It carries the coordinator's address and authority, the founding government's fingerprint, and a certificate
with its key under which the enrolment call is made. Whoever holds it can enrol in the party's place, so it
travels by a private way; the admission still compares the party's own fingerprint.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Self

from trisect.errors import BadInputError, VerificationError
from trisect.trust.certificates import TlsIdentity, authority_fingerprint
from trisect.trust.keys import Fingerprint

_PREFIX = "trisect-invitation-1:"
MAX_CHARACTERS = 16_384


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """What an invitation says; certificates and key are PEM, times RFC 3339."""

    consortium: str
    coordinator: str
    party: str
    role: str
    expires_at: str
    authority: str
    authority_fingerprint: str
    founder_fingerprint: str
    certificate: str
    key: str

    @property
    def identity(self) -> TlsIdentity:
        """The certificate under which the invitation is redeemed."""
        return TlsIdentity(self.key.encode(), self.certificate.encode())

    @property
    def founder(self) -> Fingerprint | None:
        """The founding government's fingerprint; None in the founder's own invitation."""
        return Fingerprint(self.founder_fingerprint) if self.founder_fingerprint else None

    def to_text(self) -> str:
        """Write the invitation as one line."""
        return _PREFIX + base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an invitation.

        Raises:
            BadInputError: it is none, is damaged, or its parts contradict each other.
        """
        line = "".join(text.split())
        if not line.startswith(_PREFIX) or len(line) > MAX_CHARACTERS:
            raise BadInputError(
                "this is no invitation", hint="pass the file that `trisect invite --output` wrote"
            )
        try:
            fields = json.loads(base64.urlsafe_b64decode(line.removeprefix(_PREFIX)))
            found = cls(**fields)
            sound = all(isinstance(value, str) for value in asdict(found).values())
            sound = sound and authority_fingerprint(found.authority.encode()) == found.authority_fingerprint
        except (ValueError, TypeError, RecursionError, VerificationError) as error:
            raise BadInputError("the invitation is damaged", hint="ask for a new one") from error
        if not sound:
            raise BadInputError("the invitation's parts contradict each other", hint="ask for a new one")
        return found
