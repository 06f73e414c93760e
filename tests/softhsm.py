"""Real PKCS#11 tokens for tests: SoftHSM 2 with a configuration of this test process's own.

SoftHSM reads its configuration when the library is first loaded, and sees new tokens when it is started anew; so one
shelf of tokens serves a whole test process, each test with its own labels.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from signing.locators import TokenKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.demo.trust_service import DemoTrust
    from tests.pki import Pki

MODULE = next(
    (
        str(path)
        for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))
        if path.exists()
    ),
    "",
)
PIN = "246813"


@dataclass(frozen=True)
class Shelf:
    """Tokens of this process.

    Attributes:
        folder: For key files in transit.
    """

    folder: Path

    def token(self, label: str, *, pin: str = PIN) -> None:
        """Put a new, empty token on the shelf."""
        self._run("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "87654321")
        self.anew()

    def anew(self) -> None:
        """Every token pulled out and put back: sessions and logins are gone."""
        library = pkcs11.lib(MODULE)
        with suppress(pkcs11.PKCS11Error):
            library.reinitialize()

    def put(self, token: str, key: Path, *, label: str, key_id: str = "0A", pin: str = PIN) -> TokenKey:
        """Lay a private key (PKCS#8, PEM) on a token."""
        self._run(*("--import", str(key), "--token", token, "--label", label, "--id", key_id, "--pin", pin, "--force"))
        self.anew()
        return TokenKey(MODULE, token, label, bytes.fromhex(key_id))

    def key_of(self, pki: Pki, subject: str) -> Path:
        """Somebody's private key as a file."""
        return self.key_from(pki.trust, subject)

    def key_from(self, trust: DemoTrust, subject: str) -> Path:
        """The same, of a trust service that isn't a test's."""
        p12, passphrase = trust.p12(subject)
        bundle = pkcs12.load_pkcs12(p12.read_bytes(), passphrase.read_bytes().strip())
        assert bundle.key is not None
        file = self.folder / f"{subject}.p8"
        file.write_bytes(bundle.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return file

    def lose(self, label: str) -> None:
        """Take a token off the shelf for good."""
        self._run("--delete-token", "--token", label)
        self.anew()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


def open_shelf(folder: Path) -> Shelf:
    """An empty shelf in `folder`, for this process and those that it starts from now on."""
    assert MODULE, "softhsm2 is missing"
    assert shutil.which("softhsm2-util")
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    return Shelf(folder)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Give the shelf of tokens of this test process."""
    yield open_shelf(tmp_path_factory.mktemp("softhsm"))
    pkcs11.unload(MODULE)
