"""The test PKI: the demo trust service, answering on a free port of this test worker, with people to sign as.

A test that only signs asks for the session's `pki`; one that revokes or switches the service off makes its own
with `running_pki`, so that no test changes what another one sees.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from api.demo.trust_service import DemoSubject, DemoTrust, DemoTrustServer
from signing.keys import open_pkcs12, read_passphrase_file
from signing.timestamp import Timestamper
from signing.trust import TrustStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from signing.keys import SigningKey

_NOW = datetime.now(UTC).replace(microsecond=0)
_AGENCY = "Ủy ban nhân dân phường Hồng Gai"

#: Synthetic people and one agency.
LEADER = DemoSubject("leader", "Trần Thị Bình", _AGENCY)
LEADER_P256 = DemoSubject("leader-p256", "Lê Thị Lấp Lánh Ánh", _AGENCY, key="p-256")
SEAL = DemoSubject("seal", _AGENCY)
CLERK = DemoSubject("clerk", "Nguyễn Văn Ước", _AGENCY, key="p-256")
SCANNER = DemoSubject("scanner", "Phạm Thị Hường", "Bưu điện Bãi Cháy", key="p-256")
EXPIRED = DemoSubject("expired", "Hoàng Văn Cũ", _AGENCY, valid_to=_NOW - timedelta(days=1), key="p-256")
NOT_YET = DemoSubject("not-yet", "Vũ Thị Mới", _AGENCY, valid_from=_NOW + timedelta(days=30), key="p-256")
WRONG_USAGE = DemoSubject("wrong-usage", "Đặng Văn Mã Hóa", _AGENCY, key_usage=("key_encipherment",), key="p-256")
WEAK = DemoSubject("weak", "Bùi Văn Yếu", _AGENCY, key="rsa-1024")
EVERYBODY = (LEADER, LEADER_P256, SEAL, CLERK, SCANNER, EXPIRED, NOT_YET, WRONG_USAGE, WEAK)


@dataclass(frozen=True)
class Pki:
    """A running trust service.

    Attributes:
        trust: Keys, certificates, lists; `trust.revoke` takes effect at once.
        server: Already answering; `server.fake_time` is on (header X-Certomancer-Fake-Time).
    """

    trust: DemoTrust
    server: DemoTrustServer

    def key(self, subject: DemoSubject, **choices: Any) -> SigningKey:
        """Open somebody's key; a weak one is refused here already."""
        p12, passphrase = self.trust.p12(subject.id)
        return open_pkcs12(p12, read_passphrase_file(passphrase), **choices)

    def store(self, *, at: datetime | None = None) -> TrustStore:
        """Give anchor, issuing authority and both revocation lists, made at `at` (by default now)."""
        lists = (self.trust.crl("root", at=at), self.trust.crl("issuing", at=at))
        return TrustStore((self.trust.anchor_der,), self.trust.intermediates_der, lists)

    def timestamper(self, *, at: datetime | None = None) -> Timestamper:
        """Give a client of this service's timestamp authority, whose clock says `at`."""
        headers = {"X-Certomancer-Fake-Time": at.isoformat()} if at else None
        return Timestamper([self.trust.tsa_url], headers=headers)

    def stop(self) -> None:
        """Switch the service off for good; may be called twice."""
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def running_pki(
    folder: Path,
    people: Sequence[DemoSubject] = (LEADER, SEAL),
    *,
    valid_from: datetime | None = None,
    organization: str = "Dịch vụ chứng thực demo",
) -> Iterator[Pki]:
    """Make a trust service in `folder` and answer on a free port until the block ends.

    Args:
        people: Who gets keys: each RSA key costs about 0.1 s.
        organization: A name of its own, for a second service trusted beside the first.
        valid_from: Start of its authorities; two years ago by default, so that clocks can be moved back.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port = listener.getsockname()[1]
    trust = DemoTrust.create_or_load(
        folder,
        base_url=f"http://127.0.0.1:{port}",
        people=people,
        valid_from=valid_from or _NOW - timedelta(days=730),
        organization=organization,
    )
    server = DemoTrustServer(trust, listener, fake_time=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    pki = Pki(trust, server)
    try:
        yield pki
    finally:
        pki.stop()
        thread.join()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    """Give the trust service that all tests of this worker share. Nobody revokes anybody here."""
    with running_pki(tmp_path_factory.mktemp("pki"), EVERYBODY) as running:
        yield running
