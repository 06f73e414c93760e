"""What every page shares: the frame around it, the language it speaks, its headers, and how trouble looks.

Words stand in the templates as pairs, Vietnamese first: `t("Tra cứu", "Look up")`. Neither can be forgotten, and a
reviewer sees both at once (decision 0014).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from api import errors
from api.deps import Office, SignedIn
from api.pages import assets, told, words
from api.schemas.common import clean
from digitize.types import Flag
from dossiers import page_marks
from dossiers.labels import label
from dossiers.policy import MAY, Act
from dossiers.types import Account, Agency, OfficeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.errors import Language


def _newlines(text: object) -> object:
    """A browser sends two characters for a new line that it counted as one."""
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


#: What a person typed into a form: trimmed, NFC, without what no database takes.
Typed = Annotated[
    str,
    Form(),
    StringConstraints(strip_whitespace=True, max_length=2000),
    BeforeValidator(_newlines),
    AfterValidator(clean),
]
#: A password: as typed.
TypedSecret = Annotated[str, Form(), StringConstraints(max_length=256)]

LANGUAGE_COOKIE = "hoso_language"
SIZE_COOKIE = "hoso_size"
_TOLD_COOKIE = "hoso_told"
_YEAR_S = 365 * 24 * 3600

#: The ways through the office that a person may go: address, words, and the act they need.
WAYS = (
    ("/viec", "Việc", "Work", "see"),
    ("/ho-so/moi", "Hồ sơ mới", "New dossier", "open_dossier"),
    ("/hop-nhan", "Hộp nhận", "Inbox", "add_component"),
    ("/ban-giao", "Bàn giao", "Transfers", "open_dossier"),
    ("/ket-qua", "Kết quả", "Results", "see"),
    ("/nop-luu", "Nộp lưu", "Archive", "see"),
    ("/quan-tri", "Chứng thư", "Certificates", "keep_trust"),
    ("/quan-tri/thoi-han-luu", "Thời hạn lưu", "Periods", "set_retention"),
)

#: Nothing from elsewhere, nothing inline; pages are never framed. `blob:` is for pictures a phone has just taken.
SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": SECURITY_POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["asset"] = assets.address
_TEMPLATES.globals["Flag"] = Flag
_TEMPLATES.globals["counted"] = page_marks.counted
_TEMPLATES.globals["total"] = page_marks.total
_TEMPLATES.globals["may_be_marked"] = page_marks.may_be_marked
_TEMPLATES.filters.update(
    day=words.day,
    moment=words.moment,
    clock=words.clock,
    grouped=words.grouped,
    runs=words.runs,
    short=words.short,
    size=words.size,
)


@dataclass(frozen=True)
class Frame:
    """One request's frame: who is asking, in which language.

    Attributes:
        account, agency: Who is signed in, and for which agency; None for the public.
    """

    request: Request
    language: Language
    account: Account | None = None
    agency: Agency | None = None

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template as an answer; what was told by the last redirect is shown once."""
        news = told.TOLD.get(self.request.cookies.get(_TOLD_COOKIE, ""))
        html = _TEMPLATES.get_template(template).render(**self._shared(), **values, news=news)
        response = HTMLResponse(html, status, _HEADERS)
        if news is not None:
            response.delete_cookie(_TOLD_COOKIE)
        return response

    def part(self, template: str, **values: Any) -> HTMLResponse:
        """A piece of a page, for one that refreshes itself; what was told is left for the next whole page."""
        html = _TEMPLATES.get_template(template).render(**self._shared(), **values, news=None)
        return HTMLResponse(html, headers=_HEADERS)

    def to(self, path: str, *, tell: str = "") -> Response:
        """Go on to another page after a form was taken (303), and tell there what has happened.

        Args:
            path: Of our own.
            tell: Key of `told.TOLD`.
        """
        response = RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})
        if tell:
            if tell not in told.TOLD:
                raise KeyError(tell)
            response.set_cookie(_TOLD_COOKIE, tell, max_age=60, httponly=True, samesite="lax")
        return response

    def trouble(self, error: OfficeError | Exception) -> Mapping[str, Any]:
        """An error in this language, for a form that is shown again: title, safe, next, and everything listed."""
        told = errors.problem(error, self.language, trace_id=errors.trace_id_of(self.request))
        if isinstance(error, errors.WrongPassword) and self.account is not None:
            # Asked again for a signature: the name isn't in question, and what matters is that nothing was signed.
            english = self.language == "en"
            told["title"] = "The password is wrong." if english else "Mật khẩu không đúng."
            told["safe"] = "Nothing was signed." if english else "Chưa ký gì."
        return told

    def _shared(self) -> dict[str, Any]:
        language = self.language
        path = self.request.url.path
        query = self.request.url.query
        services = self.request.app.state.services
        return {
            "t": lambda vi, en: en if language == "en" else vi,
            "words": lambda what: label(what, language),
            "amount": lambda pages, images, **how: page_marks.amount(pages, images, language, **how),
            "due": lambda day: words.due(day, language),
            "lang": language,
            "large": self.request.cookies.get(SIZE_COOKIE) == "large",
            "account": self.account,
            "own_agency": self.agency,
            "path": path,
            "may": lambda act: bool(self.account and self.account.roles & MAY[Act(act)]),
            "ways": WAYS,
            "demo": not services.in_production,
            "most_bytes": services.limits.max_bytes,
            "here": quote(f"{path}?{query}" if query else path, safe=""),
        }


