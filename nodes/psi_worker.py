"""The disposable process in which one exchange's engine runs: `python -m nodes.psi_worker`.

It speaks over stdin and stdout: a command is a header and a body, so is a reply. Hostile elements may kill
it; the node then fails that one exchange. It holds one exchange's items and ephemeral key, and ends with it.
"""

from __future__ import annotations

import resource
import struct
import sys
from typing import BinaryIO

import numpy as np

from trisect.errors import TrisectError
from trisect.psi.ecdh import EcdhClient, EcdhServer
from trisect.psi.halves import Operation

COMMAND = struct.Struct(">BQQQ")
"""Operation (0 and 255 load the client's or the server's half with its items), first item, count, bytes that follow."""

REPLY = struct.Struct(">BQ")
"""0 for a result, 1 for an error's message; bytes that follow."""

LOAD_CLIENT = 0
LOAD_SERVER = 255
OK = 0
ERROR = 1


def main() -> None:
    """Serve commands until the node closes stdin."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold tokens and a key
    commands, replies = sys.stdin.buffer, sys.stdout.buffer
    engine: EcdhClient | EcdhServer | None = None
    while header := commands.read(COMMAND.size):
        operation, first, count, length = COMMAND.unpack(header)
        body = commands.read(length)
        if len(body) != length:
            return
        try:
            if operation in {LOAD_CLIENT, LOAD_SERVER}:
                engine = EcdhClient(body) if operation == LOAD_CLIENT else EcdhServer(body)
                _reply(replies, OK, b"")
            else:
                _reply(replies, OK, _perform(engine, Operation(operation), first, count, body))
        except TrisectError as error:
            _reply(replies, ERROR, error.message.encode())


def _perform(
    engine: EcdhClient | EcdhServer | None, operation: Operation, first: int, count: int, body: bytes
) -> bytes:
    result = b""
    match engine, operation:
        case EcdhClient(), Operation.REQUEST:
            result = engine.request(first, count)
        case EcdhClient(), Operation.ADD_SETUP:
            engine.add_setup(body, count)
        case EcdhClient(), Operation.INTERSECT:
            result = np.asarray(engine.intersect(first, body, count), dtype=">u4").tobytes()
        case EcdhServer(), Operation.SETUP:
            engine.setup(first, count)
        case EcdhServer(), Operation.SORTED_SETUP:
            result = engine.sorted_setup(first, count)
        case EcdhServer(), Operation.RESPOND:
            result = engine.respond(body, count)
        case EcdhServer(), Operation.EVALUATE:
            engine.evaluate(body, count)
        case EcdhServer(), Operation.SORTED_EVALUATIONS:
            result = engine.sorted_evaluations(first, count)
        case _:
            raise TrisectError(
                f"the worker cannot do {operation.name} now", hint="report it as a bug, with the node's log"
            )
    return result


def _reply(replies: BinaryIO, status: int, body: bytes) -> None:
    replies.write(REPLY.pack(status, len(body)) + body)
    replies.flush()


if __name__ == "__main__":
    main()
