"""Engine `ecdh`: openmined-psi (P-256, RAW structure), the only door to that library.

Runs in a disposable worker process, since hostile input can abort the C++; each object serves one exchange
with a key of its own that never leaves it. Messages to the library are its own protobuf messages, built from
arrays: each element is a two-byte field header and 33 bytes, so no Python loop touches an element.

Security: semi-honest for correctness; a deviating asker learns nothing beyond its declared number of
evaluations. Source: github.com/OpenMined/PSI, `psi.proto`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from private_set_intersection.python import psi as library

from trisect.errors import VerificationError
from trisect.psi import points
from trisect.psi.points import POINT_BYTES, Points

_RAW_FIELD = 1
_ELEMENTS_OF_RAW = 1
_ELEMENTS_OF_REQUEST = 2
_ELEMENTS_OF_RESPONSE = 1
_REVEAL_INTERSECTION = b"\x08\x01"
_LENGTH_DELIMITED = 2
_RECORD_BYTES = POINT_BYTES + 2
ITEM_BYTES = 32


class EcdhClient:
    """The half that learns which of its items are common: the asker's in a match, the answerer's in a count.

    Args:
        items: 32 bytes each, in the order in which they will be sent.
    """

    def __init__(self, items: bytes) -> None:
        self._items = items
        self._engine = library.cpp_client.CreateWithNewKey(True)  # noqa: FBT003
        self._records = bytearray()
        self._newest: Points | None = None
        self._setup: library.cpp_proto_server_setup | None = None

    def request(self, first: int, count: int) -> bytes:
        """Blind items `first` to `first + count`; gives 33 bytes each, in order. After the last none is kept."""
        message = self._engine.CreateRequest(_slice(self._items, first, count)).save()
        if (first + count) * ITEM_BYTES == len(self._items):
            self._items = b""
        return _elements(message, len(_REVEAL_INTERSECTION), _ELEMENTS_OF_REQUEST, count).tobytes()

    def add_setup(self, data: bytes, count: int) -> None:
        """Take the next block of the other's sorted setup; raises VerificationError."""
        block = points.parse(data, count)
        points.check_ascending(block if self._newest is None else np.concatenate([self._newest, block]))
        self._newest = block[-1:].copy()
        self._records += _records(block, _ELEMENTS_OF_RAW)

    def intersect(self, first: int, data: bytes, count: int) -> list[int]:
        """Match the evaluations of items `first` to `first + count`; gives indices among all items.

        The first call closes the setup.

        Raises:
            VerificationError: an evaluation that is no point of the curve.
        """
        evaluated = points.parse(data, count)
        points.check_distinct(evaluated)
        if self._setup is None:
            raw = _header(_RAW_FIELD) + _varint(len(self._records)) + self._records
            self._records.clear()
            self._setup = library.cpp_proto_server_setup.Load(bytes(raw))
            del raw
        response = library.cpp_proto_response.Load(_records(evaluated, _ELEMENTS_OF_RESPONSE))
        with _library_errors():
            return [first + index for index in self._engine.GetIntersection(self._setup, response)]


