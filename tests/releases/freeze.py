"""Freeze what an installation of this program keeps, for every later one to take over (tests/integration/test_upgrade).

Not a test of the run: asked for by name before a release, or when a schema has gone out to anybody.

    .venv/bin/pytest tests/releases/freeze.py

It leaves `tests/releases/schema-NNNN.tar.xz`: a backup of an office that issued a result, and what is known of it.
People and papers are made up; no key is in it.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from storage.migrations import current
from tests.integration.test_backup_drill import lived_in  # noqa: F401  a fixture

if TYPE_CHECKING:
    import pytest

    from tests.integration.test_backup_drill import LivedIn

HERE = Path(__file__).parent


def test_freeze(lived_in: LivedIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    with psycopg.connect(lived_in.dsn) as connection:
        lines = connection.execute("select count(*) from audit_log").fetchone()
    (tmp_path / "document.pdf").write_bytes(lived_in.pdf)
    known = {"result": lived_in.result["id"], "dossier": lived_in.result["dossier_id"], "log_lines": lines and lines[0]}
    (tmp_path / "known.json").write_text(json.dumps(known, indent=1))
    file = HERE / f"schema-{current(lived_in.dsn)}.tar.xz"
    with tarfile.open(file, "w:xz") as kept:
        kept.add(lived_in.place, "backup")
        for name in ("document.pdf", "known.json"):
            kept.add(tmp_path / name, name)
    with capsys.disabled():
        print(f"\n{file}: {file.stat().st_size:,} bytes")
