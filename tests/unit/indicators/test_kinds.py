"""The registry covers every kind, types each, and never reuses a number."""

from __future__ import annotations

import pytest

from trisect.errors import BadInputError
from trisect.indicators.forms import Reason, RejectedError, canonical
from trisect.indicators.kinds import KINDS, Facet, Kind, LawClass, kind_of_number, parse_kind

ACTIVITY_ONLY = {Kind.LOCATION, Kind.BROWSING, Kind.CONSUMPTION, Kind.DEVICE, Kind.IP}
BOTH = {Kind.PHONE, Kind.PAYMENT_HANDLE, Kind.SOCIAL_ACCOUNT}
NEVER = {Kind.SCRIPT, Kind.MEDIA, Kind.VOICEPRINT, Kind.FACE_TEMPLATE, Kind.ADDRESS, Kind.LOCATION,
         Kind.BROWSING, Kind.CONSUMPTION, Kind.PERSON}  # fmt: skip
# Numbers are on disks and wires: this list only grows.
NUMBERS = [
    "phone", "shortcode", "sms_sender", "imei", "imsi", "iban", "bank_account", "payment_card",
    "payment_handle", "wallet", "email", "url", "domain", "ip", "device", "national_id", "passport", "app",
    "app_certificate", "apk_sha256", "file_sha256", "social_account", "merchant", "script", "media",
    "voiceprint", "face_template", "address", "location", "browsing", "consumption", "person",
]  # fmt: skip


def test_numbers_are_what_they_were() -> None:
    assert [KINDS[Kind(name)].number for name in NUMBERS] == list(range(1, len(NUMBERS) + 1))
    assert set(KINDS) == set(Kind) == {Kind(name) for name in NUMBERS}
    assert all(kind_of_number(KINDS[kind].number) is kind for kind in Kind)
    with pytest.raises(BadInputError):
        kind_of_number(0)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_typed_identity_activity_or_both(kind: Kind) -> None:
    expected = {Facet.ACTIVITY} if kind in ACTIVITY_ONLY else {Facet.IDENTITY}
    assert KINDS[kind].facets == (set(Facet) if kind in BOTH else expected)
    assert KINDS[kind].law


@pytest.mark.parametrize("kind", Kind)
def test_what_must_not_leave_is_refused_whatever_the_value(kind: Kind) -> None:
    assert (KINDS[kind].refusal is not None) == (kind in NEVER)
    if kind in NEVER:
        with pytest.raises(RejectedError) as caught:
            canonical(kind, "anything")
        assert caught.value.reason is Reason.REFUSED_KIND


def test_biometrics_are_classed_as_such() -> None:
    biometric = {kind for kind in Kind if LawClass.BIOMETRIC in KINDS[kind].law}
    assert biometric == {Kind.VOICEPRINT, Kind.FACE_TEMPLATE, Kind.MEDIA}


def test_a_kind_is_read_by_name_and_an_unknown_one_names_the_known() -> None:
    assert parse_kind(" Payment-Card ") is Kind.PAYMENT_CARD
    with pytest.raises(BadInputError) as caught:
        parse_kind("x" * 39 + "\x1b" + "secret tail")
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "payment_card" in caught.value.hint
