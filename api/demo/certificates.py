"""Certificates of the demo trust service: who vouches for whom, and what each may be used for (RFC 5280)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from asn1crypto import algos, keys, x509
from certomancer.crypto_utils import generic_sign
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.demo.mark import DEMO_MARK

KeyKind = Literal["rsa-1024", "rsa-2048", "p-256", "p-384"]

_CA_LIFE = timedelta(days=3650)
_MAX_NAME_CHARACTERS = 64  # RFC 5280, ub-common-name and ub-organization-name


@dataclass(frozen=True)
class Party:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: keys.PrivateKeyInfo


def authorities(base_url: str, start: datetime, organization: str) -> dict[str, Party]:
    """Make root → issuing CA → TSA and OCSP responder: "root", "issuing", "tsa", "ocsp"."""
    valid = (start, start + _CA_LIFE)
    service = {"country_name": "VN", "organization_name": organization}
    certifies = extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True)

    root_key = new_key("rsa-2048")
    root = Party(
        issue(
            {**service, "common_name": f"Gốc {DEMO_MARK}"},
            root_key,
            issuer=None,
            valid=valid,
            extensions=[extension("basic_constraints", {"ca": True}, critical=True), certifies],
        ),
        root_key,
    )
    issuing_key = new_key("rsa-2048")
    issuing = Party(
        issue(
            {**service, "common_name": f"CA {DEMO_MARK}"},
            issuing_key,
            issuer=root,
            valid=valid,
            extensions=[
                extension("basic_constraints", {"ca": True, "path_len_constraint": 0}, critical=True),
                certifies,
                *where_status_is_told(base_url, "root"),
            ],
        ),
        issuing_key,
    )
    signs = extension("key_usage", {"digital_signature"}, critical=True)
    purposes = {
        "tsa": ("TSA", [extension("extended_key_usage", ["time_stamping"], critical=True)]),
        "ocsp": ("OCSP", [extension("extended_key_usage", ["ocsp_signing"]), extension("ocsp_no_check", None)]),
    }
    made = {"root": root, "issuing": issuing}
    for name, (title, purpose) in purposes.items():
        key = new_key("p-256")
        certificate = issue(
            {**service, "common_name": f"{title} {DEMO_MARK}"},
            key,
            issuer=issuing,
            valid=valid,
            extensions=[signs, *purpose, *where_status_is_told(base_url, "issuing")],
        )
        made[name] = Party(certificate, key)
    return made


_CURVES: dict[str, ec.EllipticCurve] = {"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1()}


def new_key(kind: KeyKind) -> keys.PrivateKeyInfo:
    """Make a fresh private key."""
    made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind in _CURVES:
        made = ec.generate_private_key(_CURVES[kind])
    else:
        made = rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))
    der = made.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return keys.PrivateKeyInfo.load(der)


def issue(
    name: dict[str, str],
    key: keys.PrivateKeyInfo,
    *,
    issuer: Party | None,
    valid: tuple[datetime, datetime],
    extensions: list[x509.Extension],
) -> x509.Certificate:
    """Sign a certificate for `key`; without issuer it signs itself."""
    too_long = [value for value in name.values() if len(value) > _MAX_NAME_CHARACTERS]
    if too_long:
        raise ValueError(f"tên dài hơn {_MAX_NAME_CHARACTERS} ký tự: {too_long[0]}")
    public = _public(key)
    subject = x509.Name.build(name)
    signer = issuer.key if issuer else key
    authority = issuer.certificate.key_identifier_value.native if issuer else public.sha1
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": secrets.randbits(127) | 1 << 126,  # positive and of one length
            "signature": signature_algorithm(signer),
            "issuer": issuer.certificate.subject if issuer else subject,
            "validity": {"not_before": _time(valid[0]), "not_after": _time(valid[1])},
            "subject": subject,
            "subject_public_key_info": public,
            "extensions": [
                extension("key_identifier", public.sha1),
                extension("authority_key_identifier", {"key_identifier": authority}),
                *extensions,
            ],
        }
    )
    return x509.Certificate(
        {
            "tbs_certificate": tbs,
            "signature_algorithm": signature_algorithm(signer),
            "signature_value": generic_sign(signer, tbs.dump(), signature_algorithm(signer)),
        }
    )


def _public(key: keys.PrivateKeyInfo) -> keys.PublicKeyInfo:
    public = serialization.load_der_private_key(key.dump(), None).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return keys.PublicKeyInfo.load(der)


def _time(moment: datetime) -> x509.Time:
    """UTCTime through 2049, as RFC 5280 4.1.2.5 asks; nothing here lives longer."""
    return x509.Time({"utc_time": moment.astimezone(UTC).replace(microsecond=0)})


def signature_algorithm(key: keys.PrivateKeyInfo) -> algos.SignedDigestAlgorithm:
    """With SHA-256, whatever the key."""
    return algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa" if key.algorithm == "ec" else "sha256_rsa"})


def extension(name: str, value: Any, *, critical: bool = False) -> x509.Extension:
    """An X.509 extension by its asn1crypto name."""
    kind = x509.Extension._oid_specs[name]  # noqa: SLF001 - asn1crypto offers no other way to the type
    return x509.Extension({"extn_id": name, "critical": critical, "extn_value": kind(value)})


def where_status_is_told(base_url: str, authority: str) -> list[x509.Extension]:
    """Point to the CRL of the authority that issued it, and of the issuing authority also OCSP."""

    def at(path: str) -> x509.GeneralName:
        return x509.GeneralName("uniform_resource_identifier", f"{base_url}{path}")

    access = [{"access_method": "ca_issuers", "access_location": at(f"/ca/{authority}.crt")}]
    if authority == "issuing":
        access.append({"access_method": "ocsp", "access_location": at("/ocsp")})
    point = {"distribution_point": x509.DistributionPointName("full_name", [at(f"/crl/{authority}.crl")])}
    return [extension("crl_distribution_points", [point]), extension("authority_information_access", access)]
