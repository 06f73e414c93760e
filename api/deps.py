"""Who is asking, and for what. Every route names one of these; a test refuses a route that doesn't."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.errors import ForeignOrigin, NotSignedIn, TooManyRequests
from api.wiring import Services, utc_now
from dossiers import desks, phone
from dossiers.policy import Act, require
from dossiers.types import Account, Actor, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from dossiers.phone import PhoneLink

_BEARER = "bearer "
_A_MOMENT_S = 5
#: A minute, from one address: a whole centre's telephones may stand behind one.
_PHONE_MOST = 1200
#: A browser's session. The token in it is the same as a program's bearer token, out of reach of scripts.
SESSION_COOKIE = "hoso_session"
_READING = frozenset({"GET", "HEAD"})


def services(request: Request) -> Services:
    """What was built once at start."""
    built: Services = request.app.state.services
    return built


Office = Annotated[Services, Depends(services)]


def token_of(request: Request) -> str:
    """The session token of a request: a program's bearer token, or a browser's cookie.

    Raises:
        NotSignedIn: There is none.
        ForeignOrigin: A cookie came with a change that no page of ours asked for.
    """
    header = request.headers.get("authorization", "")
    if header.lower().startswith(_BEARER) and len(header) > len(_BEARER):
        return header[len(_BEARER) :].strip()
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        raise NotSignedIn
    if request.method not in _READING:
        own_origin(request)
    return token


def own_origin(request: Request) -> None:
    """Let a change through only if one of our own pages asks for it, as the browser itself says.

    Browsers add these headers and no page can forge them: Fetch metadata (W3C), else Origin (RFC 6454) against Host.

    Raises:
        ForeignOrigin: It comes from elsewhere, or nothing says where from.
    """
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin":
        return
    if site is None and _origin_host(request) == request.headers.get("host"):
        return
    raise ForeignOrigin


def not_foreign(request: Request) -> None:
    """As `own_origin`, but a browser too old to say anything is let through: for citizens, where nobody is signed in.

    Raises:
        ForeignOrigin: The browser says that another site's page asks for it.
    """
    if request.headers.get("sec-fetch-site") or request.headers.get("origin"):
        own_origin(request)


def _origin_host(request: Request) -> str | None:
    try:
        return urlsplit(request.headers.get("origin", "")).netloc or None
    except ValueError:
        return None


def token_sha256(token: str) -> str:
    """What is stored of a session token."""
    return hashlib.sha256(token.encode()).hexdigest()


def account(request: Request, office: Office) -> Account:
    """The person who is signed in, whatever their role.

    Raises:
        NotSignedIn: No session, or it has ended.
    """
    try:
        with office.begin() as work:
            return work.accounts.by_session(token_sha256(token_of(request)), now=utc_now())
    except NotFound:
        raise NotSignedIn from None


@dataclass(frozen=True)
class Sender:
    """Who brings a file in.

    Attributes:
        desk: Name of the machine that sends for them; "" when they do it themselves.
        link: Of the telephone that takes pictures for them; it may do no more than that.
    """

    actor: Actor
    desk: str = ""
    link: PhoneLink | None = None


def sender(request: Request, office: Office) -> Sender:
    """A person who may bring papers in, or a machine or a telephone at a counter that does it for one.

    Raises:
        NotSignedIn: Neither; or the machine was revoked.
        NotAllowed: The person may not.
        PhoneLinkOver: The telephone's time is up; what it has begun it may end for a while.
    """
    token = token_of(request)
    if token.startswith(phone.TOKEN_HEAD):
        now = utc_now()
        _limited(request, office, "phone", most=_PHONE_MOST, window_s=60)
        visit = phone.visit(
            office.begin, token.removeprefix(phone.TOKEN_HEAD), now=now, finishing=request.method != "POST"
        )
        return Sender(visit.actor, link=visit.link)
    if not token.startswith(desks.TOKEN_HEAD):
        who = account(request, office)
        require(who.actor, Act.ADD_COMPONENT)
        return Sender(who.actor)
    try:
        desk, actor = desks.with_token(office.begin, token, now=utc_now())
    except NotFound:
        raise NotSignedIn from None
    return Sender(actor, desk.name)


def anyone() -> None:
    """The public: no sign-in. Named so that an open door is always a decision."""


def allowed(act: Act) -> Callable[[Account], Actor]:
    """A dependency that gives the actor, if one of their roles may do `act`.

    The use case asks the same table again; here it is asked early, before an upload is read. (A JSON body, one megabyte
    at most, has been read by then.)
    """

    def asker(who: Annotated[Account, Depends(account)]) -> Actor:
        require(who.actor, act)
        return who.actor

    asker.__name__ = f"may_{act.value}"
    return asker


def limit(bucket: str, *, most: int, window_s: int) -> Callable[[Request, Services], None]:
    """A dependency that lets one address through at most `most` times in `window_s` seconds.

    Raises:
        TooManyRequests: Over the limit; it says how long to wait.
    """

    def limited(request: Request, office: Office) -> None:
        _limited(request, office, bucket, most=most, window_s=window_s)

    return limited


def _limited(request: Request, office: Services, bucket: str, *, most: int, window_s: int) -> None:
    address = request.client.host if request.client else "unknown"
    with office.begin() as work:
        within = work.limits.hit(f"{bucket}:{address}", now=utc_now(), window_s=window_s, limit=most)
    if not within:
        raise TooManyRequests(window_s)


class AtOnce:
    """A dependency that lets one address have at most `most` requests under way in this process.

    What it guards is this process's own (its judges, its threads), so nobody else needs to know of it.

    Raises:
        TooManyRequests: It has as many already.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, request: Request) -> Iterator[None]:
        """Count it while it lasts."""
        address = request.client.host if request.client else "unknown"
        with self._lock:
            if self._under_way[address] >= self._most:
                raise TooManyRequests(_A_MOMENT_S)
            self._under_way[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[address] -= 1
                if not self._under_way[address]:
                    del self._under_way[address]


Public = Depends(anyone)
OwnPage = Depends(own_origin)
NotForeign = Depends(not_foreign)
SignedIn = Annotated[Account, Depends(account)]
Sends = Annotated[Sender, Depends(sender)]
Sees = Annotated[Actor, Depends(allowed(Act.SEE))]
Opens = Annotated[Actor, Depends(allowed(Act.OPEN_DOSSIER))]
AddsPapers = Annotated[Actor, Depends(allowed(Act.ADD_COMPONENT))]
Receives = Annotated[Actor, Depends(allowed(Act.RECEIVE))]
Reviews = Annotated[Actor, Depends(allowed(Act.REVIEW))]
SignsCopies = Annotated[Actor, Depends(allowed(Act.SIGN_COPY))]
Processes = Annotated[Actor, Depends(allowed(Act.PROCESS))]
Closes = Annotated[Actor, Depends(allowed(Act.CLOSE))]
HandsOver = Annotated[Actor, Depends(allowed(Act.HAND_OVER))]
Transfers = Annotated[Actor, Depends(allowed(Act.TRANSFER))]
Drafts = Annotated[Actor, Depends(allowed(Act.DRAFT_RESULT))]
Submits = Annotated[Actor, Depends(allowed(Act.SUBMIT_RESULT))]
Approves = Annotated[Actor, Depends(allowed(Act.APPROVE_RESULT))]
Returns = Annotated[Actor, Depends(allowed(Act.RETURN_RESULT))]
RegistersSigned = Annotated[Actor, Depends(allowed(Act.REGISTER_SIGNED))]
SignsWithToken = Annotated[Actor, Depends(allowed(Act.SIGN_WITH_TOKEN))]
MendsSigning = Annotated[Actor, Depends(allowed(Act.MEND_SIGNING))]
Withdraws = Annotated[Actor, Depends(allowed(Act.WITHDRAW))]
Holds = Annotated[Actor, Depends(allowed(Act.HOLD))]
SetsRetention = Annotated[Actor, Depends(allowed(Act.SET_RETENTION))]
KeepsTrust = Annotated[Actor, Depends(allowed(Act.KEEP_TRUST))]
