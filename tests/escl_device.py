"""A network scanner that speaks eSCL, as Mopria's specification has it: no device can be had for a test.

What asks it is real: Debian's `sane-airscan`, through `scanimage`. It has a feeder of so many sheets, for one side or
both, a pane of glass, and stops once by a jam or a pulled cable. It answers one request at a time, as small devices do.
"""

from __future__ import annotations

import io
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterator

_XML = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
#: A4 in three hundredths of an inch, which eSCL counts in.
_WIDTH, _HEIGHT = 2480, 3508
_RESOLUTION = 100

_INPUT = f"""<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>{_WIDTH}</scan:MaxWidth>
<scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>{_HEIGHT}</scan:MaxHeight><scan:MaxScanRegions>1</scan:MaxScanRegions>
<scan:SettingProfiles><scan:SettingProfile>
<scan:ColorModes><scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes>
<scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>
<scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt></scan:DocumentFormats>
<scan:SupportedResolutions><scan:DiscreteResolutions><scan:DiscreteResolution>
<scan:XResolution>{_RESOLUTION}</scan:XResolution><scan:YResolution>{_RESOLUTION}</scan:YResolution>
</scan:DiscreteResolution></scan:DiscreteResolutions></scan:SupportedResolutions>
</scan:SettingProfile></scan:SettingProfiles>"""
_CAPABILITIES = f"""<?xml version="1.0" encoding="UTF-8"?>
<scan:ScannerCapabilities {_XML}><pwg:Version>2.63</pwg:Version><pwg:MakeAndModel>Mẫu eSCL</pwg:MakeAndModel>
<scan:Platen><scan:PlatenInputCaps>{_INPUT}</scan:PlatenInputCaps></scan:Platen>
<scan:Adf><scan:AdfSimplexInputCaps>{_INPUT}</scan:AdfSimplexInputCaps>
<scan:AdfDuplexInputCaps>{_INPUT}</scan:AdfDuplexInputCaps>
<scan:AdfOptions><scan:AdfOption>DetectPaperLoaded</scan:AdfOption></scan:AdfOptions></scan:Adf>
</scan:ScannerCapabilities>"""


@dataclass
class Device:
    """The scanner.

    Attributes:
        sheets: In the feeder. Each gives one page, or two of a job for both sides.
        stops_after: So many pages are given before it stops, once; None never stops.
        stops_by: "jam", which its status tells; or "line": it breaks off without an answer.
        asked: What was asked of it, in order.
    """

    sheets: int
    stops_after: int | None = None
    stops_by: Literal["jam", "line"] = "jam"
    address: str = ""
    asked: list[str] = field(default_factory=list)
    given: int = 0
    state: str = "ScannerAdfLoaded"
    _backs: int = 0
    _is_duplex: bool = False

    def begin(self, settings: str) -> bool:
        """A job; not with an empty feeder."""
        self.state = "ScannerAdfLoaded" if self.sheets else "ScannerAdfEmpty"  # whoever begins has seen to the paper
        self._is_duplex, self._backs = "<scan:Duplex>true</scan:Duplex>" in settings, 0
        return bool(self.sheets)

    def next_page(self) -> bytes | None:
        """The next page of the job as a JPEG; None when there is none, and `state` says why.

        Raises:
            ConnectionAbortedError: There is no answer at all.
        """
        if self.stops_after == self.given:
            self.stops_after = None
            if self.stops_by == "line":
                raise ConnectionAbortedError
            self.state = "ScannerAdfJam"
            return None
        if self._backs:
            self._backs -= 1
        elif self.sheets:
            self.sheets -= 1
            self._backs = int(self._is_duplex)
        else:
            self.state = "ScannerAdfEmpty"
            return None
        self.given += 1
        page = Image.new("RGB", (_WIDTH // 3, _HEIGHT // 3), "white")
        ImageDraw.Draw(page).text((80, 80), f"Trang {self.given}", fill="black")
        told = io.BytesIO()
        page.save(told, "JPEG", dpi=(_RESOLUTION, _RESOLUTION))
        return told.getvalue()


class _Server(HTTPServer):
    device: Device


class _Answers(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        device = self.server.device
        device.asked.append(f"GET {self.path.rpartition('/')[2]}")
        if self.path.endswith("/ScannerCapabilities"):
            self._tell(200, _CAPABILITIES.encode(), "text/xml")
        elif self.path.endswith("/ScannerStatus"):
            status = (
                f'<?xml version="1.0"?><scan:ScannerStatus {_XML}><pwg:Version>2.63</pwg:Version>'
                f"<pwg:State>Idle</pwg:State><scan:AdfState>{device.state}</scan:AdfState></scan:ScannerStatus>"
            )
            self._tell(200, status.encode(), "text/xml")
        elif self.path.endswith("/NextDocument"):
            self._give_page()
        else:
            self._tell(404)

    def _give_page(self) -> None:
        try:
            page = self.server.device.next_page()
        except ConnectionAbortedError:
            self.close_connection = True
            return
        if page is None:
            self._tell(404)
        else:
            self._tell(200, page, "image/jpeg")

    def do_POST(self) -> None:
        device = self.server.device
        device.asked.append("POST ScanJobs")
        settings = self.rfile.read(int(self.headers["content-length"])).decode()
        if device.begin(settings):
            self._tell(201, location=f"/eSCL/ScanJobs/{uuid.uuid4()}")
        else:
            self._tell(409)

    def do_DELETE(self) -> None:
        self.server.device.asked.append("DELETE")
        self._tell(200)

    def _tell(self, status: int, content: bytes = b"", kind: str = "", *, location: str = "") -> None:
        self.send_response(status)
        if kind:
            self.send_header("content-type", kind)
        if location:
            self.send_header("location", location)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """It has no log."""


@contextmanager
def running_device(
    sheets: int, *, stops_after: int | None = None, stops_by: Literal["jam", "line"] = "jam"
) -> Iterator[Device]:
    """Switch one on, at a free port of this machine."""
    with _Server(("127.0.0.1", 0), _Answers) as server:
        server.device = Device(sheets, stops_after, stops_by, f"http://127.0.0.1:{server.server_port}/eSCL/")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.device
        finally:
            server.shutdown()
            thread.join()
