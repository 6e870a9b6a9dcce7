"""Short cuts for plain hosts and addresses agree with the long way through the libraries."""

from __future__ import annotations

import ada_url
import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.indicators.forms import Reason, RejectedError, canonical, mail, registrable_domain, suffixes, web
from trisect.indicators.kinds import Kind

HOSTLIKE = st.from_regex(r"[a-z0-9_\-]{1,12}(\.[a-z0-9_\-]{1,12}){0,3}\.?", fullmatch=True)


def long_way(host: str) -> str | None:
    try:
        return web._ascii_host(host)
    except RejectedError:
        return None


@settings(max_examples=1500, deadline=None)
@given(host=HOSTLIKE)
def test_a_plain_host_is_what_the_long_way_makes_of_it(host: str) -> None:
    if web._is_plain_host(host):
        assert long_way(host) == host
        assert ada_url.URL(f"http://{host}/").hostname == host
    elif "." in host.rstrip(".") and not host.endswith(".") and "xn--" not in host:
        assert long_way(host) is None


def test_plain_hosts_exist() -> None:
    assert web._is_plain_host("a_b.example.com")
    assert web._is_plain_host("1ca43.appspot.com")
    assert web._is_plain_host("a--b.co")
    for odd in (
        "example",
        "example.com.",
        "1.2.3.4",
        "a.0x1f",
        "a.0x",
        "-a.com",
        "a-.com",
        "xn--a.com",
        "a..b",
        "x" * 64 + ".com",
    ):
        assert not web._is_plain_host(odd)


@settings(max_examples=600, deadline=None)
@given(label=st.text("aäöüßéçñøабвгд食狮猫αβγأب-z0", min_size=1, max_size=10))
def test_where_idna_encodes_the_answer_is_the_same(label: str) -> None:
    try:
        expected = idna.encode(
            f"{label}.example.com", uts46=True, std3_rules=True, transitional=False
        ).decode()
    except idna.IDNAError:
        return
    assert canonical(Kind.DOMAIN, f"{label}.example.com").value == expected


LOCAL = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-.\"( @é", min_size=1, max_size=12)


@settings(max_examples=1500, deadline=None)
@given(
    local=LOCAL,
    host=st.from_regex(
        r"[a-z0-9\-]{1,6}(\.[a-z0-9\-]{1,6}){0,2}\.(com|test|local|arpa|invalid|top)", fullmatch=True
    ),
)
def test_a_plain_address_is_what_email_validator_makes_of_it(local: str, host: str) -> None:
    if mail._is_plain(local, host):
        checked = validate_email(f"{local}@{host}", check_deliverability=False, test_environment=True)
        assert (checked.local_part, checked.ascii_domain) == (local, host)


@pytest.mark.parametrize(
    ("local", "host", "plain"),
    [
        ("John.Doe+tag", "gmail.com", True),
        (".john", "gmail.com", False),
        ("a..b", "gmail.com", False),
        ("a", "b.local", False),
    ],
)
def test_plain_addresses(local: str, host: str, *, plain: bool) -> None:
    assert mail._is_plain(local, host) is plain
    if not plain:
        with pytest.raises(EmailNotValidError):
            validate_email(f"{local}@{host}", check_deliverability=False)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("http://example.com/a/", "http://example.com/a"),
        ("http://example.com/a//", "http://example.com/a"),
        ("http://example.com/a/?b", "http://example.com/a/?b"),
        ("http://example.com/a/?", "http://example.com/a"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com//", "http://example.com/"),
        ("http://user:pass@example.com/", "http://example.com/"),
        ("example.com:8080/a", "http://example.com:8080/a"),
        ("hxxp[://]example[.]com/login[.]php", "http://example.com/login.php"),
        ("http://example.com/a[.]b", "http://example.com/a[.]b"),
        ("h**ps://example(dot)com", "https://example.com/"),
        ("https://example.com:443/#/x", "https://example.com/"),
    ],
)
def test_urls(raw: str, value: str) -> None:
    assert canonical(Kind.URL, raw).value == value


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        (Kind.URL, "javascript:alert(1)", Reason.UNSUPPORTED_SCHEME),
        (Kind.URL, "mailto:a@example.com", Reason.UNSUPPORTED_SCHEME),
        (Kind.URL, "hello", Reason.INVALID),
        (Kind.URL, "http://localhost/", Reason.PRIVATE),
        (Kind.URL, "http://*.example.com/", Reason.INVALID),
        (Kind.URL, "http://exa mple.com/", Reason.INVALID),
        (Kind.URL, "http://example.com/\x00", Reason.CONTROL_CHARACTERS),
        (Kind.URL, "http://example.com/\ud800", Reason.NOT_UNICODE),
        (Kind.URL, "http://example.com/" + "a" * 4096, Reason.TOO_LONG),
        (Kind.URL, "http://example.com/" + "食" * 1000, Reason.TOO_LONG),
        (Kind.DOMAIN, "http://example.com/", Reason.WRONG_KIND),
        (Kind.DOMAIN, "2130706433", Reason.WRONG_KIND),
        (Kind.DOMAIN, "[::1]", Reason.INVALID),
        (Kind.DOMAIN, "printer.local", Reason.PRIVATE),
        (Kind.DOMAIN, "github.io", Reason.PUBLIC_SUFFIX),
        (Kind.DOMAIN, "com", Reason.PUBLIC_SUFFIX),
        (Kind.DOMAIN, "xn--zzzz.com", Reason.INVALID),
        (Kind.DOMAIN, "ex%61mple.com", Reason.INVALID),
        (Kind.EMAIL, "a@b@example.com", Reason.INVALID),
        (Kind.EMAIL, "name@okaxis", Reason.WRONG_KIND),
        (Kind.EMAIL, "Jo <jo@example.com>", Reason.INVALID),
        (Kind.EMAIL, "jo@[1.2.3.4]", Reason.INVALID),
        (Kind.IP, "1.2.3.0/24", Reason.INVALID),
        (Kind.IP, "::ffff:10.0.0.1", Reason.PRIVATE),
        (Kind.IP, "fd00::1", Reason.PRIVATE),
        (Kind.IP, "100.64.0.1", Reason.PRIVATE),
    ],
)  # fmt: skip
def test_refusals(kind: Kind, raw: str, reason: Reason) -> None:
    with pytest.raises(RejectedError) as caught:
        canonical(kind, raw)
    assert caught.value.reason is reason


def test_the_suffix_list_knows_wild_cards_and_exceptions() -> None:
    assert suffixes.is_public_suffix("anything.ck")
    assert not suffixes.is_public_suffix("www.ck")
    assert registrable_domain("a.www.ck") == "www.ck"
    assert registrable_domain("a.b.anything.ck") == "b.anything.ck"
    assert registrable_domain("a.b.unheardoftld") == "b.unheardoftld"
    assert suffixes.is_public_suffix("xn--fiqs8s")
