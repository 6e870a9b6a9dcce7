"""A notice says in words and in terms what a party does; what is missing or too old is refused by name."""

from __future__ import annotations

import datetime as dt

import pytest
from support.rulebooks import NOTICE, NOW

from trisect.errors import BadInputError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.notices import MAX_BYTES, Notice
from trisect.rules.vocabulary import AiUse, Purpose
from trisect.trust.statements import Role


def test_a_notice_says_what_its_text_says() -> None:
    found = Notice.parse(NOTICE, Role.PROVIDER)
    assert found.purposes == {Purpose.SCAM_PREVENTION, Purpose.PAYMENT_CHECK}
    assert found.kinds == {Kind.PHONE, Kind.URL, Kind.IBAN}
    assert found.ai_uses == {AiUse.NONE, AiUse.DETECTION, AiUse.SCORING}
    first, second = found.content["dpv"]  # type: ignore[misc]
    assert first["hasPurpose"] == "https://w3id.org/dpv#FraudPreventionAndDetection"
    assert first["hasPersonalData"] == ["https://w3id.org/dpv/pd#TelephoneNumber"]
    assert second["hasStorageDuration"] == "P30D"


def test_it_is_in_force_from_its_first_moment_until_before_its_last() -> None:
    found = Notice.parse(NOTICE, Role.PROVIDER)
    life, second = dt.timedelta(days=180), dt.timedelta(seconds=1)
    inside = (NOW, NOW + life - second)
    outside = (NOW - second, NOW + life)
    assert all(found.in_force(moment) for moment in inside)
    assert not any(found.in_force(moment) for moment in outside)


@pytest.mark.parametrize("role", [Role.GOVERNMENT, Role.PROXY])
def test_who_acts_for_others_names_its_mandate(role: Role) -> None:
    with pytest.raises(BadInputError, match="mandate"):
        Notice.parse(NOTICE, role)
    Notice.parse('mandate = "ATOFL 6"\n' + NOTICE, role)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "What', 'titel = "What', "unknown notice key titel"),
        ('text = "We', 'text = ""  # "We', "text is empty"),
        ('text_zh = "我们', 'text_zh = " "  # "我们', "text_zh is empty"),
        ('contact = "', '# "', "contact is missing"),
        ("valid_until = 2027-05-26", "valid_until = 2027-12-26", "by 366 days at most"),
        ('kinds = ["phone", "url"]', "kinds = []", "kinds of scam-prevention is empty"),
        ('kinds = ["phone", "url"]', 'kinds = ["telephone"]', "must be one of phone"),
        ('ai_uses = ["none"]', 'ai_uses = ["none", "scoring"]', "names none, and others"),
        ('ai_uses = ["none"]', 'ai_uses = ["magic"]', "must be one of none"),
        ('recipients = ["all"]', 'recipients = ["role:nobody"]', "nobody to share with"),
        ("retention_days = 90", "retention_days = 0", "must be above zero"),
        ('purpose = "payment-check"', 'purpose = "scam-prevention"', "each purpose once"),
        ("[[processing]]", f"# {'x' * MAX_BYTES}\n[[processing]]", "more than"),
    ],
)
def test_what_is_not_sound_is_refused_by_name(old: str, new: str, told: str) -> None:
    assert old in NOTICE
    with pytest.raises(BadInputError, match=told):
        Notice.parse(NOTICE.replace(old, new, 1), Role.PROVIDER)


@pytest.mark.parametrize("found", [None, 7, "", "title = 1"])
def test_a_document_without_a_sound_notice_does_not_verify(found: object) -> None:
    with pytest.raises(VerificationError):
        Notice.of_text(found, Role.PROVIDER)
