"""The permit: written only where rules and notices allow it, and refused where a single field is another."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, offer, rulebook, texts

from trisect.clock import to_text
from trisect.errors import DeniedError, StaleError, TrisectError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import consent_epochs
from trisect.rules.consents import EpochCommitment
from trisect.rules.notices import Notice
from trisect.rules.offers import Offer
from trisect.rules.permit import DIFFERENCE, Answer, Permit, crossed, judge, preview, propose
from trisect.rules.policies import RedLineError
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.trust.filings import ConsentsFiling, NoticeFiling, RulebookFiling
from trisect.trust.statements import KeyCheck, Role, Standing, Vetting

HASH = b"h" * 32
ANSWER = Answer(
    permit=b"p" * 16,
    collection="c2",
    version=5,
    kinds=frozenset({Kind.PHONE}),
    basis="statutory-duty: ATOFL 16",
    padded=2_048,
    retention_days=90,
    terms=b"t" * 32,
)
VETTED = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))


@pytest.fixture
def consortium() -> Consortium:
    """Two vetted providers with notices, and a rulebook."""
    found = Consortium.founded()
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.review("telco", "bank")
    found.review("bank", "telco")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


@pytest.fixture
def regime(consortium: Consortium) -> Regime:
    return Regime(consortium.membership)


def offered(regime: Regime, **changes: Any) -> Offer:
    return offer(notice=regime.notice_hash("telco"), **changes)


def denied(regime: Regime, answer: Answer = ANSWER, **changes: Any) -> TrisectError:
    with pytest.raises(TrisectError) as caught:
        propose(offered(regime, **changes), HASH, answer, regime)
    return caught.value


def test_what_is_allowed_is_written_and_judged_alike(regime: Regime) -> None:
    found = offered(regime)
    permit = propose(found, HASH, ANSWER, regime)
    assert permit.rules == "scam-prevention-between-providers"
    assert (permit.budget, permit.budget_day) == (1_024, "2026-11-27")
    assert permit.answerer_notice == regime.notice_hash("bank")
    judge(permit, found, HASH, regime)
    preview(found, regime)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Permit)])
def test_a_permit_with_any_other_field_is_refused(regime: Regime, field: str) -> None:
    found = offered(regime)
    permit = propose(found, HASH, ANSWER, regime)
    free = {"permit", "terms", "answered_collection", "answered_version", "answered_padded", "retention_days"}
    match value := getattr(permit, field):
        case bytes():
            other: Any = bytes(value[:-1]) + bytes([value[-1] ^ 1])
        case int():
            other = value - 1
        case _:
            other = (
                "url"
                if field == "answered_kinds"
                else "contract"
                if field == "answered_basis"
                else "aid:1"
                if field in {"consents", "answered_consents"}
                else value + "x"
            )
    changed = dataclasses.replace(permit, **{field: other})
    if field in free | {"answered_kinds", "answered_basis"}:
        judge(changed, found, HASH, regime)  # the answerer's own to say; its signature binds it
        return
    with pytest.raises((VerificationError, DeniedError, StaleError)):
        judge(changed, found, HASH, regime)


def test_a_count_that_is_told_again_costs_nothing(regime: Regime) -> None:
    found, again = offered(regime, mode="count"), dataclasses.replace(ANSWER, repeats=True)
    permit = propose(found, HASH, again, regime)
    assert (permit.repeats, permit.budget) == (1, 0)
    judge(permit, found, HASH, regime)
    for changes in ({"repeats": 0}, {"budget": 1_024}, {"repeats": 2}):
        with pytest.raises(VerificationError):
            judge(dataclasses.replace(permit, **changes), found, HASH, regime)
    asked = offered(regime)
    with pytest.raises(VerificationError, match="only a count"):
        judge(propose(asked, HASH, again, regime), asked, HASH, regime)


def epoch(consortium: Consortium, sequence: int, issued: dt.datetime) -> None:
    """Have the proxy commit to consents up to a number."""
    filed = len(consortium.membership.filed(ConsentsFiling, "aid"))
    content = EpochCommitment(filed + 1, sequence, 16, bytes(32)).to_content()
    consortium.take(consortium.filing(ConsentsFiling, "aid", content, issued=to_text(issued)))


ON_CONSENT = dataclasses.replace(ANSWER, basis="consent: app terms")
LONG_BEFORE, JUST_NOW = NOW - dt.timedelta(minutes=10), NOW - dt.timedelta(seconds=30)


@pytest.mark.parametrize(
    ("consents", "error"),
    [
        ("aid:1", None),
        ("aid:2", None),  # taken in before it had to be
        ("", StaleError),
        ("aid:0", StaleError),
        ("other:9", StaleError),
        ("aid:01", VerificationError),
        ("aid:1,aid:1", VerificationError),
        ("aid:2,Aid:1", VerificationError),
        ("aid", VerificationError),
        ("aid:x", VerificationError),
        (" aid:1", VerificationError),
    ],
)
def test_a_list_on_consent_rests_on_what_the_record_says_of_consents(
    consortium: Consortium, regime: Regime, consents: str, error: type[TrisectError] | None
) -> None:
    consortium.take(consortium.admission("aid", Role.PROXY))
    epoch(consortium, 5, LONG_BEFORE)
    epoch(consortium, 9, JUST_NOW)
    found = offered(regime, basis="consent: app terms", consents="aid:1")
    answer = dataclasses.replace(ON_CONSENT, consents=consents)
    for changed in (found, offered(regime, basis="consent: app terms", consents=consents)):
        if error is None:
            judge(propose(changed, HASH, answer, regime), changed, HASH, regime)
        else:
            with pytest.raises(error):
                propose(changed, HASH, answer, regime)
    preview(found, regime)


def test_what_is_named_is_what_was_taken_in_whole(consortium: Consortium) -> None:
    for name in ("aid", "union"):
        consortium.take(consortium.admission(name, Role.PROXY))
    epoch(consortium, 5, LONG_BEFORE)
    epoch(consortium, 9, JUST_NOW)
    membership = consortium.membership
    named = {told: consent_epochs.known(membership, lambda _, told=told: told) for told in (0, 4, 5, 8, 9)}
    assert named == {0: "", 4: "", 5: "aid:1", 8: "aid:1", 9: "aid:2"}
    assert consent_epochs.newest(membership) == "aid:2"
    consortium.take(consortium.standing("aid", Standing.EXPELLED))
    assert consent_epochs.newest(membership) == "", "an expelled proxy's consents are no basis"


def test_epochs_belong_to_lists_on_consent_only(regime: Regime) -> None:
    found = offered(regime)
    with pytest.raises(VerificationError, match="not kept on consent"):
        propose(found, HASH, dataclasses.replace(ANSWER, consents="aid:1"), regime)


def test_a_permit_for_another_offer_is_refused(regime: Regime) -> None:
    permit = propose(offered(regime), HASH, ANSWER, regime)
    with pytest.raises(VerificationError, match="offer_hash"):
        judge(permit, offered(regime), b"o" * 32, regime)
    with pytest.raises(VerificationError, match="exchange"):
        judge(permit, offered(regime, exchange=bytes(16)), HASH, regime)


def test_a_permit_that_names_other_rules_is_a_difference(regime: Regime) -> None:
    found = offered(regime)
    permit = dataclasses.replace(propose(found, HASH, ANSWER, regime), rules="authorities-warn")
    with pytest.raises(DeniedError) as caught:
        judge(permit, found, HASH, regime)
    assert caught.value.rule == DIFFERENCE


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"purpose": "rights"}, "notice-declares"),
        ({"kinds": "email"}, "notice-declares"),
        ({"mode": "lookup"}, "no-rule"),
        ({"engine": "oprf", "mode": "lookup"}, "no-rule"),
        ({"basis": "unspecified"}, "no-basis-no-exchange"),
        ({"asked_padded": 99}, "min-set"),
        ({"asked_padded": 6_000_000}, "max-set"),
    ],
)
def test_what_rules_or_limits_do_not_allow_names_them(
    regime: Regime, changes: dict[str, Any], rule: str
) -> None:
    found = denied(regime, **changes)
    assert isinstance(found, DeniedError)
    assert found.rule == rule
    assert found.hint
    with pytest.raises(DeniedError) as caught:
        preview(offered(regime, **changes), regime)
    assert caught.value.rule == rule, "the asker's own node says so before anything is sent"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"kinds": frozenset({Kind.EMAIL})}, "notice-declares"),
        ({"basis": "unspecified"}, "no-basis-no-exchange"),
        ({"padded": 64}, "min-set"),
        ({"padded": 6_000_000}, "max-set"),
    ],
)
def test_what_the_answerer_has_may_deny_as_well(regime: Regime, changes: dict[str, Any], rule: str) -> None:
    assert denied(regime, dataclasses.replace(ANSWER, **changes)).rule == rule
    preview(offered(regime), regime)


def test_an_answerer_need_not_have_all_kinds_of_the_asker(consortium: Consortium) -> None:
    """The asker's own node must not refuse what the answerer could permit."""
    numbers = NOTICE.replace('kinds = ["phone", "url"]', 'kinds = ["phone"]')
    assert numbers != NOTICE
    consortium.take(consortium.filing(NoticeFiling, "bank", Notice.parse(numbers, Role.PROVIDER).content))
    regime = Regime(consortium.membership)
    asked = offered(regime, kinds="phone,url")
    preview(asked, regime)
    assert propose(asked, HASH, ANSWER, regime).answered_kinds == "phone"
    with pytest.raises(DeniedError):  # the bank declares no link
        preview(offered(regime, kinds="url"), regime)


