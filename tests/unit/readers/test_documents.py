"""STIX and MISP, with stix2 and pymisp as oracles where they read the same thing."""

import io
import json
from typing import Any

import pymisp
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st
from stix2patterns.pattern import ParseException, Pattern

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers import ReaderName, Reason, Unreadable, open_reading
from trisect.indicators.readers.stix_pattern import PatternError, parse_pattern

UUID = "11111111-1111-4111-8111-11111111111"


def read(document: object, reader: ReaderName) -> tuple[list[RawRow], list[Unreadable]]:
    data = json.dumps(document).encode()
    found = list(open_reading(io.BytesIO(data), name="f.json", reader=reader))
    return [r for r in found if isinstance(r, RawRow)], [r for r in found if isinstance(r, Unreadable)]


def stix(*objects: dict[str, Any]) -> tuple[list[RawRow], list[Unreadable]]:
    for number, item in enumerate(objects):
        item.setdefault("id", f"{item['type']}--{UUID}{number}")
    return read({"type": "bundle", "objects": list(objects)}, ReaderName.STIX)


def indicator(pattern: str, **more: object) -> dict[str, Any]:
    return {"type": "indicator", "pattern": pattern, "pattern_type": "stix", **more}


@pytest.mark.parametrize(
    ("item", "kind", "value"),
    [
        ({"type": "domain-name", "value": "a.example"}, "domain", "a.example"),
        ({"type": "url", "value": "http://a.example/"}, "url", "http://a.example/"),
        ({"type": "ipv4-addr", "value": "192.0.2.1"}, "ip", "192.0.2.1"),
        ({"type": "ipv6-addr", "value": "2001:db8::1"}, "ip", "2001:db8::1"),
        ({"type": "email-addr", "value": "a@example.org"}, "email", "a@example.org"),
        ({"type": "phone-number", "value": "+12025550101"}, "phone", "+12025550101"),
        ({"type": "bank-account", "iban": "GB82WEST12345698765432"}, "iban", "GB82WEST12345698765432"),
        ({"type": "bank-account", "account_number": "1234"}, "bank_account", "1234"),
        ({"type": "payment-card", "value": "4242424242424242"}, "payment_card", "4242424242424242"),
        ({"type": "cryptocurrency-wallet", "value": "x"}, "wallet", "x"),
        ({"type": "file", "hashes": {"MD5": "0", "SHA-256": "ab" * 32}}, "file_sha256", "ab" * 32),
        (
            {"type": "user-account", "account_type": "twitter", "user_id": "17"},
            "social_account",
            "twitter:17",
        ),
        ({"type": "software", "name": "com.example.loan"}, "app", "com.example.loan"),
        ({"type": "x-misp-attribute", "x_misp_type": "iban", "x_misp_value": "X"}, "iban", "X"),
        ({"type": "x-misp-attribute", "x_misp_type": "phone-number", "x_misp_value": "+1"}, "phone", "+1"),
    ],
)
def test_observables(item: dict[str, Any], kind: str, value: str) -> None:
    good, bad = stix(item)
    assert not bad
    assert [(row.kind, row.value, row.ref, row.where) for row in good] == [
        (kind, value, item["id"], item["id"])
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "mutex", "name": "m"}, Reason.UNSUPPORTED_TYPE),
        ({"type": "file", "hashes": {"MD5": "0"}}, Reason.UNSUPPORTED_TYPE),
        ({"type": "software", "name": "Good Loan"}, Reason.UNSUPPORTED_TYPE),
        ({"type": "x-acme-iban", "value": "GB82WEST12345698765432"}, Reason.UNSUPPORTED_TYPE),
        ({"type": "observed-data", "objects": {"0": {"type": "url", "value": "x"}}}, Reason.UNSUPPORTED_TYPE),
        ({"type": "note", "content": "Dear customer, send 5000"}, Reason.REFUSED_KIND),
        ({"type": "artifact", "payload_bin": "AA=="}, Reason.REFUSED_KIND),
        ({"type": "user-account", "account_type": "x", "account_login": "joe"}, Reason.CHANGING_NAME),
        ({"type": "user-account", "display_name": "Joe"}, Reason.CHANGING_NAME),
        ({"type": "user-account", "user_id": "17"}, Reason.UNSUPPORTED_TYPE),
        (indicator("[user-account:account_login = 'joe']"), Reason.CHANGING_NAME),
        (
            indicator("[user-account:account_type = 'x' AND user-account:account_login = 'j']"),
            Reason.CHANGING_NAME,
        ),
        (
            {"type": "x-misp-attribute", "x_misp_type": "github-username", "x_misp_value": "j"},
            Reason.CHANGING_NAME,
        ),
        ({"type": "x-misp-object", "x_misp_attributes": ["x"]}, Reason.NOT_AN_OBJECT),
        ({"type": "x-misp-object", "x_misp_attributes": {"type": "iban"}}, Reason.NOT_AN_OBJECT),
        ({"type": "domain-name"}, Reason.NO_VALUE),
        ({"type": "domain-name", "value": 1.5}, Reason.NOT_TEXT),
        ({"type": "domain-name", "value": "a\ud800"}, Reason.BAD_ENCODING),
        ({"type": "x-misp-attribute", "x_misp_type": "odd", "x_misp_value": "X"}, Reason.UNSUPPORTED_TYPE),
        (indicator("[url:value = 'x']", revoked=True), Reason.WITHDRAWN),
        (indicator("[url:value = 'x']", indicator_types=["benign"]), Reason.NOT_FRAUD),
        (indicator("rule x {}") | {"pattern_type": "yara"}, Reason.UNSUPPORTED_PATTERN),
    ],
)
def test_unreadable_objects(item: dict[str, Any], reason: Reason) -> None:
    good, bad = stix(item)
    assert not good
    assert [row.reason for row in bad] == [reason]


