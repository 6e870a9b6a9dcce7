"""Tokens: 32 bytes under the consortium's pepper, and how they roll from one pepper epoch to the next.

token_0 = HMAC-SHA256(pepper_0, frame(form version) || frame(kind) || frame(canonical form)) and
token_e = HMAC-SHA256(pepper_e, "trisect/roll/v1" || token_{e-1}); a frame is a 4-byte big-endian length and
that many bytes: the version in decimal digits, the kind's name, the form in UTF-8. A token is pseudonymous
personal data: between members it hides nothing.

Not here: keeping peppers (`trust`), rolling stored tokens (`store`).
"""

from __future__ import annotations

import hashlib
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NewType

from trisect.errors import BadInputError
from trisect.indicators.kinds import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trisect.indicators.forms import Indicator

Pepper = NewType("Pepper", bytes)
"""32 secret bytes, one for each pepper epoch; known to members only."""

Token = NewType("Token", bytes)
"""32 bytes; equal for equal indicators under the same chain of peppers."""

PEPPER_BYTES: Final = 32
TOKEN_BYTES: Final = 32

FORM_VERSION: Mapping[Kind, int] = MappingProxyType(dict.fromkeys(KINDS, 1))
"""Version of each kind's canonical form.

It goes up only when a spelling that was accepted comes to mean another value; then tokens of the kind no longer
meet older ones, and owners import their lists again. Accepting more spellings leaves it alone.
"""

_ROLL = b"trisect/roll/v1"
_BLOCK_BYTES = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def _frame(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


_HEADERS: Mapping[Kind, bytes] = MappingProxyType(
    {kind: _frame(str(FORM_VERSION[kind]).encode()) + _frame(kind.value.encode()) for kind in KINDS}
)


class _Mac:
    """HMAC-SHA256 (RFC 2104) under one pepper, with both key blocks hashed beforehand."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, pepper: Pepper) -> None:
        if len(pepper) != PEPPER_BYTES:
            raise BadInputError(
                "a pepper must be 32 bytes long",
                hint="the keystore or the database is damaged; restore both from one backup",
            )
        block = pepper.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def token_zero(pepper: Pepper, indicator: Indicator) -> Token:
    """Make an indicator's token of pepper epoch 0.

    Raises:
        BadInputError: the pepper is not 32 bytes long.
    """
    return Token(_Mac(pepper).digest(_message(indicator)))


def roll(pepper: Pepper, token: Token) -> Token:
    """Carry a token into the next pepper epoch, whose pepper is given.

    Raises:
        BadInputError: the pepper or the token is not 32 bytes long.
    """
    if len(token) != TOKEN_BYTES:
        raise BadInputError(
            "a token must be 32 bytes long", hint="the database is damaged; restore it from its backup"
        )
    return Token(_Mac(pepper).digest(_ROLL + token))


def _message(indicator: Indicator) -> bytes:
    return _HEADERS[indicator.kind] + _frame(indicator.value.encode())


class Tokeniser:
    """Makes tokens of the present pepper epoch by climbing the whole chain of peppers.

    Args:
        peppers: every pepper from epoch 0 to the present one, 32 bytes each.

    Raises:
        BadInputError: there is no pepper, or one is not 32 bytes long.
    """

    __slots__ = ("_first", "_later")

    def __init__(self, peppers: Sequence[Pepper]) -> None:
        if not peppers:
            raise BadInputError("no pepper is known", hint="join the consortium first")
        self._first = _Mac(peppers[0])
        self._later = tuple(_Mac(pepper) for pepper in peppers[1:])

    def __repr__(self) -> str:
        return f"<Tokeniser of pepper epoch {self.epoch}>"

    @property
    def epoch(self) -> int:
        """The pepper epoch whose tokens are made."""
        return len(self._later)

    def token(self, indicator: Indicator) -> Token:
        """Make an indicator's token of the present pepper epoch."""
        token = self._first.digest(_message(indicator))
        for mac in self._later:
            token = mac.digest(_ROLL + token)
        return Token(token)