class EcdhServer:
    """The half whose set is asked about: the answerer's in a match, the asker's in a count.

    Args:
        items: 32 bytes each, shuffled.
    """

    def __init__(self, items: bytes) -> None:
        self._items = items
        self._engine = library.cpp_server.CreateWithNewKey(True)  # noqa: FBT003
        self._setup = _Sorted()
        self._evaluations = _Sorted()

    def setup(self, first: int, count: int) -> None:
        """Encrypt items `first` to `first + count` into the setup. After the last none is kept."""
        chosen = _slice(self._items, first, count)
        if (first + count) * ITEM_BYTES == len(self._items):
            self._items = b""
        message = self._engine.CreateSetupMessage(0.0, count, chosen, library.data_structure.Raw).save()
        skip = len(_header(_RAW_FIELD) + _varint(count * _RECORD_BYTES))
        self._setup.add(_elements(message, skip, _ELEMENTS_OF_RAW, count))

    def sorted_setup(self, first: int, count: int) -> bytes:
        """Give elements `first` to `first + count` of the strictly sorted setup, 33 bytes each, in order.

        The first call sorts; what was given is not kept after the last.
        """
        return self._setup.give(first, count)

    def respond(self, data: bytes, count: int) -> bytes:
        """Evaluate a block of the other's blinded items; gives 33 bytes each, in the same order.

        Raises:
            VerificationError: malformed, or an element that is no point of the curve.
        """
        return self._evaluated(data, count).tobytes()

    def evaluate(self, data: bytes, count: int) -> None:
        """Evaluate a block of the other's blinded items and keep what comes of it; raises as `respond`."""
        self._evaluations.add(self._evaluated(data, count))

    def sorted_evaluations(self, first: int, count: int) -> bytes:
        """Give what was kept, all blocks sorted as one, so that no order tells what belongs to what.

        The library's own cardinality mode sorts within a request only: a count for each block would leak.

        Raises:
            VerificationError: an element was asked for twice.
        """
        return self._evaluations.give(first, count)

    def _evaluated(self, data: bytes, count: int) -> Points:
        blinded = points.parse(data, count)
        points.check_distinct(blinded)
        request = library.cpp_proto_request.Load(
            _REVEAL_INTERSECTION + _records(blinded, _ELEMENTS_OF_REQUEST)
        )
        with _library_errors():
            message = self._engine.ProcessRequest(request).save()
        return _elements(message, 0, _ELEMENTS_OF_RESPONSE, count)


class _Sorted:
    """Points that come in blocks and go in blocks, strictly sorted as a whole."""

    def __init__(self) -> None:
        self._parts: list[Points] = []
        self._whole = np.empty((0, POINT_BYTES), np.uint8)

    def add(self, block: Points) -> None:
        """Take a block."""
        self._parts.append(block)

    def give(self, first: int, count: int) -> bytes:
        """Give points `first` to `first + count`; the first call sorts, after the last nothing is kept."""
        if self._parts:
            self._whole = points.ascending(np.concatenate(self._parts))
            self._parts.clear()
            points.check_ascending(self._whole)
        chosen = self._whole[first : first + count].tobytes()
        if first + count == len(self._whole):
            self._whole = self._whole[:0].copy()
        return chosen


class _library_errors:  # noqa: N801  (reads as a clause)
    """Turn what the library raises on hostile elements into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError | ValueError):
            raise VerificationError("the peer sent an element that is no point of the curve") from error


def _slice(items: bytes, first: int, count: int) -> Sequence[bytes]:
    ends = range((first + 1) * ITEM_BYTES, (first + count + 1) * ITEM_BYTES, ITEM_BYTES)
    return [items[end - ITEM_BYTES : end] for end in ends]


def _header(field: int) -> bytes:
    return bytes([field << 3 | _LENGTH_DELIMITED])


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >> 7:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _records(block: Points, field: int) -> bytes:
    """Write points as a repeated bytes field."""
    records = np.empty((len(block), _RECORD_BYTES), np.uint8)
    records[:, :2] = np.frombuffer(_header(field) + bytes([POINT_BYTES]), np.uint8)
    records[:, 2:] = block
    return records.tobytes()


def _elements(message: bytes, skip: int, field: int, count: int) -> Points:
    """Read a repeated bytes field of our own library's output; anything unforeseen is a bug and raises."""
    if len(message) != skip + count * _RECORD_BYTES:
        raise VerificationError("the engine's message does not have the elements it was asked for")
    records = np.frombuffer(message, np.uint8, offset=skip).reshape(count, _RECORD_BYTES)
    if (records[:, :2] != np.frombuffer(_header(field) + bytes([POINT_BYTES]), np.uint8)).any():
        raise VerificationError("the engine's message does not have the elements it was asked for")
    return records[:, 2:]