def test_hits_are_kept_no_longer_than_owner_and_rulebook_allow(regime: Regime) -> None:
    for own, kept in ((30, 30), (400, 90)):
        answer = dataclasses.replace(ANSWER, retention_days=own)
        permit = propose(offered(regime), HASH, answer, regime)
        assert permit.retention_days == kept
        for wrong in (0, 91):
            with pytest.raises(DeniedError) as caught:
                judge(dataclasses.replace(permit, retention_days=wrong), offered(regime), HASH, regime)
            assert caught.value.rule == "retention"


def test_a_red_line_is_told_from_a_missing_rule(consortium: Consortium, regime: Regime) -> None:
    consortium.take(consortium.admission("bank", vetting=VETTED, key_check=KeyCheck.NONE))
    found = denied(regime, kinds="iban")
    assert isinstance(found, RedLineError)
    assert (found.rule, found.crossed.clause) == ("checked-keys", "PIPL 51")


@pytest.mark.parametrize(
    ("former", "new", "told"),
    [
        ('kinds = ["phone", "url"]', 'kinds = ["url"]', "the kind phone for scam-prevention"),
        ('purpose = "scam-prevention"', 'purpose = "rights"', "the purpose scam-prevention"),
        (
            'recipients = ["all"]',
            'recipients = ["role:government"]',
            "telco as a recipient for scam-prevention",
        ),
        ('recipients = ["all"]', 'recipients = ["telco", "role:government"]', ""),
        ('recipients = ["all"]', 'recipients = ["role:provider"]', ""),
    ],
)
def test_what_is_declared_is_declared_for_the_purpose(
    consortium: Consortium, regime: Regime, former: str, new: str, told: str
) -> None:
    """That the same kind is processed for another purpose does not cover this one."""
    elsewhere = NOTICE.replace('kinds = ["iban"]', 'kinds = ["iban", "phone"]').replace(former, new, 1)
    consortium.take(consortium.filing(NoticeFiling, "bank", Notice.parse(elsewhere, Role.PROVIDER).content))
    if not told:
        propose(offered(regime), HASH, ANSWER, regime)
        return
    found = denied(regime)
    assert (found.rule, found.message) == ("notice-declares", f"the notice of bank does not declare {told}")


