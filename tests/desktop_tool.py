"""The signer's own tool, as it stands on an official's desk: it is told where a PDF is, signs it, sends it back.

`signed` makes the file such a tool makes; `misbehaved` makes those that other files become on bad days, each by name.
`DesktopTool` is the program itself: a WebSocket on a free loopback port that speaks as the common Vietnamese tool
does, fetches the file, signs and uploads it. Its keys are the demo trust service's, in place of a token's.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx2
import pikepdf
from aiohttp import web
from asn1crypto import cms, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper

from signing.keys import open_pkcs12, read_passphrase_file
from signing.types import FIELD_NAMES, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyhanko.sign.timestamps import TimeStamper

    from signing.keys import SigningKey
    from tests.pki import Pki

RESERVED = 32768


def signed(
    sent: bytes,
    key: SigningKey,
    *,
    place: Place = Place.LEADER,
    own_field: tuple[float, float, float, float] | None = None,
    page: int = 1,
    certify: MDPPerm | None = None,
    subfilter: SigSeedSubFilter = SigSeedSubFilter.PADES,
    digest: str = "sha256",
    timestamper: TimeStamper | None = None,
    lock_all: bool = False,
    name: str = "",
) -> bytes:
    """What the tool sends back: the bytes it was given and one revision with a signature.

    Args:
        own_field: Make a field of its own there instead of filling ours.
    """
    file = BytesIO(sent)
    field = name or ("Signature1" if own_field else FIELD_NAMES[place])
    spec = None
    if own_field or name:
        lock = FieldMDPSpec(FieldMDPAction.ALL) if lock_all else None
        spec = SigFieldSpec(field, on_page=page - 1, box=own_field, field_mdp_spec=lock)  # type: ignore[arg-type]
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm=digest,
        subfilter=subfilter,
        certify=certify is not None,
        docmdp_permissions=certify or MDPPerm.FILL_FORMS,
    )
    signer = PdfSigner(metadata, key.signer, timestamper=timestamper, new_field_spec=spec)
    signer.sign_pdf(
        IncrementalPdfFileWriter(file),
        existing_fields_only=spec is None,
        bytes_reserved=RESERVED,
        in_place=True,
    )
    return file.getvalue()


def stamped(signed_pdf: bytes, timestamper: TimeStamper) -> bytes:
    """With a document timestamp that the tool put over it."""
    file = BytesIO(signed_pdf)
    PdfTimeStamper(timestamper).timestamp_pdf(
        IncrementalPdfFileWriter(file), "sha256", bytes_reserved=RESERVED, in_place=True
    )
    return file.getvalue()


def edited(sent: bytes, *, text: bytes = b"BT /F0 12 Tf 80 500 Td (9) Tj ET") -> bytes:
    """With a page painted over in a revision of its own, unsigned yet."""
    file = BytesIO(sent)
    writer = IncrementalPdfFileWriter(file)
    leaf = writer.root["/Pages"]["/Kids"][0]
    more = writer.add_object(generic.StreamObject(stream_data=text))
    there = leaf.raw_get("/Contents")
    leaf["/Contents"] = generic.ArrayObject([*(there if isinstance(there, generic.ArrayObject) else [there]), more])
    writer.update_container(leaf)
    writer.write_in_place()  # type: ignore[no-untyped-call]
    return file.getvalue()


def edited_while_signing(sent: bytes, key: SigningKey, *, place: Place = Place.LEADER) -> bytes:
    """A page painted over and the signature put on, in one and the same revision."""
    file = BytesIO(sent)
    writer = IncrementalPdfFileWriter(file)
    page = writer.root["/Pages"]["/Kids"][0]
    more = writer.add_object(generic.StreamObject(stream_data=b"q Q"))
    there = page.raw_get("/Contents")
    page["/Contents"] = generic.ArrayObject([*(there if isinstance(there, generic.ArrayObject) else [there]), more])
    writer.update_container(page)
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAMES[place], md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    PdfSigner(metadata, key.signer).sign_pdf(writer, existing_fields_only=True, bytes_reserved=RESERVED, in_place=True)
    return file.getvalue()


def rewritten(pdf: bytes) -> bytes:
    """Saved anew as a whole, as editors do."""
    made = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(made, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return made.getvalue()


def another(pdf: bytes) -> bytes:
    """Another document altogether, with the same fields."""
    made = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        del document.trailer.ID
        document.docinfo["/Subject"] = "another"
        document.save(made)
    return made.getvalue()


def signed_loosely(
    sent: bytes, key: SigningKey, *, digest: str = "sha256", link: str = "own", of: bytes = b"", partly: bool = False
) -> bytes:
    """As careless tools sign: what stands in the signature can be chosen. RSA, PKCS#1 v1.5.

    Args:
        link: What signing-certificate-v2 names: the signer's "own" certificate, "another", or nothing ("").
        of: Bytes signed in the place of the document's.
        partly: Leave the last bytes of the file out of what is signed.
    """
    whole = bytearray(signed(sent, key))
    start, end = _last_range(whole)
    _, first, second, length = (int(number) for number in whole[start:end].split())
    if partly:
        length -= 64
        whole[start:end] = f"0 {first} {second} {length}".encode().ljust(end - start)
    covered = of or bytes(whole[:first] + whole[second : second + length])
    content = _cms(key, covered, digest=digest, link=link).hex().encode()
    whole[first + 1 : second - 1] = content.ljust(second - first - 2, b"0")
    return bytes(whole)


def _last_range(pdf: bytearray) -> tuple[int, int]:
    """Where the numbers of the last /ByteRange stand."""
    start = pdf.index(b"[", pdf.rindex(b"/ByteRange")) + 1
    return start, pdf.index(b"]", start)


def _cms(key: SigningKey, covered: bytes, *, digest: str, link: str) -> bytes:
    """A detached signature, put together by hand."""
    certificate = x509.Certificate.load(key.certificate_der)
    attributes = [
        ("content_type", "data"),
        ("message_digest", hashlib.new(digest, covered).digest()),
    ]
    if link:
        named = key.certificate_der if link == "own" else b"another certificate"
        identified = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(named).digest()})
        attributes.append(("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [identified]})))
    signed_attrs = cms.CMSAttributes(
        [cms.CMSAttribute({"type": name, "values": [value]}) for name, value in attributes]
    )
    private = key.signer._key  # type: ignore[attr-defined]
    value = private.sign(signed_attrs.dump(), padding.PKCS1v15(), getattr(hashes, digest.upper())())
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number}),
            ),
            "digest_algorithm": {"algorithm": digest},
            "signed_attrs": signed_attrs,
            "signature_algorithm": {"algorithm": "rsassa_pkcs1v15"},
            "signature": value,
        }
    )
    content = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": digest}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate, *(x509.Certificate.load(der) for der in key.chain_der)],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump())


def key_of(pki: Pki, username: str) -> SigningKey:
    """The key on the token of one of the demo centre's people."""
    p12, passphrase = pki.trust.p12(username.replace(".", "-"))
    return open_pkcs12(p12, read_passphrase_file(passphrase))


