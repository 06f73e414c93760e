"""The room in which an agency's own template is set: a process that can reach nothing but the template's folder.

typst code and HTML are programs written by strangers. Here they have no network (the kernel refuses sockets), can start
no program, and get seconds of processor time and some memory; typst reads below its folder only, and
HTML gets every resource from a fetcher that knows the names of the template's own files and no others.

`python -m signing.template_room` takes one question as JSON on standard input and answers with the PDF, or with what is
wrong and exit status 3.
"""

from __future__ import annotations

import ctypes
import json
import platform
import resource
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED = 3
#: What addresses of the template's files begin with: a name that can't exist, and is never asked for (RFC 6761).
BASE = "https://template.invalid/"

_SORTS = {
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}

#: By machine: what the kernel calls it, and the numbers of socket, connect, execve, execveat, ptrace, io_uring_setup.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 59, 322, 101, 425)),
    "aarch64": (0xC00000B7, (198, 203, 221, 281, 117, 425)),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # of the kernel's filter machine
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x0005000D, 0x80000000
_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER_MODE = 38, 22, 2
_FOREIGN_NUMBERS = 0x40000000
#: WeasyPrint hands typefaces to its font library as files, in the temporary folder it is given.
_LARGEST_FILE = 32 * 1024 * 1024


class Refused(Exception):
    """The template asks for what it may not have, or can't be set."""


def shut(*, cpu_s: int, memory_bytes: int) -> None:
    """Close the doors: nothing that is opened or asked for later reaches beyond this process.

    Raises:
        Refused: This machine can't; then nothing is set at all.
    """
    machine = _CALLS.get(platform.machine())
    if machine is None:
        raise Refused(f"máy loại {platform.machine()} không cách ly được mẫu riêng (can't be isolated here)")
    for limit, most in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (most, most))
    architecture, refused = machine
    filters = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, len(refused) + 1, 0, _FOREIGN_NUMBERS),
        *((_EQUAL, len(refused) - at, 0, number) for at, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in filters))
    asked = struct.pack("HxxxxxxP", len(filters), ctypes.addressof(program))
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or kernel.prctl(_SET_FILTER, _FILTER_MODE, asked, 0, 0):
        raise Refused("hệ điều hành không cho cách ly mẫu riêng (seccomp is missing here)")


def main() -> int:
    """Answer one question."""
    asked = json.load(sys.stdin)
    try:
        setter = _SETTERS[asked["engine"]](asked)
        shut(cpu_s=asked["cpu_s"], memory_bytes=asked["memory_bytes"])
        pdf = setter()
    except MemoryError:
        return _wrong("mẫu cần quá nhiều bộ nhớ (out of memory)")
    except BaseException as error:  # noqa: BLE001  whatever a stranger's program provokes; refusals of addresses, too
        return _wrong(str(error) or type(error).__name__)
    sys.stdout.buffer.write(pdf if pdf.endswith(b"\n") else pdf + b"\n")
    return 0


def _wrong(why: str) -> int:
    sys.stderr.write(why[:2000])
    return REFUSED


def _typst(asked: dict[str, Any]) -> Callable[[], bytes]:
    import typst

    folder = Path(asked["folder"])
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[asked["typeface"], str(folder)]
    )

    def pages() -> bytes:
        compiler = typst.Compiler(
            str(folder / "main.typ"),
            root=str(folder),
            font_paths=fonts,
            package_path="/nonexistent",
            package_cache_path="/nonexistent",
        )
        inputs = {"data": json.dumps(asked["data"], ensure_ascii=False)}
        made = compiler.compile(format="pdf", pdf_standards=["a-2a", "ua-1"], sys_inputs=inputs)
        if not isinstance(made, bytes):
            raise Refused("typst gave back no document")
        return made

    return pages


def _html(asked: dict[str, Any]) -> Callable[[], bytes]:
    import weasyprint
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError, URLFetcherResponse

    folder, typeface = Path(asked["folder"]), Path(asked["typeface"])
    own = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    own |= {f"typeface/{path.name}": path for path in typeface.iterdir() if path.is_file()}

    def fetch(address: str, *_: Any, **__: Any) -> URLFetcherResponse:
        parts = urlsplit(address)
        name = unquote(parts.path).lstrip("/")
        if parts.scheme == "data":
            return weasyprint.urls.URLFetcher(allowed_protocols=["data"]).fetch(address)
        if not address.startswith(BASE) or name not in own:
            raise FatalURLFetchingError(f"mẫu đòi tệp ở ngoài thư mục của nó: {address[:200]} (not in its folder)")
        sort = _SORTS.get(Path(name).suffix.lower(), "application/octet-stream")
        return URLFetcherResponse(address, own[name].read_bytes(), {"Content-Type": sort})

    words = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    faces = "".join(_font_face(asked["family"], path) for path in sorted(typeface.glob("*.[tToO][tT][fF]")))
    written = (folder / "main.html").read_text("utf-8")

    def pages() -> bytes:
        markup = words.from_string(written).render(asked["data"])
        fonts = FontConfiguration()
        base = f"{BASE}main.html"
        style = weasyprint.CSS(string=faces, base_url=base, url_fetcher=fetch, font_config=fonts)
        document = weasyprint.HTML(string=markup, base_url=base, url_fetcher=fetch)
        made = document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-2u", pdf_tags=True)
        if not isinstance(made, bytes):
            raise Refused("WeasyPrint gave back no document")
        return made

    return pages


def _font_face(family: str, path: Path) -> str:
    bold = "bold" if "bold" in path.name.casefold() else "normal"
    slant = "italic" if "italic" in path.name.casefold() else "normal"
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {bold}; font-style: {slant}; '
        f"src: url({BASE}typeface/{path.name}) }}\n"
    )


_SETTERS: dict[str, Callable[[dict[str, Any]], Callable[[], bytes]]] = {"typst": _typst, "html": _html}

if __name__ == "__main__":
    sys.exit(main())
