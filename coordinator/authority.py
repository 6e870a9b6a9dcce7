"""The coordinator's certificate authority at work: its own certificate, invitations', parties'."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from trisect.clock import Clock, Randomness
from trisect.errors import BadInputError
from trisect.store import keystore
from trisect.store.keystore import KEYSTORE_FILE
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal, TlsIdentity
from trisect.trust.keys import Fingerprint, IdentityKey

_RENEW_AFTER = 2 / 3


@dataclass(slots=True)
class Authority:
    """Signs leaves of one consortium.

    Args:
        consortium: its name.
        root: the CA's key and certificate.
        own_life: how long the coordinator's own certificate lives.
        party_life: how long a party's does.
        clock: tells the time.
    """

    consortium: str
    root: TlsIdentity
    own_life: dt.timedelta
    party_life: dt.timedelta
    clock: Clock
    _own: TlsIdentity | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """What invitations carry."""
        return certificates.authority_fingerprint(self.root.certificate)

    def own(self) -> TlsIdentity:
        """Give the coordinator's certificate, a new one when two thirds of its life are over."""
        if self._own is None or self._is_due(self._own.certificate):
            key = certificates.new_tls_key()
            whom = Principal(self.consortium, Caller.COORDINATOR, "coordinator")
            request = certificates.signing_request(key)
            leaf = certificates.issue(self.root, request, whom, now=self.clock(), life=self.own_life)
            self._own = TlsIdentity(key, leaf)
        return self._own

    def for_party(self, name: str, request: bytes) -> bytes:
        """Issue a party's certificate for a CSR (DER); PEM."""
        whom = Principal(self.consortium, Caller.PARTY, name)
        return certificates.issue(self.root, request, whom, now=self.clock(), life=self.party_life)

    def for_invitation(self, invitation_id: str, life: dt.timedelta) -> TlsIdentity:
        """Make the key and certificate under which one invitation is redeemed."""
        key = certificates.new_tls_key()
        whom = Principal(self.consortium, Caller.INVITATION, invitation_id)
        request = certificates.signing_request(key)
        return TlsIdentity(key, certificates.issue(self.root, request, whom, now=self.clock(), life=life))

    def _is_due(self, pem: bytes) -> bool:
        start, end = certificates.validity(pem)
        return self.clock() >= start + (end - start) * _RENEW_AFTER


_SIGNING_KEY = "signing_key"


def create(home: Path, consortium: str, clock: Clock, randomness: Randomness) -> None:
    """Make a new authority, and a key to sign the record's heads; keep both in the home's keystore."""
    root = certificates.new_authority(consortium, clock())
    secrets = {
        "authority_key": root.key,
        "authority_certificate": root.certificate,
        _SIGNING_KEY: IdentityKey.generate(randomness).raw,
    }
    keystore.save(home / KEYSTORE_FILE, secrets)


def load(home: Path) -> TlsIdentity:
    """Read the authority from the home's keystore; raises BadInputError where it is not in there."""
    secrets = _secrets(home, "authority_key", "authority_certificate")
    return TlsIdentity(secrets["authority_key"], secrets["authority_certificate"])


def signing_key(home: Path, randomness: Randomness) -> IdentityKey:
    """Read the key that signs the record's heads; a home from before there was a record gets one."""
    secrets = _secrets(home)
    if _SIGNING_KEY not in secrets:
        secrets[_SIGNING_KEY] = IdentityKey.generate(randomness).raw
        keystore.save(home / KEYSTORE_FILE, secrets)
    return IdentityKey(secrets[_SIGNING_KEY])


def _secrets(home: Path, *names: str) -> dict[str, bytes]:
    secrets = keystore.load(home / KEYSTORE_FILE)
    if missing := [name for name in names if name not in secrets]:
        raise BadInputError(
            f"the keystore {home / KEYSTORE_FILE} lacks {missing[0]}", hint="restore it from its backup"
        )
    return secrets


def new_invitation_id(randomness: Randomness) -> str:
    """Draw an invitation's id."""
    return randomness(16).hex()
