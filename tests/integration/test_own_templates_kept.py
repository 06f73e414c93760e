"""An agency's own templates in use: kept with their versions, offered on the page, printed on a result."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pypdf
import pytest

from api.demo import centre
from api.wiring import utc_now
from dossiers import layouts
from dossiers.types import WrongState
from signing import own_templates
from tests.integration.test_api_e_results import digitised_dossier, ok

if TYPE_CHECKING:
    from tests.office import Office

OWN_TEMPLATES = Path(__file__).parents[1] / "own_templates"


def test_an_agency_drafts_with_the_version_of_its_own_template_that_it_began_with(office: Office) -> None:
    package = own_templates.read(OWN_TEMPLATES / "typst")
    services = office.services
    first = layouts.add(services.begin, services.store, package, agency=centre.HONG_GAI, now=utc_now())
    dossier = digitised_dossier(office)
    data = {"subject": "Họp tổ dân phố", "guests": ["Nguyễn Văn Mẫu"], "meeting": "Họp lúc 19 giờ."}
    body = {"template": first.key, "leader": centre.LEADER, "data": data}
    drafted = ok(office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results", json=body))
    second = layouts.add(services.begin, services.store, package, agency=centre.HONG_GAI, now=utc_now())
    stranger = office.ask(centre.CLERK, "POST", f"/dossiers/{dossier['id']}/e-results", json=body)

    assert (first.version + 1, stranger.status_code) == (second.version, 404), "the first one is retired now"
    page = office.open(centre.CLERK, f"/ho-so/{dossier['id']}/ket-qua/moi").text
    assert second.key in page
    assert first.key not in page
    assert "Người được mời" in office.open(centre.CLERK, f"/ket-qua/{drafted['id']}").text
    ok(office.ask(centre.CLERK, "POST", f"/e-results/{drafted['id']}/submit"))
    document = office.ask(centre.LEADER, "GET", f"/e-results/{drafted['id']}/document").content
    printed = " ".join(pypdf.PdfReader(io.BytesIO(document)).pages[0].extract_text().split())
    assert "Kính mời: Nguyễn Văn Mẫu" in printed
    assert "GM-" in printed
    assert "Họp lúc 19 giờ." in printed
    layouts.retire(services.begin, second.id, now=utc_now())
    with pytest.raises(WrongState):
        layouts.retire(services.begin, second.id, now=utc_now())


def test_a_bad_template_is_not_taken_in(office: Office) -> None:
    known = dict(own_templates.read(OWN_TEMPLATES / "typst").files)
    bad = own_templates.package_of(known | {"main.typ": b'#read("/etc/passwd")'})

    with pytest.raises(own_templates.TemplateUnfit):
        layouts.add(office.services.begin, office.services.store, bad, agency="000.01.03.H49", now=utc_now())

    assert bad.name not in [one.name for one in layouts.all_of(office.services.begin, "000.01.03.H49")]
