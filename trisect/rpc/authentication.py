"""Who is calling, as the transport proved it; read anew on every call.

A TLS connection outlives its certificate and the standing of its party, so nothing is remembered here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import grpc.aio

from trisect.errors import UnauthenticatedError
from trisect.trust.certificates import Principal, check_client_leaf, principal

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_TLS_VERSION = b"TLSv1.3"


def certified(context: Context) -> Principal:
    """Read the caller from its certificate.

    Raises:
        UnauthenticatedError: not TLS 1.3, no certificate, a certificate that is not a client's leaf, or one
            that does not name exactly one principal.
    """
    found = context.auth_context() or {}
    if list(found.get("ssl_tls_version", ())) != [_TLS_VERSION]:
        raise UnauthenticatedError("the connection is not TLS 1.3", hint="update the calling program")
    uris = list(found.get("peer_uri", ()))
    certificates = list(found.get("x509_pem_cert", ()))
    if len(uris) != 1 or len(certificates) != 1:
        raise UnauthenticatedError("the client's certificate does not name exactly one principal")
    _check_leaf(certificates[0])
    return principal(uris[0].decode())


@lru_cache(maxsize=1024)
def _check_leaf(pem: bytes) -> None:
    check_client_leaf(pem)