CONTEXT = [
    "attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "infrastructure",
    "intrusion-set", "location", "malware", "malware-analysis", "observed-data", "opinion", "report", "threat-actor",
    "tool", "vulnerability", "relationship", "sighting", "extension-definition", "language-content",
    "marking-definition",
]  # fmt: skip


@pytest.mark.parametrize("revoked", [False, True])
def test_context_is_neither_row_nor_reject(*, revoked: bool) -> None:
    assert stix(*({"type": name, "name": "x", "revoked": revoked} for name in CONTEXT)) == ([], [])


def test_every_type_of_stix_is_context_or_read_or_rejected() -> None:
    """Whatever stix2 knows (and what nobody knows) leaves a row, a reject, or stands in the list of context."""
    known = [
        *stix2.registry.STIX2_OBJ_MAPS["2.1"]["objects"],
        *stix2.registry.STIX2_OBJ_MAPS["2.1"]["observables"],
    ]
    assert len(known) > 30
    for name in {*known, "x-anything", "7", ""} - set(CONTEXT) - {"bundle"}:
        good, bad = stix({"type": name, "id": f"odd--{UUID}0"})
        assert (len(good), len(bad)) == (0, 1), name
        assert bad[0].where == f"odd--{UUID}0"


def test_bundles_in_a_bundle_and_in_a_list_are_opened() -> None:
    inner = {"type": "bundle", "objects": [{"type": "url", "value": "a"}, "text"]}
    for document in ([inner, inner], {"type": "bundle", "objects": [inner, inner]}):
        good, bad = read(document, ReaderName.STIX)
        assert [(row.value, row.where) for row in good] == [("a", "#1"), ("a", "#3")]
        assert bad == [Unreadable("#2", Reason.NOT_AN_OBJECT), Unreadable("#4", Reason.NOT_AN_OBJECT)]
    good, bad = read(
        {"type": "bundle", "objects": [{"type": "bundle", "objects": {"0": 1}}]}, ReaderName.STIX
    )
    assert (good, bad) == ([], [Unreadable("#1", Reason.NOT_AN_OBJECT)])


