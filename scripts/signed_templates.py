"""One signed result of every template, and one of every form, as PDF and as pictures to look at with one's own eyes.

`.venv/bin/python -m scripts.signed_templates` writes build/templates/. A throw-away trust service signs; everybody and
every seal in it is made up.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pypdfium2

from api.demo import artwork
from signing import appearance, prepare, templates
from signing.sign import sign
from tests.documents import FORMS, RESULTS
from tests.pki import LEADER, SEAL, running_pki

OUT = Path("build/templates")


def main() -> None:
    """Make them all."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name, running_pki(Path(name, "pki")) as pki:
        given: dict[str, Any] = {"trust": pki.store(), "timestamper": pki.timestamper()}
        hand = appearance.leader(LEADER.name, artwork.handwriting(LEADER.name))
        mark = appearance.seal(SEAL.name, artwork.seal(SEAL.name))
        for kind, data in RESULTS.items():
            rendered = templates.render(kind, data)
            plain, fielded, by_leader = (Path(name, f"{step}.pdf") for step in ("plain", "fielded", "leader"))
            plain.write_bytes(rendered.pdf)
            prepare.add_fields(plain, fielded, rendered.places)
            sign(fielded, by_leader, place=rendered.places[0], key=pki.key(LEADER), appearance=hand, **given)
            sealed = OUT / f"{kind}.pdf"
            sign(by_leader, sealed, place=rendered.places[1], key=pki.key(SEAL), appearance=mark, **given)
            _pictures(sealed)
    for kind, data in FORMS.items():
        (OUT / f"{kind}.pdf").write_bytes(templates.render(kind, data).pdf)
        _pictures(OUT / f"{kind}.pdf")


def _pictures(file: Path) -> None:
    with pypdfium2.PdfDocument(file) as document:
        document.init_forms()  # or signatures aren't drawn
        for number, page in enumerate(document, 1):
            page.render(scale=110 / 72).to_pil().save(file.with_name(f"{file.stem}-{number}.png"))


if __name__ == "__main__":
    main()
