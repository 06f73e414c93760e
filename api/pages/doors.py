"""Coming in and going out: sign-in, the language, the size of the letters, and the page our own looks live on."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response

from api import sign_in
from api.deps import SESSION_COOKIE, Office, OwnPage, Public, SignedIn, limit, token_of, token_sha256
from api.errors import AccountLocked, WrongPassword
from api.pages.frame import (
    LANGUAGE_COOKIE,
    SIZE_COOKIE,
    PublicFrame,
    StaffFrame,
    Typed,
    TypedSecret,
    forget_pictures,
    local_path,
    remember,
)
from api.wiring import Services, utc_now

router = APIRouter(include_in_schema=False)

#: Where people of the office begin.
DESK = "/viec"
_ADDRESS_TRIES = Depends(limit("sign-in", most=60, window_s=300))


@router.get("/dang-nhap", dependencies=[Public])
def sign_in_page(frame: PublicFrame, ve: str = "") -> Response:
    """The sign-in form; `ve` is where the person was going."""
    return frame.page("sign_in.html", problem=None, username="", back=local_path(ve, DESK))


@router.post("/dang-nhap", dependencies=[Public, OwnPage, _ADDRESS_TRIES])
def open_session(
    frame: PublicFrame, office: Office, username: Typed = "", password: TypedSecret = "", ve: Typed = ""
) -> Response:
    """Sign in and go on to where the person was going; the same words for a wrong name and a wrong password."""
    back = local_path(ve, DESK)
    try:
        _, token, _ = sign_in.open_session(office.begin, username=username, password=password, now=utc_now())
    except (WrongPassword, AccountLocked) as error:
        problem = frame.trouble(error)
        return frame.page("sign_in.html", status=problem["status"], problem=problem, username=username, back=back)
    response = frame.to(back)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(sign_in.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_https(office),
    )
    return response


@router.post("/dang-xuat")
def close_session(request: Request, frame: StaffFrame, account: SignedIn, office: Office) -> Response:
    """Sign out: the session is over on the server, not only forgotten here."""
    with office.begin() as work:
        work.accounts.close_session(token_sha256(token_of(request)))
        work.audit.append(account.actor, "session.closed", account.username)
    response = frame.to("/dang-nhap", tell="signed_out")
    response.delete_cookie(SESSION_COOKIE)
    forget_pictures(response)
    return response


@router.get("/ngon-ngu/{language}", dependencies=[Public])
def choose_language(frame: PublicFrame, language: Literal["vi", "en"], ve: str = "/") -> Response:
    """Speak this language from now on, and go back."""
    return remember(frame.to(local_path(ve, "/")), LANGUAGE_COOKIE, language)


@router.get("/co-chu/{size}", dependencies=[Public])
def choose_size(frame: PublicFrame, size: Literal["normal", "large"], ve: str = "/") -> Response:
    """Write this large from now on, and go back."""
    return remember(frame.to(local_path(ve, "/")), SIZE_COOKIE, size)


@router.get("/giao-dien", dependencies=[Public])
def design(frame: PublicFrame) -> Response:
    """Every part our pages are made of, alive on one page: what to reach for before making something new."""
    return frame.page("design.html")


def _is_https(office: Services) -> bool:
    return office.base_url.startswith("https://")
