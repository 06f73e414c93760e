"""The web application: routes, errors, and what was wired once."""

from __future__ import annotations

import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI

from api import errors
from api.routes import catalogue, citizens, dossiers, e_results, health, sessions
from api.wiring import Services, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fastapi import Request, Response

    from api.settings import Settings

_LOG = structlog.get_logger("web")
API = "/api/v1"

#: Every room of the API; a test looks at each route in them.
ROUTERS = tuple(module.router for module in (health, sessions, catalogue, dossiers, e_results, citizens))


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over `settings`, or over those of the environment."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services: Services = wire(settings)
        services.refuse_demo_trust()
        app.state.services = services
        yield
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
    errors.add_to(app)
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    app.include_router(citizens.printed)
    app.middleware("http")(_traced)
    return app


async def _traced(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give each request a trace id, log it without anything personal, and send plain security headers."""
    request.state.trace_id = uuid.uuid4().hex
    response = await call_next(request)
    route = request.scope.get("route")
    _LOG.info(
        "request",
        trace_id=request.state.trace_id,
        method=request.method,
        route=getattr(route, "path", ""),
        status=response.status_code,
    )
    response.headers["x-trace-id"] = request.state.trace_id
    response.headers.setdefault("x-content-type-options", "nosniff")
    response.headers.setdefault("referrer-policy", "no-referrer")
    return response
