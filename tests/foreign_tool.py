"""A signing tool by other makers, PDFBox and Bouncy Castle: it writes files as our own library doesn't.

Debian's jars, as for `tests.pdfbox`; compiled once per test worker.
"""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.pdfbox import JARS

_SOURCE = Path(__file__).with_name("ForeignTool.java")


def signed(sent: Path, target: Path, *, p12: Path, passphrase: Path, field: str = "") -> None:
    """Sign invisibly, PAdES with PKCS#1 v1.5, in a field that is there or, with none named, one of its own.

    Args:
        passphrase: A file with it.
    """
    classes = _compiled()
    path = ":".join([*(f"/usr/share/java/{name}.jar" for name in JARS), classes])
    command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "ForeignTool"]
    subprocess.run([*command, sent, target, p12, passphrase, field or "-"], check=True, capture_output=True)


@cache
def _compiled() -> str:
    folder = tempfile.mkdtemp(prefix="hoso-foreign-tool-")
    path = ":".join(f"/usr/share/java/{name}.jar" for name in JARS)
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", folder, _SOURCE], check=True, capture_output=True)
    return folder
