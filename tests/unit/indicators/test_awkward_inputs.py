"""The 95 inputs that good libraries get wrong, with the answers we owe (tests/vectors/awkward_inputs.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trisect.indicators.forms import Indicator, Profile, RejectedError, canonical, registrable_domain
from trisect.indicators.kinds import Kind

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "awkward_inputs.json").read_text(encoding="utf-8")
)
KINDS = {"national_id_cn": Kind.NATIONAL_ID, "crypto": Kind.WALLET, "upi_vpa": Kind.PAYMENT_HANDLE}
PROFILES: dict[str, tuple[dict[str, Any], str]] = {
    "+1 202 555 0143 ext 5": ({"allow_reserved": True}, "a number kept for fiction stands in for a real one"),
    "46200231": ({"plus_optional": True}, "this source writes international digits without a plus"),
}


def rendered(vector_kind: str, indicator: Indicator) -> str:
    """Write a result the way the vectors do."""
    if vector_kind == "national_id_cn":
        return indicator.value.removeprefix("CN:")
    prefix = {Kind.SHORTCODE: "shortcode:", Kind.IMEI: "imei14:"}.get(indicator.kind, "")
    return prefix + indicator.value


def answer(case: dict[str, Any]) -> str:
    if case["kind"] == "registrable_domain":
        return registrable_domain(case["input"])
    kind = KINDS.get(case["kind"]) or Kind(case["kind"])
    options, _ = PROFILES.get(case["input"], ({}, ""))
    return rendered(case["kind"], canonical(kind, case["input"], Profile(region=case["region"], **options)))


def test_every_vector_is_here() -> None:
    assert len(CASES) == 95
    assert set(PROFILES) <= {case["input"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case['kind']}" for i, case in enumerate(CASES)])
def test_vector(case: dict[str, Any]) -> None:
    if case["expected"] is None:
        with pytest.raises(RejectedError) as caught:
            answer(case)
        if case["input"]:
            assert case["input"] not in str(caught.value)
    else:
        assert answer(case) == case["expected"]