def language_of(request: Request) -> Language:
    """Vietnamese unless the person has chosen English here: many a Vietnamese computer asks for English by itself."""
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "vi"


def public_frame(request: Request) -> Frame:
    """The frame of a page for anyone."""
    return Frame(request, language_of(request))


def staff_frame(request: Request, office: Office, account: SignedIn) -> Frame:
    """The frame of a page for someone signed in."""
    with office.begin() as work:
        agency = work.agencies.of(account.agency)
    return Frame(request, language_of(request), account, agency)


PublicFrame = Annotated[Frame, Depends(public_frame)]
StaffFrame = Annotated[Frame, Depends(staff_frame)]


def problem_page(request: Request, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """An error as a page: what happened, is the work safe, what to do. It asks the database for nothing.

    Someone who isn't signed in is led to the sign-in page, and from there back.
    """
    if body["code"] == "not_signed_in":
        if "hx-request" in request.headers:
            # A piece of a page asks. The page around it may hold what somebody is typing, so it stays and says so.
            return Response(status_code=401, headers={"cache-control": "no-store"})
        way = RedirectResponse(_door(request), status_code=303, headers={"cache-control": "no-store"})
        if request.method != "GET":
            way.set_cookie(_TOLD_COOKIE, "session_over", max_age=60, httponly=True, samesite="lax")
        return way
    if body["code"] == "method_not_allowed" and request.method == "GET":
        # The address of a form's answer, opened again by a reload or a bookmark: back to what the form stood on.
        return RedirectResponse(request.url.path.rpartition("/")[0] or "/", status_code=303)
    frame = public_frame(request)
    response = frame.page("problem.html", status=body["status"], problem=body)
    response.headers.update(headers or {})
    return response


def _door(request: Request) -> str:
    """The sign-in page, and from there back to where the person was: for a form, the page that it stood on."""
    back = request.url.path
    if request.method != "GET":
        came_from = request.headers.get("referer", "")
        ours = came_from.startswith(f"{request.url.scheme}://{request.headers.get('host', '')}/")
        back = local_path("/" + came_from.split("/", 3)[3], "/viec") if ours else "/viec"
    return f"/dang-nhap?ve={quote(back, safe='')}"


def local_path(path: str, otherwise: str) -> str:
    """A path of our own to go back to, or `otherwise` for anything that leads elsewhere."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return otherwise
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc else path


def remember(response: Response, cookie: str, value: str) -> Response:
    """Keep a preference of this browser for a year."""
    response.set_cookie(cookie, value, max_age=_YEAR_S, httponly=True, samesite="lax")
    return response


def forget_pictures(response: Response) -> Response:
    """Have the browser throw away what it keeps of our pages and pictures: the next person may not be the same."""
    response.headers["clear-site-data"] = '"cache"'
    return response
