"""One thin task per use case: ids in, one call, and which errors are worth another try."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from api.errors import OUTCOMES
from api.wiring import Services, utc_now
from dossiers import digitization, issuance
from signing.types import Place
from storage import queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from procrastinate import App

    from dossiers.signatures import SigningDesk


def register(app: App, office: Services, desk: SigningDesk | None) -> None:
    """Give every task its function.

    Args:
        desk: For the signing worker; None elsewhere, and then signing tasks are not even known.
    """
    patience = queue.with_patience(*(cls for cls, outcome in OUTCOMES.items() if outcome.retry))

    def task(name: str, call: Callable[..., None]) -> None:
        app.task(name=name, queue=queue.QUEUE_OF[name], retry=patience)(call)

    def read_page(page_id: str) -> None:
        digitization.read_page(
            office.begin, office.store, UUID(page_id), limits=office.limits, work_dir=office.work_dir
        )

    def assemble(component_id: str, revision: int) -> None:
        digitization.assemble(
            office.begin, office.store, UUID(component_id), revision, now=utc_now(), work_dir=office.work_dir
        )

    def extract_fields(component_id: str) -> None:
        digitization.extract_fields(office.begin, office.store, UUID(component_id), work_dir=office.work_dir)

    def issue(e_result_id: str) -> None:
        issuance.issue(office.begin, UUID(e_result_id), now=utc_now())

    task(queue.READ_PAGE, read_page)
    task(queue.ASSEMBLE, assemble)
    task(queue.EXTRACT_FIELDS, extract_fields)
    task(queue.ISSUE, issue)
    if desk is None:
        return

    def sign_copy(component_id: str, revision: int) -> None:
        digitization.sign_copy(desk, UUID(component_id), revision)

    def sign_e_result(e_result_id: str, place: str) -> None:
        issuance.sign(desk, UUID(e_result_id), Place(place))

    task(queue.SIGN_COPY, sign_copy)
    task(queue.SIGN_E_RESULT, sign_e_result)
