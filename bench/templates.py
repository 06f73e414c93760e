"""What a document costs: every kind of result and form, set by a warm compiler, and what the process holds then.

`.venv/bin/python -m bench.templates [DOCUMENTS]`: CPU milliseconds a document, texts all different, and memory held.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from signing import templates
from tests.documents import EVERYTHING


def main() -> None:
    """Print a line for each kind."""
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for name, data in EVERYTHING.items():
        templates.render(name, data)
        began = time.process_time()
        for at in range(documents):
            changed = {"subject": f"Về việc số {at}"} if "subject" in data else {"applicant_name": f"Nguyễn Văn {at}"}
            templates.render(name, data | changed)
        spent = (time.process_time() - began) / documents * 1000
        print(f"{name:14}{spent:6.1f} ms   {_resident_mb():6.0f} MB")


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
