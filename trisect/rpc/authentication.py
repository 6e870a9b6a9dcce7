"""Who is calling, as the transport proved it; read anew on every call.

A TLS connection outlives its certificate and the standing of its party, so nothing that changes is remembered here.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any, TypeAlias

import grpc.aio

from trisect.clock import Clock, system_clock, to_text
from trisect.errors import UnauthenticatedError
from trisect.trust.certificates import Caller, Principal, check_client_leaf, principal, validity

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_TLS_VERSION = b"TLSv1.3"


def certified(context: Context, clock: Clock = system_clock) -> Principal:
    """Read the caller from its certificate, which must hold now: the handshake may be long ago.

    Raises:
        UnauthenticatedError: not TLS 1.3, no certificate, a certificate that is not a client's leaf, one that
            does not name exactly one principal, or one that has expired or is not valid yet.
    """
    found = context.auth_context() or {}
    if list(found.get("ssl_tls_version", ())) != [_TLS_VERSION]:
        raise UnauthenticatedError("the connection is not TLS 1.3", hint="update the calling program")
    uris = list(found.get("peer_uri", ()))
    certificates = list(found.get("x509_pem_cert", ()))
    if len(uris) != 1 or len(certificates) != 1:
        raise UnauthenticatedError("the client's certificate does not name exactly one principal")
    start, end = _leaf(certificates[0])
    named = principal(uris[0].decode())
    _check_holds(named, start, end, clock())
    return named


def expires_at(context: Context) -> dt.datetime:
    """Tell when the certificate of a caller that is `certified` expires."""
    (pem,) = (context.auth_context() or {})["x509_pem_cert"]
    return _leaf(pem)[1]


def _check_holds(named: Principal, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> None:
    if now < start:
        raise UnauthenticatedError(
            f"the certificate of {named.uri} is valid from {to_text(start)} only",
            hint="set the clock of the coordinator's machine (NTP)",
        )
    if now >= end and named.caller is Caller.APP:
        raise UnauthenticatedError(
            f"the credential ended at {to_text(end)}", hint="ask the node's administrator for a new one"
        )
    if now >= end:
        raise UnauthenticatedError(
            f"the certificate of {named.uri} expired at {to_text(end)}",
            hint="a running node renews its certificate by itself and its log says what keeps it from that; one "
            "that was off for longer asks the coordinator's administrator for a new invitation and repeats "
            "`trisect-node join` in its home",
        )


@lru_cache(maxsize=1024)
def _leaf(pem: bytes) -> tuple[dt.datetime, dt.datetime]:
    """Check a leaf and tell from when and until when it is valid; whether that is now changes with the clock."""
    check_client_leaf(pem)
    return validity(pem)