def test_an_id_that_may_hold_the_value_is_no_ref() -> None:
    good, _ = stix({"type": "phone-number", "id": "phone-number--+12025550101", "value": "+12025550101"})
    assert (good[0].where, good[0].ref) == ("#1", "f.json:1")


def test_dates_confidence_and_tags() -> None:
    domain = {"type": "domain-name", "id": f"domain-name--{UUID}9", "value": "a.example"}
    seen = {
        "type": "observed-data",
        "first_observed": "2026-01-02T00:00:00Z",
        "last_observed": "2026-02-03T00:00:00.5Z",
        "object_refs": [domain["id"]],
        "labels": ['trisect:category="romance"', "romance"],
    }
    told = indicator(
        "[domain-name:value = 'b.example']",
        valid_from="2026-03-04T00:00:00Z",
        confidence=70,
        labels=['trisect:fraud-role="mule"'],
    )
    good, _ = stix(domain, seen, told, {"type": "identity", "name": "x"})
    assert [(r.first_seen, r.last_seen, r.category, r.confidence, r.fraud_role) for r in good] == [
        ("2026-01-02", "2026-02-03", "romance", "", ""),
        ("2026-03-04", "", "", "70", "mule"),
    ]


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("[domain-name:value = 'a' OR url:value = 'b']", ["a", "b"]),
        ("[domain-name:value='a'] OR ([url:value == 'b'] OR [email-addr:value = 'c'])", ["a", "b", "c"]),
        ("[ (url:value = 'it\\'s \\\\ here') ]", ["it's \\ here"]),
        ("[file:hashes.'SHA-256' = 'ab' AND file:name = 'x']", ["ab"]),
        ("[user-account:account_type = 'x' AND user-account:user_id = '1']", ["x:1"]),
        ("[url:value = '[AND] OR']", ["[AND] OR"]),
    ],
)
def test_patterns_that_are_alternatives(pattern: str, values: list[str]) -> None:
    good, bad = stix(indicator(pattern))
    assert not bad
    assert [row.value for row in good] == values


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[domain-name:value = 'a' AND url:value = 'b']", Reason.SEVERAL_OBSERVABLES),
        (
            "[domain-name:value = 'a' AND domain-name:resolves_to_refs[*].value = '1']",
            Reason.SEVERAL_OBSERVABLES,
        ),
        ("[domain-name:value = 'a'] AND [url:value = 'b']", Reason.SEVERAL_OBSERVABLES),
        ("[domain-name:value = 'a'] FOLLOWEDBY [url:value = 'b']", Reason.SEVERAL_OBSERVABLES),
        ("[(url:value = 'a' OR url:value = 'b') AND url:value = 'c']", Reason.SEVERAL_OBSERVABLES),
        ("[domain-name:value != 'a']", Reason.UNSUPPORTED_PATTERN),
        ("[domain-name:value LIKE 'a%']", Reason.UNSUPPORTED_PATTERN),
        ("[domain-name:value MATCHES 'a.*']", Reason.UNSUPPORTED_PATTERN),
        ("[domain-name:value IN ('a', 'b')]", Reason.UNSUPPORTED_PATTERN),
        ("[NOT domain-name:value = 'a']", Reason.UNSUPPORTED_PATTERN),
        ("[domain-name:value NOT = 'a']", Reason.UNSUPPORTED_PATTERN),
        ("[EXISTS domain-name:value]", Reason.UNSUPPORTED_PATTERN),
        ("[url:value = 'a'] REPEATS 5 TIMES", Reason.UNSUPPORTED_PATTERN),
        ("([url:value = 'a'] OR [url:value = 'b']) WITHIN 5 SECONDS", Reason.UNSUPPORTED_PATTERN),
        ("[" + "(" * 100 + "url:value = 'a'" + ")" * 100 + "]", Reason.UNSUPPORTED_PATTERN),
        ("[mutex:name = 'a']", Reason.UNSUPPORTED_TYPE),
        ("[url:value = 'a'", Reason.BAD_PATTERN),
        ("[url:value = 'a']]", Reason.BAD_PATTERN),
        ("[url:value = 'a]", Reason.BAD_PATTERN),
        ("[url:value = ]", Reason.BAD_PATTERN),
        ("url:value = 'a'", Reason.BAD_PATTERN),
        ("", Reason.BAD_PATTERN),
        ("[url:value = '" + "a" * 70_000 + "']", Reason.TOO_LONG),
    ],
)
def test_patterns_that_say_more(pattern: str, reason: Reason) -> None:
    good, bad = stix(indicator(pattern))
    assert not good
    assert [row.reason for row in bad] == [reason]


