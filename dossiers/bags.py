"""Folders in the form of BagIt (RFC 8493): what is in them, with a SHA-256 for every file.

Our own few lines: the form is a handful of text files, and every hash is known before a file is written. A test has
the `sha256sum` of the system check what these lines write.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MANIFEST = "manifest-sha256.txt"
_TAGS = "tagmanifest-sha256.txt"
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(.+)")
_WIDTH = 79


class BadBag(Exception):
    """The folder isn't a whole bag; `wrong` says of each file what is wrong, Vietnamese first."""

    def __init__(self, wrong: tuple[str, ...]) -> None:
        super().__init__("; ".join(wrong[:5]))
        self.wrong = wrong


def close(bag: Path, info: Mapping[str, str]) -> str:
    """Make a bag of a folder whose payload lies in `data/` already; gives the hash of its list of hashes.

    Args:
        bag: Holds `data/`, and perhaps tag files of its own beside it.
        info: For `bag-info.txt`; the payload's size is added.
    """
    files = sorted(path for path in (bag / "data").rglob("*") if path.is_file())
    octets = sum(path.stat().st_size for path in files)
    _write(bag / "bagit.txt", _DECLARATION)
    said = {**info, "Payload-Oxum": f"{octets}.{len(files)}"}
    _write(bag / "bag-info.txt", "".join(f"{_folded(f'{name}: {value}')}\n" for name, value in said.items()))
    _write(bag / _MANIFEST, "".join(f"{_sha256(path)}  {_named(bag, path)}\n" for path in files))
    tags = sorted(path for path in bag.iterdir() if path.is_file() and path.name != _TAGS)
    _write(bag / _TAGS, "".join(f"{_sha256(path)}  {_named(bag, path)}\n" for path in tags))
    return _sha256(bag / _TAGS)


def check(bag: Path) -> str:
    """See that a bag is whole: every file listed and right, none beside; gives the hash of its list of hashes.

    Raises:
        BadBag: It isn't.
    """
    missing = [name for name in ("bagit.txt", _MANIFEST, _TAGS) if not (bag / name).is_file()]
    if missing:
        raise BadBag(tuple(f"thiếu {name} (missing)" for name in missing))
    if (bag / "bagit.txt").read_text("utf-8") != _DECLARATION:
        raise BadBag(("bagit.txt: không phải BagIt 1.0, UTF-8 (another version)",))
    wrong: list[str] = []
    payload = _listed(bag, _MANIFEST, wrong)
    tags = _listed(bag, _TAGS, wrong)
    there = {
        path.relative_to(bag).as_posix() for path in (bag / "data").rglob("*") if path.is_file() or path.is_symlink()
    }
    wrong += [f"{name}: không có trong danh mục (not listed)" for name in sorted(there - payload.keys())]
    for name, expected in {**payload, **tags}.items():
        path = bag / name
        if not path.is_file() or path.is_symlink():
            wrong.append(f"{name}: thiếu (missing)")
        elif _sha256(path) != expected:
            wrong.append(f"{name}: sai giá trị băm (another hash)")
    if _MANIFEST not in tags:
        wrong.append(f"{_MANIFEST}: không có trong {_TAGS} (not listed)")
    if wrong:
        raise BadBag(tuple(wrong))
    return _sha256(bag / _TAGS)


def _listed(bag: Path, manifest: str, wrong: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (bag / manifest).read_text("utf-8").splitlines():
        match = _LINE.fullmatch(line)
        name = match[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%") if match else ""
        inside = bool(name) and (bag / name).resolve().is_relative_to(bag.resolve())
        if match is None or not inside or name in found:
            wrong.append(f"{manifest}: dòng sai (bad line): {line[:80]}")
        else:
            found[name] = match[1].lower()
    return found


def _named(bag: Path, path: Path) -> str:
    name = path.relative_to(bag).as_posix()
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _folded(line: str) -> str:
    """A long line goes on in the next one, behind a blank."""
    words, lines = line.split(), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "\n  ".join(lines)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
