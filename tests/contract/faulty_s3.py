"""A fault injector, and it says so: a real HTTP proxy before a real S3 server that can be told to misbehave.

With no fault set it passes everything on as it came.
"""

from __future__ import annotations

from enum import Enum
from urllib.parse import parse_qs, urlsplit

from tests.s3_proxy import PassingHandler, S3Proxy, one_bit_off


class Fault(Enum):
    """What the proxy does to answers."""

    NONE = "passes everything on"
    FLIPS_A_BYTE = "changes one bit of every object it gives back"
    STOPS_HALFWAY = "closes the connection in the middle of every object it gives back"
    FAILS_TWICE = "answers the next two requests with 503"
    IGNORES_RANGES = "says 200 where it was asked for a part"
    DELETES_ALL_THE_SAME = "says that it deleted whatever it was asked to"
    SHORTENS_LOCKS = "says that it changed every lock as asked"
    KNOWS_NO_HOLD = "refuses legal holds"
    ONLY_SAYS_IT_HOLDS = "says that it took every legal hold"
    FAILS_FOR_ONE = "answers 500 for one version of one object, as a server does over a damaged disk"
    STOPS_FOR_ONE = "closes the connection in the middle of one version of one object"
    REFUSES_TO_LIST_UPLOADS = "tells of no uploads in parts, as to a key that lacks the right"
    REFUSES_TO_END_UPLOADS = "ends no upload in parts, as for a key that lacks the right"
    KNOWS_NO_LIST_OF_UPLOADS = "says that it can't list uploads in parts"
    ONE_UPLOAD_IS_GONE = "says of the uploads in `unreadable` that there are none such, as once another has ended them"
    DOWN = "answers nothing but 503"


_NOT_IMPLEMENTED = b"<Error><Code>NotImplemented</Code><Message>no</Message></Error>"
_ACCESS_DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
_NO_SUCH_UPLOAD = b"<Error><Code>NoSuchUpload</Code><Message>no</Message></Error>"
_OF_UPLOADS = {
    ("GET", Fault.REFUSES_TO_LIST_UPLOADS): (403, _ACCESS_DENIED),
    ("GET", Fault.KNOWS_NO_LIST_OF_UPLOADS): (501, _NOT_IMPLEMENTED),
    ("DELETE", Fault.REFUSES_TO_END_UPLOADS): (403, _ACCESS_DENIED),
    ("DELETE", Fault.ONE_UPLOAD_IS_GONE): (404, _NO_SUCH_UPLOAD),
}


class FaultyS3(S3Proxy):
    """The proxy. `fault` may be set at any time; `downloads` counts the objects that were asked for, by name, and
    `listings` how often all of them were listed from the first.

    `unreadable` names the versions, or the objects, that the faults for one hit.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, _Handler)
        self.fault = Fault.NONE
        self.failures_left = 2
        self.downloads: dict[str, int] = {}
        self.unreadable: set[str] = set()
        self.listings = 0


class _Handler(PassingHandler):
    server: FaultyS3

    def treat(self, body: bytes) -> None:
        server = self.server
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        with server.counting:
            if self.command == "GET":
                name = self.path.split("?")[0].lstrip("/").partition("/")[2]
                server.downloads[name] = server.downloads.get(name, 0) + 1
            whole_list = asked.get("prefix") == ["sha256/"] and not {"continuation-token", "start-after"} & set(asked)
            server.listings += whole_list
            fails = server.fault is Fault.FAILS_TWICE and server.failures_left > 0
            server.failures_left -= fails
            fails = fails or server.fault is Fault.DOWN
        if fails:
            self.answer(503, {}, b"")
            return
        of_uploads = _OF_UPLOADS.get((self.command, server.fault))
        upload = set(asked.get("uploadId", ()))
        is_hit = bool(upload & server.unreadable) if server.fault is Fault.ONE_UPLOAD_IS_GONE else True
        if of_uploads and is_hit and (upload or "uploads" in asked):
            self.answer(of_uploads[0], {"Content-Type": "application/xml"}, of_uploads[1])
            return
        if server.fault is Fault.DELETES_ALL_THE_SAME and self.command == "DELETE":
            self.answer(204, {}, b"")
            return
        if server.fault is Fault.SHORTENS_LOCKS and self.command == "PUT" and "?retention" in self.path:
            self.answer(200, {}, b"")
            return
        if server.fault is Fault.KNOWS_NO_HOLD and self.command == "PUT" and "?legal-hold" in self.path:
            self.answer(501, {"Content-Type": "application/xml"}, _NOT_IMPLEMENTED)
            return
        if server.fault is Fault.ONLY_SAYS_IT_HOLDS and self.command == "PUT" and "?legal-hold" in self.path:
            self.answer(200, {}, b"")
            return
        self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        server = self.server
        status, answered, content = self.asked_upstream(body)
        is_object = self.command == "GET" and "/sha256/" in self.path and status in {200, 206}
        version = next((value for name, value in answered.items() if name.lower() == "x-amz-version-id"), None)
        name = self.path.split("?")[0].lstrip("/").partition("/")[2]
        is_hit = self.command == "GET" and bool({version, name} & server.unreadable)
        if is_hit and server.fault is Fault.FAILS_FOR_ONE:
            self.answer(500, {}, b"")
            return
        if server.fault is Fault.IGNORES_RANGES and status == 206:
            status = 200
        if is_object and server.fault is Fault.FLIPS_A_BYTE and content:
            content = one_bit_off(content)
        halved = is_object and server.fault is Fault.STOPS_HALFWAY
        if halved or (is_hit and server.fault is Fault.STOPS_FOR_ONE):
            self.answer(status, answered, content[: len(content) // 2], length=len(content))
            self.close_connection = True
            return
        self.answer(status, answered, content)
