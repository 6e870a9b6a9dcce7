"""The law of canonical forms: making one canonical again changes nothing, for every kind that is accepted."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.indicators.spellings import ACCEPTED, WALLETS

from trisect.indicators.detect import detect
from trisect.indicators.forms import Profile, RejectedError, canonical
from trisect.indicators.kinds import KINDS, Kind

DEMO = Profile(allow_reserved=True)
REGIONS = (None, "US", "GB", "CN", "AR", "IT", "MX", "BR", "KZ", "SM", "DE")
PROFILES = st.builds(
    Profile,
    region=st.sampled_from(REGIONS),
    plus_optional=st.booleans(),
    trust_plus=st.booleans(),
    allow_reserved=st.booleans(),
    upgrade_legacy=st.booleans(),
)


def test_every_accepted_kind_has_spellings() -> None:
    assert set(ACCEPTED) == {kind for kind in Kind if KINDS[kind].refusal is None}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_made_up_values_are_accepted_and_stay_as_they_become(kind: Kind) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(raw=ACCEPTED[kind]())
    def law(raw: str) -> None:
        once = canonical(kind, raw, DEMO)
        assert once.kind is kind
        assert canonical(once.kind, once.value, DEMO) == once

    law()


@pytest.mark.parametrize("chain", WALLETS)
def test_every_chain_is_accepted_and_named(chain: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(raw=WALLETS[chain])
    def law(raw: str) -> None:
        once = canonical(Kind.WALLET, raw)
        assert once.value.startswith(f"{chain}:")
        assert canonical(Kind.WALLET, once.value) == once

    law()


@settings(max_examples=600, deadline=None)
@given(
    kind=st.sampled_from(sorted(ACCEPTED)),
    profile=PROFILES,
    raw=st.one_of(
        st.text(max_size=40),
        st.text("0123456789+-() .x:/@[]abcXYZ#*;=", max_size=40),
        st.sampled_from(sorted(ACCEPTED)).flatmap(lambda kind: ACCEPTED[kind]()),
    ),
)
def test_any_text_under_any_profile_is_refused_or_stays(kind: Kind, profile: Profile, raw: str) -> None:
    try:
        once = canonical(kind, raw, profile)
    except RejectedError:
        return
    assert canonical(once.kind, once.value, profile) == once


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from([Kind.PHONE, Kind.SHORTCODE]),
    profile=PROFILES,
    raw=st.from_regex(r"\+?[0-9]{3,16}", fullmatch=True),
)
def test_bare_digits_under_any_profile_are_refused_or_stay(kind: Kind, profile: Profile, raw: str) -> None:
    try:
        once = canonical(kind, raw, profile)
    except RejectedError:
        return
    assert canonical(once.kind, once.value, profile) == once


@settings(max_examples=300, deadline=None)
@given(
    profile=PROFILES,
    raw=st.text(max_size=30) | st.sampled_from(sorted(ACCEPTED)).flatmap(lambda kind: ACCEPTED[kind]()),
)
def test_detection_agrees_with_the_kind_it_finds(profile: Profile, raw: str) -> None:
    try:
        found = detect(raw, profile)
    except RejectedError:
        return
    assert canonical(found.kind, found.value, profile) == found