# --- the program ------------------------------------------------------------------------------------------------------


@dataclass
class DesktopTool:
    """The tool itself, answering on a free loopback port until `stop`.

    Attributes:
        key: On the token that is plugged in; may be changed.
        behaves: What it makes of the fetched file and the key: `signed`, or something worse. None: its user closes it.
        asked: Commands it was given, with their parameters, in order.
        answers: What the service answered each upload.
    """

    key: SigningKey
    behaves: Callable[[bytes, SigningKey], bytes] | None = signed
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """As a page finds it."""
        return f"ws://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> None:
        """Listen; on the port it had before, if that is named."""
        started = threading.Event()

        async def serve() -> web.AppRunner:
            app = web.Application()
            app.router.add_get("/{command}", self._opened)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            self.port = runner.addresses[0][1]
            started.set()
            return runner

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            runner = self._loop.run_until_complete(serve())
            self._loop.run_forever()
            self._loop.run_until_complete(runner.cleanup())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        if not started.wait(20):
            raise TimeoutError("the tool didn't start")

    def stop(self) -> None:
        """Close it."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._thread = None

    async def _opened(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            parameters = json.loads(message.data)
            self.asked.append((request.match_info["command"], parameters))
            if self.behaves is None:
                await socket.close()
                break
            answer = await asyncio.get_running_loop().run_in_executor(None, self._signs, parameters)
            await socket.send_str(json.dumps(answer))
        return socket

    def _signs(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Fetch, sign, send back; what it tells the page is what the service told it."""
        with httpx2.Client(timeout=60) as client:
            fetched = client.get(parameters["FileName"])
            if fetched.status_code != httpx2.codes.OK:
                return {"Status": 1, "Message": "Không tải được văn bản.", "FileName": "", "FileServer": ""}
            pdf = self.behaves(fetched.content, self.key) if self.behaves else b""
            files = {"uploadfile": ("van-ban.signed.pdf", pdf, "application/pdf")}
            answer: dict[str, Any] = client.post(parameters["FileUploadHandler"], files=files).json()
        self.answers.append(answer)
        return answer
