"""How the addresses of each chain decode, on top of bip-utils (loaded on first use: it takes 0.4 s).

Each function takes an address without chain prefix and gives its one spelling, or raises UndecodableError.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib
import re
from typing import TYPE_CHECKING, Any

from trisect.indicators.forms.reasons import Reason, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_ETH = re.compile(r"(?:0[xX])?([0-9a-fA-F]{40})")
_TON_RAW = re.compile(r"(-1|0):([0-9a-fA-F]{64})")
_ETH_BURNT = frozenset({"0" * 40, "f" * 40, "000000000000000000000000000000000000dead"})
_HASH_BYTES, _KEY_BYTES, _SAPLING_BYTES = 20, 32, 43
_XMR_STANDARD, _XMR_INTEGRATED, _XMR_SUBADDRESS = 18, 19, 42
_XMR_BYTES, _XMR_INTEGRATED_BYTES, _XMR_CHECK_BYTES = 69, 77, 4
_TON_BYTES, _TON_TAGS = 36, frozenset({0x11, 0x51})


class UndecodableError(Exception):
    """The text is no address of the chain; caught within this package."""


@functools.cache
def _bip() -> ModuleType:
    return importlib.import_module("bip_utils")


def _decoded(decode: Callable[..., Any], *arguments: Any) -> Any:
    bip = _bip()
    try:
        return decode(*arguments)
    except (ValueError, bip.Base58ChecksumError, bip.Bech32ChecksumError, bip.SS58ChecksumError):
        raise UndecodableError from None


def _base58check(address: str, versions: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Decode into (version, 20-byte hash) when the version is one of those given."""
    payload: bytes = _decoded(_bip().Base58Decoder.CheckDecode, address)
    for version in versions:
        if payload.startswith(version) and len(payload) == len(version) + _HASH_BYTES:
            body = payload[len(version) :]
            if not any(body):
                raise RejectedError(Reason.NULL_IDENTIFIER)
            return version, body
    raise UndecodableError


def _base58(address: str, *versions: bytes) -> str:
    version, body = _base58check(address, versions)
    return str(_bip().Base58Encoder.CheckEncode(version + body))


def _segwit(address: str, human_part: str) -> str:
    _decoded(_bip().SegwitBech32Decoder.Decode, human_part, address)
    return address.lower()


def bitcoin(address: str) -> str:
    """P2PKH, P2SH (Base58Check), witness programs (BIP 173, BIP 350)."""
    if address[:3].lower() == "bc1":
        return _segwit(address, "bc")
    return _base58(address, b"\x00", b"\x05")


def litecoin(address: str) -> str:
    """Legacy 3... script addresses become M..., their newer spelling."""
    if address[:4].lower() == "ltc1":
        return _segwit(address, "ltc")
    version, body = _base58check(address, (b"\x30", b"\x32", b"\x05"))
    return str(_bip().Base58Encoder.CheckEncode((b"\x32" if version == b"\x05" else version) + body))


def bitcoin_cash(address: str) -> str:
    """CashAddr without its prefix, small letters; the legacy spelling is Bitcoin's and refused here."""
    small = address.lower()
    if address not in (small, address.upper()):
        raise UndecodableError
    bare = small.removeprefix("bitcoincash:")
    _, body = _decoded(_bip().BchBech32Decoder.Decode, "bitcoincash", f"bitcoincash:{bare}")
    if len(body) != _HASH_BYTES and len(body) != _KEY_BYTES:
        raise UndecodableError
    return bare


def dash(address: str) -> str:
    """X... and 7..., Base58Check."""
    return _base58(address, b"\x4c", b"\x10")


def dogecoin(address: str) -> str:
    """D... and A.../9..., Base58Check."""
    return _base58(address, b"\x1e", b"\x16")


