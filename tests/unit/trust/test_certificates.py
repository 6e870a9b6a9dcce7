"""The private authority: what it signs, what a node checks of it, and whom it takes as a client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trisect.errors import UnauthenticatedError, VerificationError
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal, TlsIdentity

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
AUTHORITY = certificates.new_authority("anti-fraud", NOW)
OTHER = certificates.new_authority("anti-fraud", NOW)
KEY = certificates.new_tls_key()
TELCO = Principal("anti-fraud", Caller.PARTY, "telco")
INVITED = Principal("anti-fraud", Caller.INVITATION, "ab" * 16)
COORDINATOR = Principal("anti-fraud", Caller.COORDINATOR, "coordinator")


def issued(whom: Principal = TELCO, *, by: TlsIdentity = AUTHORITY, key: bytes = KEY) -> bytes:
    return certificates.issue(by, certificates.signing_request(key), whom, now=NOW, life=DAY)


def request_of(key: object) -> bytes:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


@pytest.mark.parametrize("whom", [TELCO, INVITED, COORDINATOR])
def test_a_principal_reads_as_it_was_written(whom: Principal) -> None:
    assert certificates.principal(whom.uri) == whom


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://anti-fraud",
        "spiffe://anti-fraud/",
        "spiffe://anti-fraud/party/",
        "spiffe://anti-fraud/party/telco/",
        "spiffe://anti-fraud/party/telco\n",
        "spiffe://anti-fraud/party/Telco",
        "spiffe://anti-fraud/party/telco?x",
        "spiffe://anti-fraud/party/../coordinator",
        "spiffe://anti-fraud/party/" + "a" * 64,
        "spiffe://Anti-Fraud/party/telco",
        "spiffe:///party/telco",
        "spiffe://a/b/party/telco",
        "https://anti-fraud/party/telco",
        "SPIFFE://anti-fraud/party/telco",
        "spiffe://anti-fraud/coordinator/",
        "spiffe://anti-fraud/coordinator/x",
        "spiffe://anti-fraud/invitation/" + "ab" * 15,
        "spiffe://anti-fraud/invitation/" + "AB" * 16,
        "spiffe://anti-fraud/invitation/" + "ab" * 17,
        "x spiffe://anti-fraud/party/telco",
        "spiffe://anti-fraud:1/party/telco",
        "spiffe://u@anti-fraud/party/telco",
    ],
)
def test_any_other_uri_names_nobody(uri: str) -> None:
    with pytest.raises(UnauthenticatedError, match="names nobody"):
        certificates.principal(uri)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate,
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["rsa", "ed25519", "p-384", "secp256k1"],
)
def test_a_request_for_another_kind_of_key_is_refused(make: Callable[[], object]) -> None:
    request = request_of(make())
    with pytest.raises(VerificationError, match="P-256"):
        certificates.request_key(request)
    with pytest.raises(VerificationError, match="P-256"):
        certificates.issue(AUTHORITY, request, TELCO, now=NOW, life=DAY)


P256_OID = bytes.fromhex("06082a8648ce3d030107")
ECDSA_SHA256_OID = bytes.fromhex("06082a8648ce3d040302")


@pytest.mark.parametrize(
    "damage",
    [
        lambda _request: b"",
        lambda _request: b"not DER",
        lambda request: request[:-1],
        lambda request: request[:-1] + bytes([request[-1] ^ 1]),
        lambda request: request.replace(P256_OID, P256_OID[:-1] + b"\x7f"),
        lambda request: request.replace(ECDSA_SHA256_OID, ECDSA_SHA256_OID[:-1] + b"\x7f"),
        lambda request: request.replace(
            bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")
        ),
    ],
    ids=["empty", "not der", "cut", "signature", "unknown curve", "unknown signature", "unknown key"],
)
def test_a_damaged_request_is_refused(damage: Callable[[bytes], bytes]) -> None:
    request = certificates.signing_request(KEY)
    assert certificates.request_key(request)
    assert damage(request) != request
    with pytest.raises(VerificationError):
        certificates.request_key(damage(request))


def test_a_request_asks_for_no_name_and_none_is_taken_from_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    wish = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coordinator")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(COORDINATOR.uri)]), critical=True
        )
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    leaf = x509.load_pem_x509_certificate(certificates.issue(AUTHORITY, wish, TELCO, now=NOW, life=DAY))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(TELCO.uri)]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert "coordinator" not in leaf.subject.rfc4514_string()


@pytest.mark.parametrize("whom", [TELCO, INVITED])
def test_a_partys_leaf_passes_as_a_client(whom: Principal) -> None:
    certificates.check_client_leaf(issued(whom))
    start, end = certificates.validity(issued(whom))
    assert (start, end) == (NOW - certificates.CLOCK_SLACK, NOW + DAY)


def test_a_leaf_does_not_outlive_its_authority() -> None:
    leaf = certificates.issue(
        AUTHORITY, certificates.signing_request(KEY), TELCO, now=NOW, life=certificates.CA_LIFE * 2
    )
    assert certificates.validity(leaf)[1] == certificates.validity(AUTHORITY.certificate)[1]


def crafted(*extensions: x509.ExtensionType, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """Make a certificate by the authority with exactly these extensions."""
    signer = serialization.load_pem_private_key(AUTHORITY.key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(AUTHORITY.certificate)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key((key or ec.generate_private_key(ec.SECP256R1())).public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


LEAF = x509.BasicConstraints(ca=False, path_length=None)
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def uris(*names: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names or [x509.UniformResourceIdentifier(TELCO.uri)])


def test_the_crafted_leaf_itself_would_pass() -> None:
    certificates.check_client_leaf(crafted(LEAF, CLIENT, uris()))


@pytest.mark.parametrize(
    "certificate",
    [
        AUTHORITY.certificate,
        issued(COORDINATOR),
        crafted(),
        crafted(x509.BasicConstraints(ca=True, path_length=None), CLIENT, uris()),
        crafted(CLIENT, uris()),
        crafted(LEAF, uris()),
        crafted(LEAF, SERVER, uris()),
        crafted(LEAF, CLIENT),
        crafted(LEAF, CLIENT, uris(*[x509.UniformResourceIdentifier(TELCO.uri)] * 2)),
        crafted(
            LEAF,
            CLIENT,
            uris(x509.UniformResourceIdentifier(TELCO.uri), x509.UniformResourceIdentifier(INVITED.uri)),
        ),
        crafted(LEAF, CLIENT, uris(x509.UniformResourceIdentifier(TELCO.uri), x509.DNSName("a.example"))),
        crafted(LEAF, CLIENT, uris(x509.DNSName("a.example"))),
    ],
    ids=[
        "the authority",
        "the coordinator",
        "nothing",
        "an authority with the rest",
        "no constraints",
        "no usage",
        "server only",
        "no name",
        "the same name twice",
        "two names",
        "a name and a host",
        "a host",
    ],
)
def test_any_other_certificate_is_no_client(certificate: bytes) -> None:
    with pytest.raises(UnauthenticatedError):
        certificates.check_client_leaf(certificate)


@pytest.mark.parametrize(
    "pem", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate(pem: bytes) -> None:
    for act in (certificates.check_client_leaf, certificates.validity, certificates.authority_fingerprint):
        with pytest.raises(VerificationError, match="does not decode"):
            act(pem)


def test_a_node_checks_what_it_was_given() -> None:
    certificates.check_issued(issued(), AUTHORITY.certificate, KEY, TELCO)
    bank = Principal("anti-fraud", Caller.PARTY, "bank")
    for leaf, authority, key, whom, reason in (
        (issued(by=OTHER), AUTHORITY.certificate, KEY, TELCO, "authority"),
        (issued(), OTHER.certificate, KEY, TELCO, "authority"),
        (issued(bank), AUTHORITY.certificate, KEY, TELCO, "somebody else"),
        (issued(), AUTHORITY.certificate, KEY, bank, "somebody else"),
        (issued(), AUTHORITY.certificate, certificates.new_tls_key(), TELCO, "another key"),
        (AUTHORITY.certificate, AUTHORITY.certificate, KEY, TELCO, "authority"),
    ):
        with pytest.raises(VerificationError, match=reason):
            certificates.check_issued(leaf, authority, key, whom)


def test_the_fingerprint_of_an_authority_is_its_keys() -> None:
    assert certificates.authority_fingerprint(AUTHORITY.certificate) != certificates.authority_fingerprint(
        OTHER.certificate
    )
    assert AUTHORITY.key.decode() not in repr(AUTHORITY)