def test_known_alternatives_are_read_beside_unknown_ones() -> None:
    good, bad = stix(indicator("[url:value = 'a' OR mutex:name = 'b']"))
    assert [row.value for row in good] == ["a"]
    assert [row.reason for row in bad] == [Reason.UNSUPPORTED_TYPE]


WORDS = [
    "[",
    "]",
    "(",
    ")",
    "url:value",
    "file:hashes.'SHA-256'",
    "=",
    "'x'",
    "'y\\''",
    "AND",
    "OR",
    "FOLLOWEDBY",
]


@given(st.lists(st.sampled_from([*WORDS, "[url:value = 'x']"]), max_size=12).map(" ".join))
def test_a_pattern_that_we_read_is_one_for_the_oasis_parser(pattern: str) -> None:
    try:
        parse_pattern(pattern)
    except PatternError as error:
        if error.reason is Reason.BAD_PATTERN:
            with pytest.raises(ParseException):
                Pattern(pattern)
    else:
        Pattern(pattern)


def test_pattern_values_agree_with_the_oasis_parser() -> None:
    pattern = "[url:value = 'a\\'b' OR domain-name:value = 'c'] OR [email-addr:value = 'd\\\\']"
    found = Pattern(pattern).inspect().comparisons
    theirs = {
        (f"{name}:{'.'.join(path)}", value[1:-1]) for name, all_ in found.items() for path, _, value in all_
    }
    ours = {
        (c.path, c.value.replace("\\", "\\\\").replace("'", "\\'"))
        for found in parse_pattern(pattern)
        for c in found
    }
    assert ours == theirs


def misp(*attributes: dict[str, Any], **event: object) -> tuple[list[RawRow], list[Unreadable]]:
    return read({"Event": {"Attribute": list(attributes), **event}}, ReaderName.MISP)


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("phone-number", "+12025550101", [("phone", "+12025550101")]),
        ("iban", "X", [("iban", "X")]),
        ("btc", "X", [("wallet", "X")]),
        ("xmr", "X", [("wallet", "X")]),
        ("cc-number", "X", [("payment_card", "X")]),
        ("hostname", "a.example", [("domain", "a.example")]),
        ("domain|ip", "a.example|192.0.2.1", [("domain", "a.example"), ("ip", "192.0.2.1")]),
        ("ip-dst|port", "2001:db8::1|443", [("ip", "2001:db8::1")]),
        ("filename|sha256", "x|" + "ab" * 32, [("file_sha256", "ab" * 32)]),
        ("mobile-application-id", "com.example.loan", [("app", "com.example.loan")]),
        ("twitter-id", "17", [("social_account", "twitter:17")]),
    ],
)
def test_attribute_types(type_name: str, value: str, expected: list[tuple[str, str]]) -> None:
    good, bad = misp({"type": type_name, "value": value, "uuid": f"{UUID}1"})
    assert not bad
    assert [(row.kind, row.value) for row in good] == expected
    assert {row.ref for row in good} == {f"{UUID}1"}


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ({"type": "domain", "value": "a.example", "to_ids": False}, Reason.NOT_FRAUD),
        ({"type": "link", "value": "http://a.example"}, Reason.NOT_FRAUD),
        ({"type": "target-email", "value": "a@example.org"}, Reason.NOT_FRAUD),
        ({"type": "domain", "value": "a.example", "deleted": True}, Reason.WITHDRAWN),
        ({"type": "md5", "value": "0"}, Reason.UNSUPPORTED_TYPE),
        ({"type": "attachment", "value": "face.jpg"}, Reason.REFUSED_KIND),
        ({"type": "github-username", "value": "joe"}, Reason.CHANGING_NAME),
        ({"type": "text", "value": "0"}, Reason.UNSUPPORTED_TYPE),
        ({"type": "domain|ip", "value": "a.example"}, Reason.BAD_COMPOSITE),
        ({"type": "domain", "value": None}, Reason.NO_VALUE),
        ({"type": "domain", "value": ["x"]}, Reason.NOT_TEXT),
    ],
)
def test_unreadable_attributes(attribute: dict[str, Any], reason: Reason) -> None:
    good, bad = misp(attribute)
    assert not good
    assert [(row.where, row.reason) for row in bad] == [("#1", reason)]


