"""The coordinator's private certificate authority, and who a certificate says is calling.

Leaves are P-256 (Ed25519 leaves fail in gRPC) with exactly one SPIFFE URI. A certificate tells a name and
nothing more: role, keys and standing come from signed statements (`trisect.trust.membership`).
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trisect.errors import UnauthenticatedError, VerificationError
from trisect.trust.keys import Fingerprint, fingerprint

COORDINATOR_HOST = "coordinator.trisect"
"""The DNS name in a coordinator's certificate, whatever its address; clients check it against their CA."""

NODE_HOST = "node.trisect"
"""The DNS name in the certificate that a node shows to its party's own programs, whatever its address."""

CA_LIFE = dt.timedelta(days=3650)
CLOCK_SLACK = dt.timedelta(minutes=10)
_URI = re.compile(
    r"spiffe://(?P<consortium>[a-z0-9-]{1,63})/"
    r"(?:(?P<coordinator>coordinator)|party/(?P<party>[a-z0-9-]{1,63})|invitation/(?P<invitation>[0-9a-f]{32})|"
    r"node/(?P<node>[a-z0-9-]{1,63})|app/(?P<app>[0-9a-f]{32}))"
)


class Caller(enum.StrEnum):
    """What kind of principal a certificate names."""

    COORDINATOR = "coordinator"
    PARTY = "party"
    INVITATION = "invitation"
    NODE = "node"
    """A party's node, as it shows itself to the party's own programs."""
    APP = "app"
    """A program of a proxy, by the id of its credential."""


_SERVERS = {Caller.COORDINATOR: COORDINATOR_HOST, Caller.NODE: NODE_HOST}


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a certificate names: its kind, and the party's name or the invitation's id."""

    consortium: str
    caller: Caller
    name: str

    @property
    def uri(self) -> str:
        """The principal as a SPIFFE id."""
        tail = "" if self.caller is Caller.COORDINATOR else f"/{self.name}"
        return f"spiffe://{self.consortium}/{self.caller.value}{tail}"


def principal(uri: str) -> Principal:
    """Read a SPIFFE id as certificates of a consortium carry it.

    Raises:
        UnauthenticatedError: it has another form.
    """
    found = _URI.fullmatch(uri)
    if not found:
        raise UnauthenticatedError("the certificate names nobody that a consortium knows")
    for caller in Caller:
        name = found[caller.value]
        if name:
            return Principal(found["consortium"], caller, name)
    raise AssertionError(uri)


@dataclass(frozen=True, slots=True, repr=False)
class TlsIdentity:
    """A private key and its certificate chain, PEM."""

    key: bytes
    certificate: bytes


def new_tls_key() -> bytes:
    """Make a P-256 key, PKCS#8 PEM without encryption."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def new_authority(consortium: str, now: dt.datetime) -> TlsIdentity:
    """Make a certificate authority that can sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Trisect"),
            x509.NameAttribute(NameOID.COMMON_NAME, consortium),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return TlsIdentity(pem, certificate.public_bytes(serialization.Encoding.PEM))


def signing_request(tls_key: bytes) -> bytes:
    """Make a CSR (DER) that proves possession of the key and asks for no name: the issuer sets it."""
    key = _private(tls_key)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def request_key(request: bytes) -> bytes:
    """Check a CSR and give its public key as DER SubjectPublicKeyInfo.

    Raises:
        VerificationError: malformed, not self-signed, or another kind of key than P-256.
    """
    return _spki(_request(request).public_key())


def issue(
    authority: TlsIdentity, request: bytes, whom: Principal, *, now: dt.datetime, life: dt.timedelta
) -> bytes:
    """Issue a leaf for a CSR (DER) under a name that the authority chooses.

    Returns:
        The certificate, PEM.
    """
    public = _request(request).public_key()
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    alternative: list[x509.GeneralName] = [x509.UniformResourceIdentifier(whom.uri)]
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if host := _SERVERS.get(whom.caller):
        alternative.append(x509.DNSName(host))
        usage = [ExtendedKeyUsageOID.SERVER_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, whom.name or whom.caller.value)]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(min(now + life, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternative), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_authority_key(issuer), critical=False)
        .sign(_private(authority.key), hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def check_client_leaf(pem: bytes) -> None:
    """Check what TLS does not: a leaf, for clients, with exactly one URI and nothing else.

    Raises:
        UnauthenticatedError: the certificate of the authority itself, or one without its purpose.
    """
    certificate = _load(pem)
    try:
        extensions = certificate.extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        fit = (
            not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
            and ExtendedKeyUsageOID.CLIENT_AUTH
            in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            and len(list(names)) == len(names.get_values_for_type(x509.UniformResourceIdentifier)) == 1
        )
    except (x509.ExtensionNotFound, ValueError) as error:
        raise UnauthenticatedError("the client's certificate lacks its constraints") from error
    if not fit:
        raise UnauthenticatedError("the client's certificate is not a party's leaf")


def check_issued(pem: bytes, authority_pem: bytes, tls_key: bytes, whom: Principal) -> None:
    """Check at a node that the certificate it was given is for its key, its name, and by its authority.

    Raises:
        VerificationError: it is not.
    """
    certificate = _load(pem)
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise VerificationError("the issued certificate is not by the invitation's authority") from error
    if names.get_values_for_type(x509.UniformResourceIdentifier) != [whom.uri]:
        raise VerificationError("the issued certificate names somebody else")
    if _spki(certificate.public_key()) != _spki(_private(tls_key).public_key()):
        raise VerificationError("the issued certificate is for another key")


def validity(pem: bytes) -> tuple[dt.datetime, dt.datetime]:
    """Tell from when and until when a certificate is valid."""
    certificate = _load(pem)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def authority_fingerprint(pem: bytes) -> Fingerprint:
    """Tell the fingerprint of an authority's public key."""
    return fingerprint(_spki(_load(pem).public_key()))


def _load(pem: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        certificate.public_key()  # of a kind that is known
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise VerificationError("a certificate does not decode") from error
    return certificate


def _request(request: bytes) -> x509.CertificateSigningRequest:
    try:
        parsed = x509.load_der_x509_csr(request)
        sound = parsed.is_signature_valid
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise VerificationError("a certificate signing request does not decode") from error
    if not sound:
        raise VerificationError("a certificate signing request is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise VerificationError("a certificate signing request is not for a P-256 key")
    return parsed


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise VerificationError("a TLS key is not an elliptic-curve key")
    return key


def _spki(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise VerificationError("a TLS key is not an elliptic-curve key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
