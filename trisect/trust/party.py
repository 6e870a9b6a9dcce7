"""One party of the consortium, as the newest statements about it have it."""

from __future__ import annotations

from dataclasses import dataclass

from trisect.errors import DeniedError
from trisect.trust.keys import IdentityPublic, PartyName
from trisect.trust.statements import KeyCheck, PartyKeys, Role, Standing, Vetting


@dataclass(frozen=True, slots=True)
class Party:
    """One party as the newest statements about it have it.

    Attributes:
        suspended_until: when its suspension lapses; empty where there is none.
    """

    name: PartyName
    role: Role
    keys: PartyKeys
    key_check: KeyCheck
    standing: Standing
    serial: int
    pepper_epoch: int = -1
    former_identities: tuple[bytes, ...] = ()
    vetting: Vetting | None = None
    suspended_until: str = ""

    @property
    def identities(self) -> tuple[IdentityPublic, ...]:
        """The identity keys that it has had, and has now, oldest first."""
        return (*(IdentityPublic(raw) for raw in self.former_identities), self.keys.identity)

    def identities_since(self, fingerprint: str) -> tuple[IdentityPublic, ...]:
        """List the keys that may have signed in an exchange that names the one of a fingerprint.

        They are that key and those that succeeded it; where the party never had it, only the present one.
        """
        keys = self.identities
        first = next((at for at, key in enumerate(keys) if key.fingerprint == fingerprint), -1)
        return keys[first:]

    def require_active(self) -> None:
        """Raise DeniedError where the party is suspended or expelled."""
        if self.standing is not Standing.ACTIVE:
            raise DeniedError(
                f"party {self.name} is {self.standing.value}"
                + (f" until {self.suspended_until}" if self.suspended_until else ""),
                hint="a government node can reinstate it with `trisect party reinstate`",
            )