def test_a_phone_number_without_to_ids_is_read_since_misp_never_sets_it() -> None:
    good, _ = misp({"type": "phone-number", "value": "+12025550101", "to_ids": False})
    assert len(good) == 1


def test_objects_tags_and_times() -> None:
    number = {
        "type": "text",
        "object_relation": "msisdn",
        "value": "+12025550101",
        "first_seen": "1767225600",
    }
    good, bad = misp(
        {"type": "domain", "value": "a.example", "first_seen": "2026-01-02T00:00:00+00:00", "Tag": [{"name": 'trisect:channel="sms"'}]},
        Object=[{"name": "phone", "Attribute": [number]}, {"name": "victim", "Attribute": [number]}],
        Tag=[{"name": 'trisect:category="romance"'}, {"name": "tlp:green"}],
    )  # fmt: skip
    assert [(r.value, r.category, r.channel, r.first_seen) for r in good] == [
        ("a.example", "romance", "sms", "2026-01-02"),
        ("+12025550101", "romance", "", "2026-01-01"),
    ]
    assert [row.reason for row in bad] == [Reason.NOT_FRAUD]


def test_a_document_of_the_wrong_sort() -> None:
    with pytest.raises(BadInputError):
        read({"type": "bundle", "objects": []}, ReaderName.MISP)
    with pytest.raises(BadInputError):
        read({"Event": {}}, ReaderName.STIX)


def test_a_bundle_made_by_stix2_reads_as_stix2_reads_it() -> None:
    names = [stix2.v21.DomainName(value=f"{n}.example") for n in range(20)]
    told = [
        stix2.v21.Indicator(pattern=f"[url:value = 'http://{n}.example/it\\'s']", pattern_type="stix")
        for n in range(20)
    ]
    text = stix2.v21.Bundle(*names, *told).serialize()
    parsed = stix2.parse(text, allow_custom=True)
    theirs = {item.value for item in parsed.objects if item.type == "domain-name"}
    for item in parsed.objects:
        if item.type == "indicator":
            literal = stix2.pattern_visitor.create_pattern_object(item.pattern).operand.rhs.value
            theirs.add(literal.replace("\\'", "'"))
    good, bad = read(json.loads(text), ReaderName.STIX)
    assert not bad
    assert {row.value for row in good} == theirs
    assert {row.where for row in good} == {item.id for item in parsed.objects}


def test_an_event_made_by_pymisp_reads_as_pymisp_reads_it() -> None:
    event = pymisp.MISPEvent()
    event.info = "made up"
    for n in range(20):
        event.add_attribute("domain", f"{n}.example")
        event.add_attribute("phone-number", f"+120255501{n:02}")
    coin = pymisp.MISPObject("coin-address")
    coin.add_attribute("address", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    event.add_object(coin)
    text = event.to_json()
    again = pymisp.MISPEvent()
    again.load(text)
    everything = [*again.attributes, *(item for found in again.objects for item in found.attributes)]
    good, bad = read(json.loads(text), ReaderName.MISP)
    assert not bad
    assert {(row.where, row.value) for row in good} == {(item.uuid, item.value) for item in everything}
