"""A result's evidence is renewed by a timer; what was handed out before stays the register's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from api.demo import centre
from dossiers import anchors, renewal
from dossiers.renewal import Done, RenewalDesk
from tests.integration.test_api_e_results import digitised_dossier, document, issued, look, ok, verify
from tests.pki import running_pki
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from pathlib import Path

    from tests.office import Office


def test_a_renewed_result_and_the_one_handed_out_before_are_both_in_force(own_office: Office, tmp_path: Path) -> None:
    result = issued(own_office, digitised_dossier(own_office))
    e_result_id = UUID(result["id"])
    before = document(own_office, result)
    now = datetime.now(UTC)
    with running_pki(tmp_path / "next", [], valid_from=now - timedelta(days=1), organization="Dịch vụ thứ hai") as pki:
        anchors.install_demo(own_office.services.begin, [pki.trust.anchor_der], now=now)
        with own_office.services.begin() as work:
            for der in pki.trust.intermediates_der:
                work.trust.add_certificate(der, demo=True)
        own_office.refresh_lists()
        desk = RenewalDesk(
            own_office.services.begin,
            own_office.services.store,
            (pki.trust.tsa_url,),
            own_office.services.work_dir,
        )

        assert renewal.renew_due(desk, now=now) == Done(weighed=1)  # its evidence lasts for years
        shortly_before_its_end = now + timedelta(days=3650 - 730 - 60)
        assert renewal.renew_due(desk, now=shortly_before_its_end) == Done(renewed=1)
        assert renewal.renew_due(desk, now=shortly_before_its_end) == Done()  # and not again

        after = document(own_office, look(own_office, result))
        assert after.startswith(before)
        assert len(after) > len(before)
        for pdf in (before, after):
            verdict = verify(own_office, pdf)
            assert (verdict["verdict"], verdict["register"]["code"]) == ("genuine", "issued"), verdict
            assert verdict["e_result"]["number"] == result["number"]
        file = tmp_path / "after.pdf"
        file.write_bytes(after)
        assert_pdfa(file, flavour="2a")

    with own_office.services.begin() as work:
        given_out = [key.sha256 for key in work.e_results.documents(e_result_id)]
        (line,) = [one for one in work.audit.of(e_result_id) if one.event == "e_result.renewed"]
        assert given_out == [line.detail["before"], line.detail["sha256"]]
        assert work.e_results.for_job(e_result_id).document.sha256 == given_out[-1]  # type: ignore[union-attr]

    keeper = next(x.username for x in centre.LOGINS if x.agency == centre.HONG_GAI and "seal_keeper" in {*x.roles})
    ok(own_office.ask(keeper, "POST", f"/e-results/{result['id']}/withdraw", json={"reason": "Cấp nhầm"}))
    for pdf in (before, after):
        assert verify(own_office, pdf)["register"]["code"] == "withdrawn"


def test_what_cannot_be_prolonged_is_told_once_and_tried_again(own_office: Office) -> None:
    result = issued(own_office, digitised_dossier(own_office))
    desk = own_office.services.renewal_desk()
    late = datetime.now(UTC) + timedelta(days=3650 - 730 - 60)
    assert renewal.renew_due(desk, now=late) == Done(weighed=1, failed=1)
    assert renewal.renew_due(desk, now=late) == Done(failed=1)
    with own_office.services.begin() as work:
        told = [x for x in work.audit.of(UUID(result["id"])) if x.event == "e_result.not_renewed"]
    assert [x.detail["reason"] for x in told] == ["not_prolonged"]
    assert document(own_office, result) == document(own_office, look(own_office, result))