BARE = """
@id("everything") @sentence("Everything.") permit (principal, action, resource);
"""


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"kinds": "voiceprint"}, "kind-refused"),
        ({"kinds": "face_template"}, "kind-refused"),
        ({"kinds": "media"}, "kind-refused"),
        ({"basis": "unspecified"}, "basis-declared"),
    ],
)
def test_some_things_no_rulebook_can_allow(
    consortium: Consortium, changes: dict[str, Any], rule: str
) -> None:
    toml, _ = texts(version=2, approvals=1)
    consortium.take(consortium.filing(RulebookFiling, GOVERNMENT, Rulebook.parse(toml, BARE).content))
    declares = NOTICE.replace('"phone", "url"', '"phone", "voiceprint", "face_template", "media"')
    consortium.take(consortium.filing(NoticeFiling, "telco", Notice.parse(declares, Role.PROVIDER).content))
    regime = Regime(consortium.membership)
    by = {"rulebook": list(regime.rulebooks)[-1].hash}
    propose(offered(regime, **by), HASH, ANSWER, regime)
    assert denied(regime, **by, **changes).rule == rule
    word = changes.get("kinds")
    answered: dict[str, Any] = {"kinds": frozenset({Kind(word)})} if word else dict(changes)
    bank = NOTICE.replace('"phone", "url"', '"phone", "voiceprint", "face_template", "media"')
    consortium.take(consortium.filing(NoticeFiling, "bank", Notice.parse(bank, Role.PROVIDER).content))
    assert denied(regime, dataclasses.replace(ANSWER, **answered), **by).rule == rule


