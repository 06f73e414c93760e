"""A citizen's telephone at the counter: pictures go up in parts, again and again, and in the end they are one paper.

It does what the page's script does (api/pages/static/parcel.js), and remembers what a telephone remembers: the address
behind the code, and the pictures.
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2

from digitize import parts
from dossiers.phone import TOKEN_HEAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Small enough for a fault to fall between two of a picture.
_PART_BYTES: Final = 12_000


class CodeIsOver(Exception):
    """The address leads nowhere any more: the counter has to show another code."""


def as_one_paper(pictures: Sequence[bytes]) -> bytes:
    """The file that the service must make of these pictures, to the last byte."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name, str(number)) for number in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            file.write_bytes(picture)
        parts.bind(files, Path(name, "paper.pdf"))
        return Path(name, "paper.pdf").read_bytes()


class Telephone:
    """One telephone with the page of a code open.

    Args:
        client: The network between it and the service.
        address: As the code has it: /chup/….
    """

    def __init__(self, client: httpx2.Client, base_url: str, address: str) -> None:
        self._client = client
        self._base_url = base_url
        self._address = address

    def bring(self, picture: bytes) -> str:
        """Send one picture from where the service says that it stopped; what became of it.

        Raises:
            CodeIsOver: The code's time is over.
            httpx2.HTTPError: Nobody answered, or not as it should; bring it again.
        """
        said = {"filename": "image.jpg", "sha256": hashlib.sha256(picture).hexdigest()}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        begun = {"upload-length": str(len(picture)), "upload-metadata": metadata}
        answer = self._tus("POST", "/api/v1/parcels", begun)
        where, arrived = answer.headers["location"], int(answer.headers["upload-offset"])
        while True:
            part = picture[arrived : arrived + _PART_BYTES]
            headers = {"content-type": "application/offset+octet-stream", "upload-offset": str(arrived)}
            arrived = int(self._tus("PATCH", where, headers, part).headers["upload-offset"])
            if arrived >= len(picture):
                break
        receipt = self._tus("GET", where).json()
        return str(receipt["trouble"] or receipt["state"]["code"])

    def done(self) -> httpx2.Response:
        """ "This paper is done": what came by this code is to be one paper."""
        answer = self._client.post(
            f"{self._base_url}{self._address}/xong", data={"kind": ""}, headers={"sec-fetch-site": "same-origin"}
        )
        if answer.status_code == httpx2.codes.GONE:
            raise CodeIsOver
        return answer

    def _tus(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> httpx2.Response:
        secret = self._address.rpartition("/")[2]
        spoken = {"tus-resumable": "1.0.0", "authorization": f"Bearer {TOKEN_HEAD}{secret}", **(headers or {})}
        answer = self._client.request(method, f"{self._base_url}{path}", headers=spoken, content=content)
        if answer.status_code == httpx2.codes.GONE:
            raise CodeIsOver
        return answer.raise_for_status()
