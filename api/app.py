"""The web application: routes, errors, and what was wired once."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.routing import compile_path

from api import errors
from api.figures import REQUESTS
from api.pages import (
    admin_retention,
    admin_trust,
    assets,
    citizen,
    copies,
    desk,
    doors,
    drafting,
    find,
    frame,
    inbox,
    leader,
    out_of_force,
    page_marks,
    papers,
    phone,
    post_office,
    results,
    review,
    separator_sheets,
    verdict_report,
)
from api.pages import amendments as amendment_pages
from api.pages import annexes as annex_pages
from api.pages import archive as archive_pages
from api.pages import holds as hold_pages
from api.pages import own_token as own_token_pages
from api.pages import parting as parting_pages
from api.pages import transfers as transfer_pages
from api.routes import (
    annexes,
    catalogue,
    citizens,
    desks,
    dossiers,
    e_results,
    health,
    metrics,
    own_token,
    parcels,
    sessions,
    transfers,
)
from api.uploads import SmallBodies
from api.wiring import Services, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.settings import Settings

_LOG = structlog.get_logger("web")
API = "/api/v1"

#: Where a body may be large: what is read there is a file, under a limit of its own, after asking who sends it.
UPLOADS = (
    "/verifications",
    "/dossiers/{dossier_id}/components",
    "/dossiers/{dossier_id}/e-results/upload",
    "/e-results/{e_result_id}/annexes",
    "/signing-links/{token}/signed",
    "/parcels/{parcel_id}",
)
#: The same, of pages' forms.
PAGE_UPLOADS = (
    "/kiem-tra",
    "/ho-so/{dossier_id}/giay-to",
    "/chup/{token}/anh",
    "/ho-so/{dossier_id}/ket-qua/tai-len",
    "/ket-qua/{e_result_id}/phu-luc",
    "/ket-qua/{e_result_id}/ky-token/tai-len",
)
_MOST_BODY_BYTES = 1024 * 1024

#: The doors for people, each a room of `api.pages`. "/ho-so/moi" comes before "/ho-so/{dossier_id}".
PAGES = tuple(
    module.router
    for module in (
        assets,
        doors,
        verdict_report,
        citizen,
        post_office,
        papers,
        phone,
        inbox,
        transfer_pages,
        desk,
        review,
        copies,
        find,
        leader,
        own_token_pages,
        separator_sheets,
        page_marks,
        parting_pages,
        results,
        drafting,
        annex_pages,
        out_of_force,
        archive_pages,
        hold_pages,
        amendment_pages,
        admin_trust,
        admin_retention,
    )
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: What answers programs: everything under here speaks JSON, also when it refuses.
_PROGRAMS = re.compile(r"/api/|/static/")

#: Every room of the API; a test looks at each route in them.
ROUTERS = tuple(
    module.router
    for module in (
        health,
        metrics,
        sessions,
        catalogue,
        dossiers,
        parcels,
        desks,
        transfers,
        e_results,
        annexes,
        own_token,
        citizens,
    )
)


def create_app(settings: Settings | None = None, built: Services | None = None) -> FastAPI:
    """The application over `settings`, those of the environment, or services the caller has built and will close."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = built or wire(settings)
        services.refuse_demo_trust()
        app.state.services = services
        yield
        if built is None:
            services.close()

    app = FastAPI(
        title="Hồ sơ số",
        version="1",
        description="Số hóa hồ sơ giấy, ký và phát hành kết quả điện tử, và ai cũng kiểm tra được.",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    errors.add_to(app, errors.Pages(_PROGRAMS, frame.language_of, frame.problem_page))
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    for router in PAGES:
        app.include_router(router)
    uploads = [compile_path(path)[0] for path in (*(API + path for path in UPLOADS), *PAGE_UPLOADS)]
    app.add_middleware(SmallBodies, most_bytes=_MOST_BODY_BYTES, uploads=uploads)
    app.add_middleware(Traced)
    return app


@dataclass(frozen=True)
class Traced:
    """Middleware: each request has a trace id, a line in the log without anything personal, and security headers.

    What nobody foresaw is logged and answered here, under the same trace id.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Raises what broke only when half an answer was sent before: the line must break then."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = uuid.uuid4().hex
        scope.setdefault("state", {})["trace_id"] = trace_id
        status = 0
        began = time.monotonic()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-trace-id"] = trace_id
                if scope["path"].startswith(f"{API}/parcels"):
                    headers.setdefault("tus-resumable", parcels.TUS)  # its protocol asks for it in every answer
                if scope["path"].startswith(API):
                    headers.setdefault("cache-control", "private, no-store")  # a counter's browser is shared
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "no-referrer")
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            _LOG.error("failed", trace_id=trace_id, exc_info=error)
            if status:
                raise
            await errors.answer(Request(scope), error)(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "")
            method = scope["method"] if scope["method"] in _METHODS else "other"  # anybody may send any word
            REQUESTS.labels(method, route, status).observe(time.monotonic() - began)
            _LOG.info("request", trace_id=trace_id, method=scope["method"], route=route, status=status)
