"""The disposable process in which one exchange's engine runs, and the nursery that it is forked from.

The nursery, `python -m nodes.psi_worker`, has loaded the engine and done nothing with it: it holds no item, no key
and no random number. Its stdin is a socket, over which the node numbers each worker that it is to fork, handing over one
end of a pair, and each that it is to end; it answers with the worker's process id.

A worker speaks over its end: a command is a header and a body, so is a reply. Hostile elements may kill it; the node
then fails that one exchange. It holds one exchange's items and ephemeral key, and ends with it. Another one makes the tree
of its snapshot.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import struct
import sys
from typing import BinaryIO

import numpy as np

from trisect.errors import TrisectError
from trisect.psi.ecdh import EcdhClient, EcdhServer
from trisect.psi.halves import Operation
from trisect.record.snapshots import NAME_BYTES, Growing

COMMAND = struct.Struct(">BQQQ")
"""Operation (0 and 255 load the client's or the server's half with its items, those of trees need neither), first item, count,
bytes that follow."""

REPLY = struct.Struct(">BQ")
"""0 for a result, 1 for an error's message; bytes that follow."""

WORKER = struct.Struct(">Q")
"""A worker's number, which the node never gives twice; as the answer its process id, 0 where there is none."""

LOAD_CLIENT = 0
GROW = 252
"""Begin the tree of a snapshot: `count` is its size, the body name and secret."""
GROW_ADD = 253
"""Add the tokens in the body to it."""
GROW_END = 254
"""Give its root and leaves."""
LOAD_SERVER = 255
OK = 0
ERROR = 1


def main() -> None:
    """Fork a worker for each socket that the node hands over, until the node is gone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold tokens and a key
    # Whoever stops the node's whole group of processes must not end what the node still waits for.
    for told_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told_to_stop, signal.SIG_IGN)
    gc.freeze()
    asking = socket.socket(fileno=sys.stdin.fileno())
    workers: dict[int, int] = {}
    while True:
        asked, files, *_ = socket.recv_fds(asking, WORKER.size, 1)
        if not asked:
            return
        while workers and (gone := os.waitpid(-1, os.WNOHANG)[0]):
            workers = {number: pid for number, pid in workers.items() if pid != gone}
        (number,) = WORKER.unpack(asked)
        pid = 0
        if files:
            with socket.socket(fileno=files[0]) as node:
                pid = _fork(asking, node)
            if pid:
                workers[number] = pid
        elif number in workers:  # one of a nursery before this one ends with its socket
            pid = workers.pop(number)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        asking.sendall(WORKER.pack(pid))


def _fork(asking: socket.socket, node: socket.socket) -> int:
    """Fork a worker; gives its process id, 0 where there can be none."""
    try:
        pid = os.fork()
    except OSError:
        return 0
    if not pid:
        asking.close()
        serve(node.makefile("rb"), node.makefile("wb"))
        sys.exit()
    return pid


def serve(commands: BinaryIO, replies: BinaryIO) -> None:
    """Serve commands until the node closes its end."""
    engine: EcdhClient | EcdhServer | None = None
    growing: Growing | None = None
    while header := commands.read(COMMAND.size):
        operation, first, count, length = COMMAND.unpack(header)
        body = commands.read(length)
        if len(body) != length:
            return
        try:
            if operation in {LOAD_CLIENT, LOAD_SERVER}:
                engine = EcdhClient(body) if operation == LOAD_CLIENT else EcdhServer(body)
                _reply(replies, OK, b"")
            elif operation == GROW:
                growing = Growing(body[:NAME_BYTES], body[NAME_BYTES:], count)
                _reply(replies, OK)
            elif growing is not None and operation == GROW_ADD:
                growing.add(body)
                _reply(replies, OK)
            elif growing is not None and operation == GROW_END:
                made, growing = growing.grown(), None
                _reply(replies, OK, made.root, made.leaves)
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


def _reply(replies: BinaryIO, status: int, *parts: bytes | bytearray) -> None:
    replies.write(REPLY.pack(status, sum(map(len, parts))))
    replies.writelines(parts)
    replies.flush()


if __name__ == "__main__":
    main()
