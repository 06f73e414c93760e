"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from api import sign_in
from api.deps import Office, Public, SignedIn, limit, token_of, token_sha256
from api.schemas.sessions import ActorOut, SessionOut, SignInIn
from api.wiring import utc_now

router = APIRouter(tags=["Sessions"])


@router.post("/session", status_code=201, dependencies=[Public, Depends(limit("sign-in", most=60, window_s=300))])
def open_session(body: SignInIn, office: Office) -> SessionOut:
    """Sign in. The same answer for a wrong name and a wrong password; locked for 15 minutes after 5 wrong tries."""
    account, token, expires_at = sign_in.open_session(
        office.begin, username=body.username, password=body.password, now=utc_now()
    )
    return SessionOut(token=token, expires_at=expires_at, account=ActorOut.of(account))


@router.get("/session")
def who_am_i(account: SignedIn) -> ActorOut:
    """Who is signed in."""
    return ActorOut.of(account)


@router.delete("/session", status_code=204)
def close_session(request: Request, account: SignedIn, office: Office) -> Response:
    """Sign out."""
    with office.begin() as work:
        work.accounts.close_session(token_sha256(token_of(request)))
        work.audit.append(account.actor, "session.closed", account.username)
    return Response(status_code=204)