def test_a_red_line_is_told_whatever_else_is_wrong(consortium: Consortium, regime: Regime) -> None:
    """So that nobody hides it behind a notice that declares nothing or is over, or a list of a wrong size."""
    found = offered(regime, kinds="voiceprint", asked_padded=1)
    assert crossed(found, regime) == "no-biometrics"
    old = NOTICE.replace("2026-11-27", "2026-01-27").replace("2027-05-26", "2026-05-26")
    consortium.take(consortium.filing(NoticeFiling, "telco", Notice.parse(old, Role.PROVIDER).content))
    assert crossed(found, regime) == "no-biometrics", "a notice published later undoes nothing"
    assert crossed(offered(regime, kinds="voiceprint"), regime) == "no-biometrics"
    assert crossed(dataclasses.replace(found, notice=bytes(32)), regime) == ""
    assert crossed(offered(regime), regime) == ""


@pytest.mark.parametrize("changes", [{"rulebook": bytes(32)}, {"notice": bytes(32)}])
def test_an_offer_that_goes_by_something_else_is_stale(
    consortium: Consortium, changes: dict[str, Any]
) -> None:
    regime = Regime(consortium.membership)
    with pytest.raises(StaleError, match="another"):
        propose(dataclasses.replace(offered(regime), **changes), HASH, ANSWER, regime)


def test_without_a_rulebook_nothing_is_permitted() -> None:
    found = Consortium.founded(("telco", Role.PROVIDER), ("bank", Role.PROVIDER))
    with pytest.raises(StaleError, match="no rulebook"):
        preview(offer(), Regime(found.membership))


def test_after_its_end_a_rulebook_permits_nothing(consortium: Consortium, regime: Regime) -> None:
    later = to_text(NOW + dt.timedelta(days=365))
    with pytest.raises(StaleError, match="expired"):
        propose(offered(regime, created=later), HASH, ANSWER, regime)


@pytest.mark.parametrize("name", ["telco", "bank"])
def test_who_has_no_notice_in_force_exchanges_nothing(
    consortium: Consortium, regime: Regime, name: str
) -> None:
    old = NOTICE.replace("2026-11-27", "2026-01-27").replace("2027-05-26", "2026-05-26")
    consortium.take(consortium.filing(NoticeFiling, name, Notice.parse(old, Role.PROVIDER).content))
    assert denied(regime).rule == "notice-in-force"


def test_a_source_whose_vetting_has_expired_is_not_asked(consortium: Consortium, regime: Regime) -> None:
    for vetting in (None, Vetting("licensing", "file 1", to_text(NOW))):
        consortium.take(consortium.admission("bank", vetting=vetting))
        found = denied(regime)
        assert (found.rule, "party vet bank" in found.hint) == ("vetting-in-force", True)


@pytest.mark.parametrize(
    "changes",
    [
        {"kinds": "url,phone"},
        {"kinds": "phone,phone"},
        {"kinds": ""},
        {"kinds": "telephone"},
        {"purpose": "fun"},
        {"mode": "steal"},
        {"engine": "magic"},
        {"basis": "because"},
        {"created": "yesterday"},
    ],
)
def test_an_offer_with_a_word_that_there_is_not_is_malformed(regime: Regime, changes: dict[str, Any]) -> None:
    assert isinstance(denied(regime, **changes), VerificationError)
