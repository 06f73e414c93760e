"""A file of 100 MB is signed in the memory of a small one, byte for byte behind what was there."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pikepdf
import pytest

from tests.pki import LEADER_P256
from tests.pki.paper import LEADER_PLACE, SEAL_PLACE, paper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pki import Pki

_MB = 1024 * 1024

#: Runs in a process of its own: the high-water mark of memory never goes down.
_SIGN = """
import json, sys
from pathlib import Path
from signing import keys, prepare, trust
from signing.sign import sign
from signing.timestamp import Timestamper
from signing.types import SignaturePlace
given = json.loads(sys.argv[1])
places = [SignaturePlace(p, 1, tuple(box)) for p, box in given["places"]]
store = trust.load([Path(given["root"])])
def all_of_it(source, target):
    folder = Path(target).parent
    key = keys.open_pkcs12(Path(given["p12"]), keys.read_passphrase_file(Path(given["passphrase"])))
    prepared, signed = folder / "prepared.pdf", folder / "signed.pdf"
    prepare.add_fields(Path(source), prepared, places)
    stamper = Timestamper([given["tsa"]])
    sign(prepared, signed, place=places[0], key=key, trust=store, timestamper=stamper)
    sign(signed, Path(target), place=places[1], key=key, trust=store, timestamper=stamper)
    # Not ru_maxrss, which a process inherits from the one that started it.
    peak, = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    return int(peak.split()[1]) * 1024
print(json.dumps([all_of_it(*given["small"]), all_of_it(*given["large"])]))
"""


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    """The same page with 100 pictures of 1 MB that don't compress, as scans have them."""
    target = tmp_path / "large.pdf"
    noise = random.Random(1).randbytes(_MB)  # noqa: S311 - a picture
    (tmp_path / "small.pdf").write_bytes(paper())
    with pikepdf.open(tmp_path / "small.pdf") as pdf:
        pdf.pages[0].obj.PieceInfo = pikepdf.Dictionary(
            Scans=pikepdf.Array([pdf.make_stream(noise) for _ in range(100)])
        )
        pdf.save(target, compress_streams=False)
    yield target
    shutil.rmtree(tmp_path)  # pytest would keep it for three runs


def test_memory_does_not_grow_with_the_file(pki: Pki, tmp_path: Path, large: Path) -> None:
    folders = [tmp_path / "s", tmp_path / "l"]
    for folder in folders:
        folder.mkdir()
    root = tmp_path / "root.crt"
    root.write_bytes(pki.trust.anchor_der)
    p12, passphrase = pki.trust.p12(LEADER_P256.id)
    given = {
        "places": [(place.place, place.box) for place in (LEADER_PLACE, SEAL_PLACE)],
        "root": root,
        "p12": p12,
        "passphrase": passphrase,
        "tsa": pki.trust.tsa_url,
        "small": (tmp_path / "small.pdf", folders[0] / "sealed.pdf"),
        "large": (large, folders[1] / "sealed.pdf"),
    }
    ran = subprocess.run(
        [sys.executable, "-c", _SIGN, json.dumps(given, default=str)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    small_peak, large_peak = json.loads(ran.stdout)
    assert large_peak - small_peak < 40 * _MB
    prepared, sealed = folders[1] / "prepared.pdf", folders[1] / "sealed.pdf"
    assert prepared.stat().st_size > 100 * _MB
    with prepared.open("rb") as before, sealed.open("rb") as after:
        while piece := before.read(_MB):
            assert after.read(len(piece)) == piece
