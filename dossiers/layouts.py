"""What a result is set with: one of our templates, or one that its agency has brought (decision 0038).

A draft names its template once and for all: ours by name, an agency's by the id of the very version it was begun with.
A newer version, or one that was retired, changes no draft.
"""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003  the fields are read at run time by whoever keeps them
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dossiers.administration import CONSOLE
from dossiers.types import NotFound, ObjectKey, WrongState
from signing import own_templates, templates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dossiers.ports import Begin, ObjectStore, UnitOfWork
    from signing.document_kinds import DocumentKind
    from signing.own_templates import Checked, Package
    from signing.templates import RenderedResult
    from signing.typeface import Typeface

_OWN = "own:"


@dataclass(frozen=True)
class OwnTemplate:
    """An agency's template as it was taken in, one version of it.

    Attributes:
        name: Versions of one template share it.
        package: Its files, zipped.
        described: Its `template.json`, so that its fields are known without the store.
        level: Of PDF/A, as its check has found.
        retired_at: No new drafts from then on.
    """

    id: UUID
    agency: str
    name: str
    version: int
    package: ObjectKey
    described: str
    level: str
    added_by: str
    added_at: datetime
    retired_at: datetime | None = None

    @property
    def key(self) -> str:
        """What a draft remembers of it."""
        return f"{_OWN}{self.id}"

    @property
    def kind(self) -> DocumentKind:
        """What it makes and takes."""
        return own_templates.described(self.described.encode())[1]


@dataclass(frozen=True)
class Layout:
    """A template of either sort, ready to use."""

    name: str
    kind: DocumentKind
    own: OwnTemplate | None = None

    def render(
        self,
        store: ObjectStore,
        data: Mapping[str, Any],
        *,
        watermark: str = "",
        face: Typeface | None = None,
    ) -> RenderedResult:
        """Set a document.

        Raises:
            TemplateDataError: The data doesn't fit; every problem is listed.
            LayoutError: The template failed.
        """
        if self.own is None:
            return templates.render(self.name, data, watermark=watermark, face=face)
        with store.open(self.own.package) as file:
            package = own_templates.from_zip(file.read())
        return own_templates.render(package, data, watermark=watermark, face=face)


def of(work: UnitOfWork, name: str) -> Layout:
    """The template that a result names.

    Raises:
        NotFound: There is none of that name.
    """
    if name in templates.names():
        return Layout(name, templates.kind(name))
    try:
        own = work.own_templates.of(uuid.UUID(name.removeprefix(_OWN)))
    except ValueError:
        raise NotFound(name) from None
    return Layout(name, own.kind, own)


def offered(work: UnitOfWork, agency: str) -> list[tuple[str, tuple[str, str]]]:
    """What a new draft of an agency may be begun with: key, and what it makes in both languages. Its own come first."""
    own = [one for one in work.own_templates.of_agency(agency) if one.retired_at is None]
    return [
        *((one.key, (f"{one.name} (mẫu riêng)", f"{one.kind.english}: {one.name} (own)")) for one in own),
        *((name, templates.type_name(name)) for name in templates.names()),
    ]


def usable(work: UnitOfWork, name: str, agency: str) -> Layout:
    """The template for a new draft.

    Raises:
        NotFound: There is none of that name for this agency, or it was retired.
    """
    found = of(work, name)
    if found.own is not None and (found.own.agency != agency or found.own.retired_at is not None):
        raise NotFound(name)
    return found


# --- kept by the administrator ----------------------------------------------------------------------------------------


def add(
    begin: Begin, store: ObjectStore, package: Package, *, agency: str, now: datetime, face: Typeface | None = None
) -> OwnTemplate:
    """Take a template in after looking through it; one of the same name becomes its earlier version, and is retired.

    Raises:
        TemplateUnfit: The check found problems; nothing was kept.
        NotFound: No such agency.
    """
    found: Checked = own_templates.check(package, face=face)
    if found.problems:
        raise own_templates.TemplateUnfit(found.problems)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "template.zip")
        file.write_bytes(own_templates.packed(package))
        kept = store.put(file, media_type="application/zip")
    with begin() as work:
        work.agencies.of(agency)
        earlier = [one for one in work.own_templates.of_agency(agency) if one.name == package.name]
        for one in earlier:
            if one.retired_at is None:
                work.own_templates.keep(replace(one, retired_at=now))
        added = OwnTemplate(
            id=uuid.uuid4(),
            agency=agency,
            name=package.name,
            version=max((one.version for one in earlier), default=0) + 1,
            package=kept,
            described=package.files["template.json"].decode(),
            level=found.level,
            added_by=CONSOLE.username,
            added_at=now,
        )
        work.own_templates.keep(added)
        work.audit.append(CONSOLE, "template.added", added.id, agency=agency, sha256=kept.sha256)
        return added


def retire(begin: Begin, template_id: UUID, *, now: datetime) -> OwnTemplate:
    """No new drafts from this template; drafts and results made with it stay as they are.

    Raises:
        WrongState: It is retired already.
    """
    with begin() as work:
        found = work.own_templates.of(template_id)
        if found.retired_at is not None:
            raise WrongState("retired")
        retired = replace(found, retired_at=now)
        work.own_templates.keep(retired)
        work.audit.append(CONSOLE, "template.retired", found.id, agency=found.agency)
        return retired


def all_of(begin: Begin, agency: str | None = None) -> Sequence[OwnTemplate]:
    """Every version of every template, the newest first; of one agency when it is named."""
    with begin() as work:
        return work.own_templates.of_agency(agency)
