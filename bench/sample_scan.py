"""A scan as a counter makes one, for benches that need bytes of the usual size rather than known text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdfium2
from PIL import Image, ImageSequence

from api.demo import sample

if TYPE_CHECKING:
    from pathlib import Path


def sample_scan(folder: Path) -> bytes:
    """A PDF of five pages, those of a made-up dossier, at 200 dpi and in colour. `folder` takes what it is made of."""
    pages: list[Image.Image] = []
    for component in sample.make_dossier(folder, seed=5).components:
        if component.media_type == "application/pdf":
            document = pypdfium2.PdfDocument(component.file)
            pages += [page.render(scale=200 / 72).to_pil() for page in document]
        else:
            pages += [frame.convert("RGB") for frame in ImageSequence.Iterator(Image.open(component.file))]
    made = io.BytesIO()
    pages[0].save(made, "PDF", resolution=200, save_all=True, append_images=pages[1:])
    return made.getvalue()
