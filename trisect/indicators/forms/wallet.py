"""Wallet addresses: a chain prefix and one spelling of the decoded payload.

A prefix in front (`bitcoin:`, `ltc:`, `eip155:1:`, ...) names the chain; without one the address must decode
under exactly one chain. An address that begins with 3 is Bitcoin's unless a prefix says otherwise.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from trisect.indicators.forms import wallet_chains as chains
from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trisect.indicators.forms.indicator import Profile

_B58 = "[1-9A-HJ-NP-Za-km-z]"
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "bip122": "bip122",
        "bitcoin": "bip122",
        "btc": "bip122",
        "xbt": "bip122",
        "eip155": "eip155",
        "ethereum": "eip155",
        "eth": "eip155",
        "bch": "bch",
        "bitcoincash": "bch",
        "ltc": "ltc",
        "litecoin": "ltc",
        "dash": "dash",
        "doge": "doge",
        "dogecoin": "doge",
        "zec": "zec",
        "zcash": "zec",
        "xmr": "xmr",
        "monero": "xmr",
        "tron": "tron",
        "trx": "tron",
        "solana": "solana",
        "sol": "solana",
        "ss58": "ss58",
        "polkadot": "ss58",
        "dot": "ss58",
        "xrpl": "xrpl",
        "xrp": "xrpl",
        "ripple": "xrpl",
        "ton": "ton",
    }
)
_DECODERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "bip122": chains.bitcoin,
        "eip155": chains.ethereum,
        "bch": chains.bitcoin_cash,
        "ltc": chains.litecoin,
        "dash": chains.dash,
        "doge": chains.dogecoin,
        "zec": chains.zcash,
        "xmr": chains.monero,
        "tron": chains.tron,
        "solana": chains.solana,
        "ss58": chains.substrate,
        "xrpl": chains.ripple,
        "ton": chains.ton,
    }
)
_SHAPES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        chain: re.compile(shape)
        for chain, shape in (
            ("eip155", "(?:0[xX])?[0-9a-fA-F]{40}"),
            ("bip122", f"[13]{_B58}{{24,34}}|(?:bc1|BC1)[0-9a-zA-Z]{{8,87}}"),
            ("bch", "[qp][0-9a-z]{41}|[QP][0-9A-Z]{41}"),
            ("ltc", f"[LM]{_B58}{{25,34}}|(?:ltc1|LTC1)[0-9a-zA-Z]{{8,86}}"),
            ("dash", f"[X7]{_B58}{{33}}"),
            ("doge", f"[DA9]{_B58}{{33}}"),
            ("zec", f"t[13]{_B58}{{33}}|(?:zs1|ZS1)[0-9a-zA-Z]{{75}}"),
            ("xmr", f"[48](?:{_B58}{{94}}|{_B58}{{105}})"),
            ("tron", f"T{_B58}{{33}}"),
            ("solana", f"{_B58}{{43,44}}"),
            ("ss58", f"{_B58}{{46,49}}"),
            ("xrpl", f"r{_B58}{{24,34}}"),
            ("ton", r"[EU]Q[0-9A-Za-z_/+\-]{46}"),
        )
    }
)
_PREFIXED = re.compile(r"([A-Za-z][A-Za-z0-9]{1,11}):(?://)?(.+)", re.DOTALL)
_CHAIN_REFERENCE = re.compile(r"(?:eip155:[0-9]{1,20}|bip122:[0-9a-f]{32}|solana:[1-9A-HJ-NP-Za-km-z]{32}):")
_NO_CHECKSUM = frozenset({"solana"})


def wallet(raw: str, _profile: Profile) -> str:
    """`chain:address` with the decoded payload in its one spelling (SS58: the public key in hex).

    Raises:
        RejectedError: `checksum` when it looks like an address of a chain but does not decode as one;
            `ambiguous` when it decodes under several; `null_identifier` for burn addresses.
    """
    text = fold(raw)
    match = _PREFIXED.fullmatch(text)
    if match is None:
        return _guessed(text)
    chain = _ALIASES.get(match[1].lower())
    if chain is None:
        raise RejectedError(Reason.INVALID)
    address = match[2].strip()
    reference = _CHAIN_REFERENCE.match(f"{match[1].lower()}:{address}")
    if reference:
        address = address[reference.end() - len(match[1]) - 1 :]
    address = address.partition("?")[0]
    try:
        return f"{chain}:{_DECODERS[chain](address)}"
    except chains.UndecodableError:
        raise RejectedError(
            Reason.CHECKSUM if _SHAPES[chain].fullmatch(address) else Reason.INVALID
        ) from None


def _guessed(address: str) -> str:
    likely = [chain for chain, shape in _SHAPES.items() if shape.fullmatch(address)]
    found = []
    for chain in likely:
        try:
            found.append(f"{chain}:{_DECODERS[chain](address)}")
        except chains.UndecodableError:
            continue
    if len(found) > 1:
        raise RejectedError(Reason.AMBIGUOUS)
    if not found:
        raise RejectedError(Reason.CHECKSUM if set(likely) - _NO_CHECKSUM else Reason.INVALID)
    return found[0]
