"""`hoso serve`: the web and the API."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import uvicorn

from api.app import create_app
from api.commands import configured
from api.figures import telling
from api.heap import give_back_files, share_arenas
from api.log import write_events
from api.wiring import wire

if TYPE_CHECKING:
    import argparse

    from api.settings import Settings
    from api.wiring import Services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing is asked: the address is a setting."""
    parser.epilog = "HOSO_LISTEN_HOST, HOSO_LISTEN_PORT: docs/operations.md"


def run(_given: argparse.Namespace) -> int:
    """Serve until told to stop."""
    serve(configured())
    return 0


def serve(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        DatabaseUnavailable, StoreUnavailable, BadSettings: Before anything is served.
    """
    write_events()
    share_arenas()
    give_back_files()
    office = wire(settings)
    try:
        office.database.probe()
        office.refuse_demo_trust()
        office.judges.warm()
        with telling(office.database, f"web@{socket.gethostname()}:{os.getpid()}"):
            _serve(office, settings)
    finally:
        office.close()


def _serve(office: Services, settings: Settings) -> None:
    uvicorn.run(
        create_app(settings, office),
        host=settings.listen_host,
        port=settings.listen_port,
        log_config=None,  # its errors go through `api.log` like everybody's, which leaves out what they quote
        access_log=False,  # addresses carry dossier codes; `api.app` logs routes instead
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=10,
    )
