"""A real remote signing service for tests: certomancer's CSC server in a process of its own, over the test PKI's keys.

Run as a program it answers on a port of its own and says which. The server knows no PIN; `--pin` puts one in front of
it, as real services ask for.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from certomancer import registry
from csc_dummy.csc_dummy_server import CSCWithCertomancer, DummyServiceParams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIN = "864209"
ACCESS = "an-access-token-of-this-test"
CREDENTIAL = "testing/signer"
_PKI = """
keysets:
  testing:
    keys:
      root: {{path: root.pem}}
      signer: {{path: signer.pem}}
external-url-prefix: "http://test.test"
pki-architectures:
  testing:
    keyset: testing
    entities:
      root: {{common-name: "Dịch vụ chứng thực thử"}}
      signer: {{common-name: "Trần Thị Bình"}}
    certs:
      root:
        subject: root
        issuer: root
        validity: {{valid-from: "2020-01-01T00:00:00+0000", valid-to: "2100-01-01T00:00:00+0000"}}
        profiles: [{{id: simple-ca, params: {{max-path-len: 1}}}}]
      signer:
        subject: signer
        issuer: root
        validity: {{valid-from: "2020-01-01T00:00:00+0000", valid-to: "2100-01-01T00:00:00+0000"}}
        profiles: [digsig-commitment]
"""


def lay_out(folder: Path, signer_pem: bytes, root_pem: bytes) -> None:
    """Keys and configuration of a service with one credential."""
    (folder / "signer.pem").write_bytes(signer_pem)
    (folder / "root.pem").write_bytes(root_pem)
    (folder / "pki.yml").write_text(_PKI.format())


@contextmanager
def running_csc(folder: Path, *options: str) -> Iterator[str]:
    """The address of a service over what was laid out in `folder`, until the block ends."""
    command = [sys.executable, "-m", "tests.csc", str(folder / "pki.yml"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait()


class _Service(CSCWithCertomancer):  # type: ignore[misc]  untyped
    """With what real services have besides: an access token, and a PIN if asked for."""

    pin: str = ""
    locked = False

    async def credentials_info(self, request: web.Request) -> web.Response:
        answer: web.Response = await super().credentials_info(request)
        if not self.pin:
            return answer
        import json

        told: dict[str, Any] = json.loads(answer.text or "{}")
        return web.json_response(told | {"PIN": {"presence": "true", "format": "N"}, "authMode": "explicit"})

    async def credentials_authorize(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self.pin and asked.get("PIN") != self.pin:
            return web.json_response({"error": "invalid_pin", "error_description": "The PIN is invalid"}, status=400)
        answer: web.Response = await super().credentials_authorize(request)
        return answer


@web.middleware
async def _known(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {ACCESS}":
        return web.json_response({"error": "invalid_token"}, status=401)
    if request.path.startswith("/moved"):
        raise web.HTTPTemporaryRedirect(f"http://localhost:{request.url.port}{request.path.removeprefix('/moved')}")
    answer: web.StreamResponse = await handler(request)
    return answer


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--pin", default="")
    parser.add_argument("--scal", type=int, default=1)
    parser.add_argument("--most", type=int, default=500)
    given = parser.parse_args()
    parameters = DummyServiceParams(hash_pinning_required=given.scal == 2, multisign=given.most)
    service = _Service(registry.CertomancerConfig.from_file(given.config), service_params=parameters)
    service.pin = given.pin
    service.register_routes()
    service.app.middlewares.append(_known)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    web.run_app(service.app, sock=listener, print=lambda *_: None)


if __name__ == "__main__":
    main()
