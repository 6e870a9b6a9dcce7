"""What a daemon said of its error, kept by gRPC where the error's class of ours has no room for it."""

from __future__ import annotations

import grpc.aio

from trisect.errors import TrisectError
from trisect.rpc.status import DETAIL_KEY
from trisect.wire.v1 import errors_pb2


def detail_of(error: TrisectError) -> errors_pb2.ErrorDetail:
    """Give the detail that came with an error; empty where the error began here."""
    cause = error.__cause__
    if isinstance(cause, grpc.aio.AioRpcError):
        for key, value in cause.trailing_metadata() or ():
            if key == DETAIL_KEY and isinstance(value, bytes):
                return errors_pb2.ErrorDetail.FromString(value)
    return errors_pb2.ErrorDetail(code=error.code)
