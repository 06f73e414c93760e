"""What this computer shows the server: one token for each server, in a file that only its user can read."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_OTHERS = 0o077


class KeyOpen(Exception):
    """Others on this computer can read the file."""


def own_folder() -> Path:
    """Where this program keeps things on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "hoso"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "hoso-send"


def known(file: Path, url: str) -> dict[str, Any] | None:
    """The token for this server with the names of desk and agency; None before it is paired.

    Raises:
        KeyOpen: Others can read it.
    """
    try:
        if sys.platform != "win32" and file.stat().st_mode & _OTHERS:
            raise KeyOpen(str(file))
        found = json.loads(file.read_text("utf-8")).get(url)
    except FileNotFoundError:
        return None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def keep(file: Path, url: str, paired: dict[str, Any]) -> None:
    """Keep it durably; those of other servers stay."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        all_of_them = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        all_of_them = {}
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        json.dump({**all_of_them, url: paired}, target)
        target.flush()
        os.fsync(target.fileno())
    new.replace(file)
