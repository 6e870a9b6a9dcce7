"""What types cannot say of a node's configuration."""

from __future__ import annotations

import pytest

from nodes.config import Config, Consents, Import
from trisect.errors import BadInputError
from trisect.rules.vocabulary import checked_basis


@pytest.mark.parametrize(
    ("consents", "fits"),
    [
        (Consents(), True),
        (Consents(tick_s=30.0, epoch_s=3_600.0), True),
        (Consents(tick_s=30.1), False),
        (Consents(tick_s=0.0), False),
        (Consents(tick_s=float("nan")), False),
        (Consents(epoch_s=3_601.0), False),
        (Consents(epoch_s=-1.0), False),
    ],
)
def test_what_is_taken_back_has_effect_within_a_minute(consents: Consents, *, fits: bool) -> None:
    config = Config("anti-fraud", "aid", "proxy", "relay.example:7443", founder=FOUNDER, consents=consents)
    if fits:
        config.check()
    else:
        with pytest.raises(BadInputError, match="consents"):
            config.check()


FOUNDER = "kax2-ib6o-646q-aher-mk3r-mjls-bryh-7fhv"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("statutory-duty:ATOFL 16", "statutory-duty: ATOFL 16"),
        ("contract", "contract"),
        ("consent: terms", "consent: terms"),
        ("statutory-duty", ""),
        ("statutory-duty: ", ""),
        ("custom: ATOFL 16", ""),
    ],
)
def test_a_statutory_duty_is_named_with_its_clause(text: str, kept: str) -> None:
    if kept:
        assert checked_basis(text) == kept
        Import(legal_basis=text).check()
    else:
        with pytest.raises(BadInputError):
            checked_basis(text)
        with pytest.raises(BadInputError):
            Import(legal_basis=text).check()
