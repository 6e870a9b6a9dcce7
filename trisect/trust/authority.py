"""A certificate authority at work: it signs callers' leaves, and keeps the certificate that its own daemon shows fresh."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from trisect.clock import Clock
from trisect.trust import certificates
from trisect.trust.certificates import Principal, TlsIdentity
from trisect.trust.keys import Fingerprint

_RENEW_AFTER = 2 / 3


@dataclass(slots=True)
class Authority:
    """Signs leaves of one consortium.

    Args:
        root: the CA's key and certificate.
        server: whom the daemon's own certificate names.
        own_life: how long that lives.
        clock: tells the time.
    """

    root: TlsIdentity
    server: Principal
    own_life: dt.timedelta
    clock: Clock
    _own: TlsIdentity | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the authority's key."""
        return certificates.authority_fingerprint(self.root.certificate)

    def own(self) -> TlsIdentity:
        """Give the daemon's certificate, a new one when two thirds of its life are over."""
        if self._own is None or self._is_due(self._own.certificate):
            self._own = self.identity(self.server, self.own_life)
        return self._own

    def certify(self, whom: Principal, request: bytes, life: dt.timedelta) -> bytes:
        """Issue a certificate for a CSR (DER); PEM."""
        return certificates.issue(self.root, request, whom, now=self.clock(), life=life)

    def identity(self, whom: Principal, life: dt.timedelta) -> TlsIdentity:
        """Make a key and its certificate."""
        key = certificates.new_tls_key()
        return TlsIdentity(key, self.certify(whom, certificates.signing_request(key), life))

    def _is_due(self, pem: bytes) -> bool:
        start, end = certificates.validity(pem)
        return self.clock() >= start + (end - start) * _RENEW_AFTER
