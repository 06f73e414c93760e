"""Who judges strangers' files, under mutations that the code's own coverage leads: a fixed number of tries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_TRIES = 120


@pytest.mark.timeout(900)
def test_no_file_that_coverage_leads_to_is_accepted_or_raises(tmp_path: Path) -> None:
    """The same choices each time; hours of them are `bench/fuzz_verify.py`'s. What breaks is kept and named."""
    bench = Path(__file__).parents[2] / "bench" / "fuzz_verify.py"
    limits = ["--runs", str(_TRIES), "--minutes", "60", "--seconds", "20"]
    ran = subprocess.run(
        [sys.executable, str(bench), *limits, "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    told = ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ran.stderr[-3000:]
    assert ran.returncode == 0, f"{told}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    assert told.startswith(f"{_TRIES} tries, 0 broken")
    for target in ("result:", "returned:", "bare:"):
        assert f" {target}" in told, "each is tried"