def zcash(address: str) -> str:
    """Transparent t1/t3 and Sapling zs1; unified addresses are not read."""
    if address[:3].lower() == "zs1":
        body = _decoded(_bip().Bech32Decoder.Decode, "zs", address)
        if len(body) != _SAPLING_BYTES:
            raise UndecodableError
        return address.lower()
    return _base58(address, b"\x1c\xb8", b"\x1c\xbd")


def tron(address: str) -> str:
    """T..., Base58Check."""
    return _base58(address, b"\x41")


def ripple(address: str) -> str:
    """Classic r... addresses, Base58Check in Ripple's own alphabet."""
    alphabet = _bip().Base58Alphabets.RIPPLE
    payload: bytes = _decoded(_bip().Base58Decoder.CheckDecode, address, alphabet)
    if payload[:1] != b"\x00" or len(payload) != _HASH_BYTES + 1:
        raise UndecodableError
    if not any(payload):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return str(_bip().Base58Encoder.CheckEncode(payload, alphabet))


def ethereum(address: str) -> str:
    """0x and 40 small hex digits; mixed case must be the checksum of EIP-55."""
    match = _ETH.fullmatch(address)
    if match is None:
        raise UndecodableError
    digits = match[1]
    small = digits.lower()
    if digits not in (small, digits.upper()) and digits != _eip55(small):
        raise UndecodableError
    if small in _ETH_BURNT:
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return f"0x{small}"


def _eip55(small: str) -> str:
    nibbles = _bip().Kekkak256.QuickDigest(small.encode()).hex()
    return "".join(c.upper() if int(n, 16) >= 8 else c for c, n in zip(small, nibbles, strict=False))  # noqa: PLR2004


def monero(address: str) -> str:
    """Standard, sub- and integrated addresses; an integrated one keeps its payment id."""
    payload: bytes = _decoded(_bip().Base58XmrDecoder.Decode, address)
    body, check = payload[:-_XMR_CHECK_BYTES], payload[-_XMR_CHECK_BYTES:]
    length = _XMR_INTEGRATED_BYTES if body[:1] == bytes([_XMR_INTEGRATED]) else _XMR_BYTES
    if len(payload) != length or body[0] not in (_XMR_STANDARD, _XMR_INTEGRATED, _XMR_SUBADDRESS):
        raise UndecodableError
    if _bip().Kekkak256.QuickDigest(body)[:_XMR_CHECK_BYTES] != check:
        raise UndecodableError
    if _bip().Base58XmrEncoder.Encode(payload) != address:
        raise UndecodableError
    return address


def solana(address: str) -> str:
    """Base58 of 32 bytes; the chain has no checksum, so only the length is certain."""
    key: bytes = _decoded(_bip().Base58Decoder.Decode, address)
    if len(key) != _KEY_BYTES:
        raise UndecodableError
    if not any(key):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return str(_bip().Base58Encoder.Encode(key))


def substrate(address: str) -> str:
    """SS58: the 32-byte public key in hex, since one key is spelled otherwise on every network."""
    if _HEX_KEY.fullmatch(address):
        key = bytes.fromhex(address)
    else:
        _, key = _decoded(_bip().SS58Decoder.Decode, address)
    if len(key) != _KEY_BYTES:
        raise UndecodableError
    if not any(key):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return key.hex()


def ton(address: str) -> str:
    """`workchain:hash`; the bounceable and the other spelling of one account meet."""
    raw = _TON_RAW.fullmatch(address)
    if raw is not None:
        workchain, account = raw[1], raw[2].lower()
    else:
        try:
            data = base64.b64decode(address.replace("-", "+").replace("_", "/"), validate=True)
        except ValueError:
            raise UndecodableError from None
        body, check = data[:-2], data[-2:]
        if len(data) != _TON_BYTES or body[0] not in _TON_TAGS or body[1] not in (0x00, 0xFF):
            raise UndecodableError
        if binascii.crc_hqx(body, 0).to_bytes(2, "big") != check:
            raise UndecodableError
        workchain, account = ("0" if body[1] == 0 else "-1"), body[2:].hex()
    if not account.strip("0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return f"{workchain}:{account}"
