"""Chains of certificates that break one rule each; all else is as it should be: throw-away keys, real lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Callable

_NOW = datetime.now(UTC).replace(microsecond=0)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Chain:
    """How a chain is made; as it stands it is in order.

    Attributes:
        constraints: Name constraints of the authority.
        authority_is_ca: False for somebody's own certificate that plays authority.
        path_length: Of the first authority; 0 forbids another below it. A root trusted by decision has no say.
        authorities: How many stand between root and leaf.
        authority_signs_certs: False takes the key usage away.
    """

    leaf_key: Callable[[], Any] = field(default=lambda: ec.generate_private_key(ec.SECP256R1()))
    constraints: x509.NameConstraints | None = None
    authority_is_ca: bool = True
    authority_until: datetime = _NOW + 300 * _DAY
    authority_signs_certs: bool = True
    path_length: int | None = None
    authorities: int = 1
    leaf_until: datetime = _NOW + 200 * _DAY
    leaf_usage: str | None = "digital_signature"
    leaf_purposes: tuple[x509.ObjectIdentifier, ...] = ()
    leaf_critical_unknown: bool = False


def made(chain: Chain) -> tuple[SimpleSigner, TrustStore]:
    """A signer at the end of the chain, and who trusts its root, with everybody's empty list."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Gốc thử", root_key, "Gốc thử", root_key, _NOW + 400 * _DAY, ca=True)
    issuer, issuer_key = root, root_key
    between, lists = [], [_list(root, root_key)]
    for number in range(chain.authorities):
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _certificate(
            f"Nơi cấp thử {number}",
            key,
            _name_of(issuer),
            issuer_key,
            chain.authority_until,
            ca=chain.authority_is_ca,
            signs_certs=chain.authority_signs_certs,
            constraints=chain.constraints,
            length=chain.path_length if not number else None,
        )
        issuer_key = key
        between.append(issuer)
        lists.append(_list(issuer, key))
    leaf_key = chain.leaf_key()
    leaf = _certificate(
        "Người ký thử",
        leaf_key,
        _name_of(issuer),
        issuer_key,
        chain.leaf_until,
        usage=chain.leaf_usage,
        purposes=chain.leaf_purposes,
        unknown=chain.leaf_critical_unknown,
    )
    registry = SimpleCertificateStore()
    registry.register_multiple([_asn1(one) for one in between])
    signer = SimpleSigner(
        signing_cert=_asn1(leaf),
        signing_key=asn1_keys.PrivateKeyInfo.load(
            leaf_key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ),
        cert_registry=registry,
    )
    der = serialization.Encoding.DER
    trust = TrustStore((root.public_bytes(der),), tuple(one.public_bytes(der) for one in between), tuple(lists))
    return signer, trust


def _name_of(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cơ quan thử"), _common(text)])


def _common(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text)


def _certificate(
    name: str,
    key: Any,
    issuer: str,
    issuer_key: Any,
    until: datetime,
    *,
    ca: bool = False,
    length: int | None = None,
    signs_certs: bool = True,
    usage: str | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    constraints: x509.NameConstraints | None = None,
    unknown: bool = False,
) -> x509.Certificate:
    allowed = {"key_cert_sign", "crl_sign"} if ca and signs_certs else {"crl_sign"} if ca else {usage}
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW - 500 * _DAY)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=length if ca else None), critical=True)
        .add_extension(x509.KeyUsage(**{one: one in allowed for one in every}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    if unknown:
        strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        builder = builder.add_extension(strange, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _list(issuer: x509.Certificate, key: Any) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(_NOW - _DAY)
        .next_update(_NOW + 30 * _DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


_ELSEWHERE = x509.NameConstraints([x509.DirectoryName(x509.Name([_common("Ai khác")]))], None)

#: Each breaks one rule.
BROKEN: dict[str, Chain] = {
    "name-constrained authority": Chain(constraints=_ELSEWHERE),
    "path too long": Chain(path_length=0, authorities=2),
    "a person plays authority": Chain(authority_is_ca=False),
    "authority may not sign certificates": Chain(authority_signs_certs=False),
    "expired authority": Chain(authority_until=_NOW - _DAY),
    "expired signer": Chain(leaf_until=_NOW - _DAY),
    "key for encryption": Chain(leaf_usage="key_encipherment"),
    "no use of the key allowed": Chain(leaf_usage=None),
    "critical extension nobody knows": Chain(leaf_critical_unknown=True),
    "RSA of 1024 bits": Chain(leaf_key=lambda: rsa.generate_private_key(65537, 1024)),  # noqa: S505
    "curve of 192 bits": Chain(leaf_key=lambda: ec.generate_private_key(ec.SECP192R1())),
    "curve of 224 bits": Chain(leaf_key=lambda: ec.generate_private_key(ec.SECP224R1())),
}
#: Purposes that aren't signing documents; a circular of 2025 leaves the purpose optional.
TIMESTAMPING_ONLY = Chain(leaf_purposes=(ExtendedKeyUsageOID.TIME_STAMPING,))
