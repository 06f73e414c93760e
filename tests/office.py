"""A whole office in this process for tests: real database, real S3 server, real trust service, jobs run on demand."""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient
from pydantic import SecretStr

from api import jobs, worker
from api.app import create_app
from api.demo import centre, provision
from api.deps import SESSION_COOKIE
from api.key_folder import KeyFolder
from api.pin_desk import pin_door
from api.settings import Settings
from api.work_folder import WorkFolder
from dossiers.types import KeyHeld
from signing.keys import open_pkcs12, read_passphrase_file
from storage import workers
from tests.pki import Pki, running_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from api.wiring import Services
    from dossiers.types import CertificateRecord
    from signing.keys import SigningKey
    from tests.conftest import S3Settings


@dataclass
class Office:
    """A running office.

    Attributes:
        pki: The trust service; `pki.stop()` switches it off.
        keys: The signing worker's, with the door for PINs answering.
    """

    client: TestClient
    services: Services
    pki: Pki
    keys: KeyFolder
    _tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, who: str, method: str, path: str, **body: Any) -> httpx2.Response:
        """Ask as somebody; "" is the public."""
        headers = {"accept-language": "vi", **body.pop("headers", {})}
        if who:
            if who not in self._tokens:
                answer = self.client.post("/api/v1/session", json={"username": who, "password": centre.PASSWORD})
                assert answer.status_code == 201, answer.text
                self._tokens[who] = answer.json()["token"]
            headers["authorization"] = f"Bearer {self._tokens[who]}"
        return self.client.request(method, f"/api/v1{path}", headers=headers, **body)

    def open(self, who: str, path: str, **more: Any) -> httpx2.Response:
        """A page, as somebody's browser gets it; redirects are followed. "" is the public."""
        return self._browse(who, "GET", path, **more)

    def send(self, who: str, path: str, data: Any = None, **more: Any) -> httpx2.Response:
        """A form, as somebody's browser sends it from a page of ours; redirects are followed."""
        headers = {"sec-fetch-site": "same-origin", **more.pop("headers", {})}
        return self._browse(who, "POST", path, data=data, headers=headers, **more)

    def _browse(self, who: str, method: str, path: str, **more: Any) -> httpx2.Response:
        if who and who not in self._tokens:
            self.ask(who, "GET", "/session")
        cookies = {SESSION_COOKIE: self._tokens[who]} if who else {}
        cookies |= more.pop("cookies", {})
        self.client.cookies.clear()  # a browser of its own each time: nobody's cookies are left for the next
        for name, value in cookies.items():
            self.client.cookies.set(name, value)
        try:
            return self.client.request(method, path, **more)
        finally:
            self.client.cookies.clear()

    def refresh_lists(self) -> None:
        """What the timer does."""
        provision.refresh(self.services)

    def work_off(self, *queues: str) -> None:
        """Do every job that waits in these queues (all of them by default), and those that follow."""
        asyncio.run(self._work_off(queues or (*worker.READING, *worker.SIGNING)))

    async def _work_off(self, queues: tuple[str, ...]) -> None:
        app = workers.make_app(self.services.dsn)
        jobs.register(app, self.services, self.services.signing_desk(self.keys))
        async with app.open_async():
            await app.run_worker_async(
                queues=list(queues), wait=False, listen_notify=False, install_signal_handlers=False
            )


def onto_own_token(office: Office, username: str) -> SigningKey:
    """Take a leader's key out of the office, as if it were on the leader's own token; gives it, for the tool to use."""
    with office.services.begin() as work:
        record = work.certificates.for_person(username)
        work.certificates.keep(replace(record, held=KeyHeld.OWN_TOKEN))
    return _taken_out(office, record, username.replace(".", "-"))


def seal_onto_own_token(office: Office, agency: str) -> SigningKey:
    """The same with an agency's seal."""
    with office.services.begin() as work:
        record = work.certificates.for_agency(agency)
        work.certificates.keep(replace(record, held=KeyHeld.OWN_TOKEN))
    return _taken_out(office, record, f"con-dau-{agency.replace('.', '-')}")


def _taken_out(office: Office, record: CertificateRecord, subject: str) -> SigningKey:
    (office.services.keys_folder / record.key_file).unlink()
    p12, passphrase = office.pki.trust.p12(subject)
    return open_pkcs12(p12, read_passphrase_file(passphrase))


def lent(services: Services, **more: Any) -> Services:
    """The office's, as a command gets them: it closes at its end what it got, and the office goes on.

    Args:
        more: What is another's.
    """
    return replace(services, close_store=lambda: None, work_folder=WorkFolder(services.work_dir.parent), **more)


def settings_at(folder: Path, dsn: str, s3: S3Settings, **more: Any) -> Settings:
    """A program's that keeps its own files in `folder`."""
    return Settings(
        data=folder,
        database=dsn,
        s3_endpoint=s3.endpoint,
        s3_access_key=s3.access_key,
        s3_secret_key=SecretStr(s3.secret_key),
        s3_bucket=s3.bucket,
        s3_secure=s3.secure,
        service_secret=SecretStr("a secret of this test alone, long enough"),
        **more,
    )


@contextmanager
def running_office(folder: Path, dsn: str, s3: S3Settings, **more: Any) -> Iterator[Office]:
    """Start an office with the demo centre in it.

    Args:
        more: Settings.
    """
    with running_pki(folder / "trust", ()) as pki:
        settings = settings_at(folder, dsn, s3, tsa_urls=(pki.trust.tsa_url,), **more)
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            services: Services = client.app.state.services  # type: ignore[attr-defined]
            provision.fill(services, trust_folder=folder / "trust", trust_url=pki.trust.base_url)
            provision.refresh(services)
            keys = KeyFolder(services.keys_folder)
            with pin_door(services.keys_folder, keys.pins, services.begin, in_own_process=False), closing(keys):
                yield Office(client, services, pki, keys)
