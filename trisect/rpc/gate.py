"""The interceptor before every handler: authorise, run, translate errors, count, cut.

A handler sees only calls that the table allows, finds the caller in `caller()`, raises our errors and lets
anything else escape: that is a bug, logged once with a correlation id and shown to nobody.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from prometheus_client import Counter, Histogram

from trisect.errors import BadInputError, DeniedError, Fault, TrisectError, UnreachableError
from trisect.rpc import status
from trisect.rpc.authentication import Context
from trisect.rpc.authorisation import TABLE, Access
from trisect.trust.certificates import Principal
from trisect.wire.v1 import errors_pb2

_log = logging.getLogger(__name__)
_caller: contextvars.ContextVar[Principal | None] = contextvars.ContextVar("caller", default=None)
_running: contextvars.ContextVar[_Cut | None] = contextvars.ContextVar("running", default=None)

_END = object()
MAX_STATUS_CHARACTERS = 200
_CHANGES_NOTHING = ("Check", "Explain", "Get", "List", "ServerReflection", "Watch", "Cancel")
"""What names of methods begin with that a daemon which stops still answers."""
CALLS = Counter("trisect_rpc_calls", "Calls by method and outcome.", ["method", "outcome"])
SECONDS = Histogram("trisect_rpc_seconds", "Duration of unary calls.", ["method"])

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Authorise = Callable[[Access, Context], Awaitable[Principal | None]]
"""Checks that the caller of this context has that access; gives the caller where the transport names one."""


def caller() -> Principal:
    """Tell who called; only inside handlers of methods that a certificate opens."""
    found = _caller.get()
    if found is None:
        raise DeniedError(
            "this method needs a certificate", hint="call it on the TLS port with a party's certificate"
        )
    return found


def require_uncut() -> None:
    """Raise why the caller may not go on, where that has come while its call waited for something; once it is its turn."""
    running = _running.get()
    if running is not None and running.why is not None:
        raise running.why


class _Cut(asyncio.Event):
    """Set to end a call: a stream at its next message, any other where it looks (`require_uncut`).

    Attributes:
        why: what it ends with; None until then.
    """

    why: TrisectError | None = None


class Gate(grpc.aio.ServerInterceptor):
    """Stands before all handlers of one server.

    Attributes:
        stopping: whether the daemon stops: only looking and cancelling are allowed then.
    """

    def __init__(self, authorise: Authorise) -> None:
        self.stopping = False
        self._authorise = authorise
        self._streams: dict[str, set[_Cut]] = defaultdict(set)

    def cut(self, name: str, why: TrisectError | None = None) -> int:
        """End all running streams of a caller; gives how many of its calls ran.

        A stream ends at its next message, in or out. Cancelling its task instead would tear gRPC out of a write.

        Args:
            name: whose.
            why: what its streams end with; None says that the party has been suspended.
        """
        cuts = list(self._streams.get(name, ()))
        for cut in cuts:
            cut.why = why or DeniedError(
                f"party {name} has been suspended while this call ran",
                hint="ask the government why; only it can reinstate the party",
            )
            cut.set()
        return len(cuts)

    def cut_all(self, why: TrisectError) -> None:
        """End all running streams."""
        for name in list(self._streams):
            self.cut(name, why)

    def _check_open(self, method: str) -> None:
        if self.stopping and not method.rpartition("/")[2].startswith(_CHANGES_NOTHING):
            raise UnreachableError("the daemon is being stopped", hint="try again when it is back")

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        return None if handler is None else _wrapped(handler, handler_call_details.method, self)

    @asynccontextmanager
    async def passing(self, method: str, context: Context) -> AsyncIterator[_Cut]:
        """Let one call through, or abort it; gives the event that cuts it."""
        cut = _Cut()
        name = ""
        outcome = "ok"
        try:
            self._check_open(method)
            principal = await self._authorise(_access(method), context)
            _caller.set(principal)
            name = principal.name if principal else ""
            self._streams[name].add(cut)
            _running.set(cut)
            yield cut
        except TrisectError as error:
            outcome = error.fault.value
            await _abort(context, error)
        except DecodeError:
            unreadable = BadInputError(
                "a message of the call cannot be read", hint="bring both ends to the same version of Trisect"
            )
            outcome = unreadable.fault.value
            await _abort(context, unreadable)
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001  the one place where a bug ends: logged here, bare to the caller
            outcome = "bug"
            await _abort_bug(context, method)
        finally:
            CALLS.labels(method.rsplit("/", 1)[-1], outcome).inc()
            self._streams[name].discard(cut)


async def _next_unless_cut(replies: AsyncGenerator[Any, None], cut: _Cut) -> Any:
    if cut.why is not None:  # before anything else is done for it
        raise cut.why
    getting = asyncio.ensure_future(anext(replies, _END))
    cutting = asyncio.ensure_future(cut.wait())
    try:
        await asyncio.wait({getting, cutting}, return_when=asyncio.FIRST_COMPLETED)
        if cut.why is not None:
            raise cut.why
        return getting.result()
    finally:
        cutting.cancel()
        if not getting.done():
            getting.cancel()
            await asyncio.wait({getting})


def _access(method: str) -> Access:
    try:
        return TABLE[method]
    except KeyError:
        raise DeniedError(
            "this method is not open to anybody", hint="bring both ends to the same version of Trisect"
        ) from None


def _wrapped(handler: Handler, method: str, gate: Gate) -> Handler:
    behaviour: Any = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )

    async def unary(request: Any, context: Context) -> Any:
        started = time.monotonic()
        async with gate.passing(method, context):
            reply = await behaviour(request, context)
            SECONDS.labels(method.rsplit("/", 1)[-1]).observe(time.monotonic() - started)
            return reply

    async def streaming(request: Any, context: Context) -> AsyncIterator[Any]:
        async with gate.passing(method, context) as cut, aclosing(behaviour(request, context)) as replies:
            while (reply := await _next_unless_cut(replies, cut)) is not _END:
                yield reply

    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    # gRPC's own services (health, reflection) write to the context instead of yielding.
    wrapper = streaming if inspect.isasyncgenfunction(behaviour) else unary
    return kinds[handler.request_streaming, handler.response_streaming](
        wrapper, handler.request_deserializer, handler.response_serializer
    )


async def _abort(context: Context, error: TrisectError) -> NoReturn:
    found = status.detail(error)
    row = status.TABLE[error.fault]
    await context.abort(
        row.status,
        found.message[:MAX_STATUS_CHARACTERS],  # with the detail below what gRPC lets pass as metadata
        trailing_metadata=((status.DETAIL_KEY, found.SerializeToString()),),
    )
    raise AssertionError


async def _abort_bug(context: Context, method: str) -> NoReturn:
    correlation_id = secrets.token_hex(8)
    _log.exception(
        "a call failed in a way nobody foresaw", extra={"method": method, "correlation_id": correlation_id}
    )
    found = errors_pb2.ErrorDetail(
        fault=Fault.BUG.value,
        code=status.RemoteBugError.code,
        message="an internal error; the daemon's log has it under the correlation id",
        correlation_id=correlation_id,
    )
    await context.abort(
        grpc.StatusCode.INTERNAL,
        "internal error",
        trailing_metadata=((status.DETAIL_KEY, found.SerializeToString()),),
    )
    raise AssertionError


__all__ = ["Authorise", "Gate", "caller"]
