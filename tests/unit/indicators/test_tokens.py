"""Tokens against fixed answers, a plain HMAC, and each other."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisect.errors import BadInputError
from trisect.indicators.forms import Indicator
from trisect.indicators.kinds import Kind
from trisect.indicators.tokens import FORM_VERSION, Pepper, Token, Tokeniser, roll, token_zero

PEPPERS = [Pepper(bytes([epoch]) * 32) for epoch in range(3)]
PHONE = Indicator(Kind.PHONE, "+12025550143")
DOMAIN = Indicator(Kind.DOMAIN, "example.com")

# Computed once with `openssl dgst -sha256 -mac HMAC`; a change here orphans every stored token.
ANSWERS = [
    (PHONE, 0, "0f06a7f9d64f2e57c7db207d532640ccb5d94a9271fe2b58adc51fc5d40a6218"),
    (PHONE, 1, "e5a1f06735f448bb5e685cdfa81836aeb30c00b6d048f69377e64f6646eea61c"),
    (PHONE, 2, "2d6b8db11b8b2a62382b930f62f57fac0f049b4d05609977cb05e8875f9dd88b"),
    (DOMAIN, 0, "8ede06b4c3417190b7738bc6965ed7650a15c61869f31662bcc679dc0444acc4"),
    (DOMAIN, 1, "a45e05a6425a2cd3a001f50093316e6318f34770b7c351a0346078e192a30039"),
    (DOMAIN, 2, "a765a3c86650e73518ead8a0011ea129f46e183db9872a6253f74d180e7372a5"),
]


@pytest.mark.parametrize(("indicator", "epoch", "answer"), ANSWERS)
def test_fixed_answers(indicator: Indicator, epoch: int, answer: str) -> None:
    tokeniser = Tokeniser(PEPPERS[: epoch + 1])
    assert tokeniser.epoch == epoch
    assert tokeniser.token(indicator).hex() == answer


@given(pepper=st.binary(min_size=32, max_size=32), kind=st.sampled_from(Kind), value=st.text(max_size=80))
def test_a_token_is_the_plain_hmac_of_three_frames(pepper: bytes, kind: Kind, value: str) -> None:
    parts = (str(FORM_VERSION[kind]).encode(), kind.value.encode(), value.encode())
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    expected = hmac.digest(pepper, message, "sha256")
    assert token_zero(Pepper(pepper), Indicator(kind, value)) == expected
    assert Tokeniser([Pepper(pepper)]).token(Indicator(kind, value)) == expected


def test_climbing_the_chain_is_rolling_a_stored_token() -> None:
    token = token_zero(PEPPERS[0], PHONE)
    for pepper in PEPPERS[1:]:
        expected = hmac.digest(pepper, b"trisect/roll/v1" + token, "sha256")
        token = roll(pepper, token)
        assert token == expected
    assert Tokeniser(PEPPERS).token(PHONE) == token


def test_kinds_and_peppers_separate() -> None:
    tokens = {
        token_zero(pepper, Indicator(kind, "12345678901234"))
        for pepper in PEPPERS
        for kind in (Kind.IMEI, Kind.PAYMENT_CARD)
    }
    assert len(tokens) == 6


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(BadInputError):
        Tokeniser([])
    with pytest.raises(BadInputError):
        Tokeniser([Pepper(b"short")])
    with pytest.raises(BadInputError):
        token_zero(Pepper(b"x" * 33), PHONE)
    with pytest.raises(BadInputError):
        roll(PEPPERS[0], Token(b"x" * 31))


def test_nothing_secret_is_shown() -> None:
    assert repr(Tokeniser(PEPPERS)) == "<Tokeniser of pepper epoch 2>"
    assert repr(PHONE) == "<Indicator phone>"
