"""A client of our own for TLS: what a port says to whom it lets in, by the version spoken."""

from __future__ import annotations

import socket
import ssl
import tempfile
from pathlib import Path

from trisect.trust.certificates import COORDINATOR_HOST, TlsIdentity

SETTINGS = 4
"""The type of the HTTP/2 frame that a server sends first (RFC 9113, 3.4)."""
_HEADER_BYTES = 9
_TYPE_AT = 3


def greet(
    address: str, authority: bytes, own: TlsIdentity, newest: str, *, host: str = COORDINATOR_HOST
) -> tuple[str | None, int]:
    """Shake hands with a port that speaks HTTP/2; gives the version agreed, and the type of its first frame.

    Args:
        address: its HOST:PORT.
        authority: the PEM of who has signed its certificate.
        own: what is shown to it.
        newest: the `ssl.TLSVersion` above which the client does not go.
        host: whom its certificate names.
    """
    name, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority.decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(own.certificate + own.key)
        file.flush()
        context.load_cert_chain(Path(file.name))
    context.maximum_version = ssl.TLSVersion[newest]
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((name, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return secure.version(), secure.recv(_HEADER_BYTES)[_TYPE_AT]
