"""A throw-away trust service for the demo centre and the tests: root, issuing CA, people, agencies, TSA, OCSP, CRL.

Everything it issues says so in its names. Keys and certificates are made once, with fresh keys, and kept in a
folder of mode 0700; what is answered over HTTP (RFC 3161, 6960, 5280) is built by certomancer's services at the
moment of asking. Status changes take effect at once, also in a server of another process, since each answer
looks at the register file again. No production instance may trust it: see `api.demo.mark`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from asn1crypto import crl, keys, ocsp, tsp, x509
from certomancer.services import CRLBuilder, RevocationInfoInterface, SimpleOCSPResponder, TimeStamper
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_der_x509_certificate

from api.demo.certificates import (
    Party,
    authorities,
    extension,
    issue,
    new_key,
    signature_algorithm,
    where_status_is_told,
)
from api.demo.mark import DEMO_MARK
from api.demo.trust_http import DemoTrustServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.demo.certificates import KeyKind

__all__ = ["DemoSubject", "DemoTrust", "DemoTrustServer", "Revocation", "main", "serve"]

_CRL_LIFE = timedelta(days=7)
_OCSP_LIFE = timedelta(hours=1)
_SUBJECT_LIFE = timedelta(days=1095)


@dataclass(frozen=True)
class DemoSubject:
    """Who gets a certificate.

    Attributes:
        id: Stable name of its files, letters, digits, "-" and "_".
        name: Common name, in Vietnamese: a person's or an agency's.
        organization: The agency a person belongs to; "" for an agency's own seal.
        valid_from, valid_to: Aware; by default three years from the day the trust service was made.
        key: "rsa-1024" only exists to be refused.
        key_usage: RFC 5280 names. What a signing certificate should not have can be tried too.
    """

    id: str
    name: str
    organization: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    key: KeyKind = "rsa-2048"
    key_usage: tuple[str, ...] = ("digital_signature", "non_repudiation")


@dataclass(frozen=True)
class Revocation:
    """When and why a certificate stopped counting; reasons are RFC 5280's."""

    at: datetime
    reason: str


@dataclass
class _Register:
    """Which serial numbers were issued, and which of them are revoked. Kept as one small JSON file."""

    issued: dict[int, str] = field(default_factory=dict)
    revoked: dict[int, Revocation] = field(default_factory=dict)

    @staticmethod
    def read(path: Path) -> _Register:
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {"issued": {}, "revoked": {}}
        return _Register(
            issued={int(serial, 16): subject for serial, subject in kept["issued"].items()},
            revoked={
                int(serial, 16): Revocation(datetime.fromisoformat(at), reason)
                for serial, (at, reason) in kept["revoked"].items()
            },
        )

    def write(self, path: Path) -> None:
        kept = {
            "issued": {f"{serial:x}": subject for serial, subject in self.issued.items()},
            "revoked": {f"{serial:x}": (r.at.isoformat(), r.reason) for serial, r in self.revoked.items()},
        }
        _write(path, json.dumps(kept, ensure_ascii=False, indent=1).encode())


