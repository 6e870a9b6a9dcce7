"""Channels to the Unix sockets on which daemons serve their administrators."""

from __future__ import annotations

from pathlib import Path

import grpc.aio

from trisect.rpc.options import CLIENT_OPTIONS


def socket_channel(path: Path) -> grpc.aio.Channel:
    """Open a channel to a daemon's administration socket."""
    return grpc.aio.insecure_channel(
        f"unix:{path}", options=(*CLIENT_OPTIONS, ("grpc.default_authority", "localhost"))
    )
