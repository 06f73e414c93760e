"""Fill a demo centre: offices and people, and certificates of the demo trust service for all who sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.demo import artwork, centre
from api.demo.trust_service import DemoTrust
from api.key_folder import KeyFolder
from api.sign_in import hash_password
from api.wiring import utc_now
from dossiers import administration, anchors
from dossiers.trust_upkeep import refresh_revocation_lists

if TYPE_CHECKING:
    from pathlib import Path

    from api.wiring import Services


def fill(office: Services, *, trust_folder: Path, trust_url: str) -> None:
    """Load the demo centre; a second call adds what is missing and changes nothing else.

    Args:
        trust_folder, trust_url: Of the demo trust service, which needn't be running yet.
    """
    centre.load(office.begin, hash_password=hash_password, now=utc_now())
    trust = DemoTrust.create_or_load(
        trust_folder, base_url=trust_url, people=[signer.subject for signer in centre.SIGNERS]
    )
    anchors.install_demo(office.begin, [trust.anchor_der], now=utc_now())
    administration.add_intermediates(office.begin, trust.intermediates_der, demo=True)
    folder = KeyFolder(office.keys_folder)
    with office.begin() as work:
        known = {record.sha256 for record in work.certificates.all()}
    for signer in centre.SIGNERS:
        p12, passphrase = trust.p12(signer.subject.id)
        with folder.take_in(
            p12,
            passphrase.read_bytes(),
            agency=signer.agency,
            owner=signer.username,
            picture=(artwork.handwriting if signer.username else artwork.seal)(signer.subject.name),
        ) as (record, key):
            if record.sha256 not in known:
                administration.keep_certificate(office.begin, record, chain=[key.certificate_der], demo=True)


def refresh(office: Services) -> None:
    """Fetch the demo trust service's revocation lists, once it answers."""
    refresh_revocation_lists(office.begin, now=utc_now())