class DemoTrust:
    """The keys and certificates in one folder, and what they answer. Make it with `create_or_load`."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.folder = folder
        self.base_url = base_url
        self._root = _load_party(folder, "root")
        self._issuing = _load_party(folder, "issuing")
        self._tsa = _load_party(folder, "tsa")
        self._ocsp = _load_party(folder, "ocsp")
        self._crls: dict[tuple[str, int, int], bytes] = {}
        self._crl_lock = Lock()

    @staticmethod
    def create_or_load(
        folder: Path,
        *,
        base_url: str,
        people: Sequence[DemoSubject] = (),
        valid_from: datetime | None = None,
        organization: str = "Dịch vụ chứng thực demo",
    ) -> DemoTrust:
        """Open the trust service kept in `folder`, or make one; people it doesn't know yet get certificates.

        Args:
            folder: Made with mode 0700 when missing.
            base_url: "http://host:port", written into the certificates as the place of CRL and OCSP. What
                the folder was made with stays: a different address on a later call is refused.
            people: Who needs a certificate; known ids are left as they are.
            valid_from: Start of the authorities' certificates when they are made; by default yesterday.
            organization: Who runs it; two services trusted at once need different names.

        Raises:
            ValueError: The folder was made for another address, or a name doesn't fit a certificate.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder):
            start = (valid_from or datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
            if not (folder / "service.json").exists():
                (folder / "subjects").mkdir(mode=0o700, exist_ok=True)
                for name, party in authorities(base_url, start, organization).items():
                    _keep_party(folder, name, party)
                _write(folder / "service.json", json.dumps({"base_url": base_url}).encode())
            kept_url = json.loads((folder / "service.json").read_text("utf-8"))["base_url"]
            if kept_url != base_url:
                raise ValueError(f"dịch vụ chứng thực demo này được tạo cho {kept_url}, không phải {base_url}")
            trust = DemoTrust(folder, base_url)
            for subject in people:
                trust._enrol(subject)
        return trust

    @property
    def anchor_der(self) -> bytes:
        """The root certificate."""
        return bytes(self._root.certificate.dump())

    @property
    def intermediates_der(self) -> tuple[bytes, ...]:
        """The issuing authority's certificate."""
        return (bytes(self._issuing.certificate.dump()),)

    @property
    def tsa_url(self) -> str:
        """Where timestamps are asked for (RFC 3161)."""
        return f"{self.base_url}/tsa"

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """The two revocation lists: of the root, and of the issuing authority."""
        return (f"{self.base_url}/crl/root.crl", f"{self.base_url}/crl/issuing.crl")

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """Everybody who has a certificate, the services left out."""
        return tuple(sorted(path.stem for path in (self.folder / "subjects").glob("*.p12")))

    def p12(self, subject_id: str) -> tuple[Path, Path]:
        """Give the PKCS#12 file of a subject and the file with its passphrase, both of mode 0600.

        Raises:
            KeyError: Nobody of that id has a certificate.
        """
        path = self.folder / "subjects" / f"{subject_id}.p12"
        if not path.exists():
            raise KeyError(subject_id)
        return path, path.with_suffix(".passphrase")

    def certificate_der(self, subject_id: str) -> bytes:
        """Give the certificate of a subject.

        Raises:
            KeyError: Nobody of that id has a certificate.
        """
        return self.p12(subject_id)[0].with_suffix(".crt").read_bytes()

    def revoke(self, subject_id: str, *, at: datetime | None = None, reason: str = "key_compromise") -> None:
        """Take a certificate out of force, from `at` (by default now). CRL and OCSP say so from then on.

        Besides subjects, "issuing", "tsa" and "ocsp" can be revoked.

        Raises:
            KeyError: Nobody of that id has a certificate.
        """
        with _locked(self.folder):
            register = self._register()
            serials = [serial for serial, known in register.issued.items() if known == subject_id]
            if not serials:
                raise KeyError(subject_id)
            at = (at or datetime.now(UTC)).replace(microsecond=0)
            register.revoked |= {serial: Revocation(at, reason) for serial in serials}
            register.write(self.folder / "register.json")

    def crl(self, name: Literal["root", "issuing"], *, at: datetime | None = None) -> bytes:
        """Build the revocation list of an authority as of `at`, good for seven days. DER."""
        at = (at or datetime.now(UTC)).replace(microsecond=0)
        register = self._register()
        revoked = {serial: r for serial, r in register.revoked.items() if r.at <= at}
        # An RSA key takes 30 ms to load; all who ask in one second with the same entries get the same list.
        version = (name, int(at.timestamp()), hash(tuple(sorted((s, r.at) for s, r in revoked.items()))))
        with self._crl_lock:
            if version not in self._crls:
                self._crls = {} if len(self._crls) > 32 else self._crls  # noqa: PLR2004 - a bound, not a rule
                self._crls[version] = self._build_crl(name, at, revoked)
            return self._crls[version]

    def _build_crl(self, name: str, at: datetime, revoked: dict[int, Revocation]) -> bytes:
        issuer = self._root if name == "root" else self._issuing
        builder = CRLBuilder(
            issuer_name=issuer.certificate.subject,
            issuer_key=issuer.key,
            signature_algo=signature_algorithm(issuer.key),
            authority_key_identifier=issuer.certificate.key_identifier_value,
        )
        entries = [
            builder.format_revoked_cert(serial, crl.CRLReason(r.reason), r.at) for serial, r in sorted(revoked.items())
        ]
        built = builder.build_crl(int(at.timestamp()), at, at + _CRL_LIFE, entries)
        return bytes(built.dump())

    def answer_ocsp(self, request: bytes, *, at: datetime | None = None) -> bytes:
        """Answer an OCSP request about a certificate of the issuing authority. DER in, DER out."""
        at = (at or datetime.now(UTC)).replace(microsecond=0)
        responder = SimpleOCSPResponder(
            responder_cert=self._ocsp.certificate,
            responder_key=self._ocsp.key,
            signature_algo=signature_algorithm(self._ocsp.key),
            at_time=at,
            revinfo_interface=_Status(self._issuing.certificate, self._register()),
            validity=_OCSP_LIFE,
        )
        return bytes(responder.build_ocsp_response(ocsp.OCSPRequest.load(request)).dump())

    def answer_timestamp(self, request: bytes, *, at: datetime | None = None) -> bytes:
        """Answer an RFC 3161 request. DER in, DER out."""
        authority = TimeStamper(
            tsa_cert=self._tsa.certificate,
            tsa_key=self._tsa.key,
            certs_to_embed=[self._issuing.certificate],
            fixed_dt=(at or datetime.now(UTC)).replace(microsecond=0),
        )
        return bytes(authority.request_tsa_response(tsp.TimeStampReq.load(request)).dump())

    def authority_der(self, name: str) -> bytes:
        """Give the certificate published for chain building: "root" or "issuing"."""
        return bytes({"root": self._root, "issuing": self._issuing}[name].certificate.dump())

    def _register(self) -> _Register:
        return _Register.read(self.folder / "register.json")

    def _enrol(self, subject: DemoSubject) -> None:
        path = self.folder / "subjects" / f"{subject.id}.p12"
        if path.exists():
            return
        if not subject.id.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"mã không hợp lệ: {subject.id!r}")
        start = subject.valid_from or self._issuing.certificate.not_valid_before
        name = {"country_name": "VN", "organizational_unit_name": DEMO_MARK, "common_name": subject.name}
        if subject.organization:
            name["organization_name"] = subject.organization
        key = new_key(subject.key)
        certificate = issue(
            name,
            key,
            issuer=self._issuing,
            valid=(start, subject.valid_to or start + _SUBJECT_LIFE),
            extensions=[
                extension("key_usage", set(subject.key_usage), critical=True),
                *where_status_is_told(self.base_url, "issuing"),
            ],
        )
        passphrase = secrets.token_urlsafe(24).encode()
        private = serialization.load_der_private_key(key.dump(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)  # noqa: S101 - for the type
        bundle = pkcs12.serialize_key_and_certificates(
            subject.name.encode(),
            private,
            load_der_x509_certificate(certificate.dump()),
            [load_der_x509_certificate(der) for der in (*self.intermediates_der, self.anchor_der)],
            serialization.BestAvailableEncryption(passphrase),
        )
        _enter(self.folder, certificate, subject.id)
        _write(path.with_suffix(".crt"), certificate.dump())
        _write(path.with_suffix(".passphrase"), passphrase)
        _write(path, bundle)


class _Status(RevocationInfoInterface):
    """What the register says, in certomancer's words."""

    def __init__(self, issuer: x509.Certificate, register: _Register) -> None:
        self._issuer = issuer
        self._register = register

    def get_issuer_cert(self) -> x509.Certificate:
        return self._issuer

    def check_revocation_status(self, cid: ocsp.CertId, at_time: datetime) -> tuple[ocsp.CertStatus, list[Any]]:
        serial = cid["serial_number"].native
        if serial not in self._register.issued:
            return ocsp.CertStatus("unknown"), []
        revocation = self._register.revoked.get(serial)
        if revocation is None or revocation.at > at_time:
            return ocsp.CertStatus("good"), []
        told = {"revocation_time": revocation.at, "revocation_reason": crl.CRLReason(revocation.reason)}
        return ocsp.CertStatus(name="revoked", value=ocsp.RevokedInfo(told)), []


# --- the folder -------------------------------------------------------------------------------------------------


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the folder: the seeding and the server may start together."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, readable by the owner only."""
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _enter(folder: Path, certificate: x509.Certificate, subject_id: str) -> None:
    register = _Register.read(folder / "register.json")
    register.issued[certificate.serial_number] = subject_id
    register.write(folder / "register.json")


def _keep_party(folder: Path, name: str, party: Party) -> None:
    _enter(folder, party.certificate, name)
    _write(folder / f"{name}.key", party.key.dump())
    _write(folder / f"{name}.crt", party.certificate.dump())


def _load_party(folder: Path, name: str) -> Party:
    return Party(
        x509.Certificate.load((folder / f"{name}.crt").read_bytes()),
        keys.PrivateKeyInfo.load((folder / f"{name}.key").read_bytes()),
    )


# --- running it ------------------------------------------------------------------------------------------------


def serve(trust: DemoTrust, host: str, port: int) -> None:
    """Answer on `host:port` until interrupted."""
    with DemoTrustServer(trust, socket.create_server((host, port), backlog=128)) as server:
        server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trust service, or revoke one of its certificates."""
    parser = argparse.ArgumentParser(prog="python -m api.demo.trust_service", description=DEMO_MARK)
    parser.add_argument("--folder", type=Path, required=True, help="nơi giữ khóa và chứng thư")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--revoke", metavar="ID", help="thu hồi chứng thư của ID rồi thoát")
    given = parser.parse_args(arguments)
    trust = DemoTrust.create_or_load(given.folder, base_url=f"http://{given.host}:{given.port}")
    if given.revoke:
        try:
            trust.revoke(given.revoke)
        except KeyError:
            print(f"Không có chứng thư nào mang mã {given.revoke}.", file=sys.stderr)
            return 1
        return 0
    try:
        serve(trust, given.host, given.port)
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
