"""What PDFBox and Bouncy Castle say of the signatures in a PDF: they share no code with us, nor with pyHanko.

Debian's jars; one Java process per test worker stays up. They check signatures, timestamps and byte ranges, and know
nothing of later changes: that is the other judges' part.
"""

from __future__ import annotations

import atexit
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("Signatures.java")
JARS = ("pdfbox2", "fontbox2", "commons-logging", "bcprov", "bcpkix", "bcmail", "bcutil")


@dataclass(frozen=True)
class Judged:
    """One signature or document timestamp.

    Attributes:
        name: /Name of the signature dictionary, "null" where there is none.
        good: The cryptography is right, over the bytes it names.
        stamped: It carries a timestamp of its own whose imprint is the signature.
        ends_at: Where its byte range ends.
    """

    name: str
    subfilter: str
    good: bool
    stamped: bool
    ends_at: int


def judged(path: Path) -> list[Judged]:
    """Every signature in the file, in the order of its fields.

    Raises:
        ValueError: PDFBox or Bouncy Castle can't read it.
    """
    judge = _judge()
    assert judge.stdin is not None
    assert judge.stdout is not None
    judge.stdin.write(f"{path.absolute()}\n")
    judge.stdin.flush()
    found: list[Judged] = []
    for line in judge.stdout:
        first, *rest = line.rstrip("\n").split("\t")
        if first == "done":
            return found
        if first == "error":
            raise ValueError(f"{path.name}: {rest[0]}")
        subfilter, good, stamped, ends_at = rest
        found.append(Judged(first, subfilter, good == "good", stamped == "stamped", int(ends_at)))
    raise RuntimeError("PDFBox ended: are libpdfbox2-java, libbcmail-java and a JDK installed (`make test` does it)?")


@cache
def _judge() -> subprocess.Popen[str]:
    """Compile the launcher and start it, once per process."""
    classes = tempfile.TemporaryDirectory(prefix="hoso-pdfbox-")
    path = ":".join([*(f"/usr/share/java/{name}.jar" for name in JARS), classes.name])
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", classes.name, _LAUNCHER], check=True, capture_output=True)
    judge = subprocess.Popen(
        ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path, "Signatures"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )

    def end() -> None:
        assert judge.stdin is not None
        assert judge.stdout is not None
        judge.stdin.close()
        judge.wait()
        judge.stdout.close()
        classes.cleanup()

    atexit.register(end)
    return judge
