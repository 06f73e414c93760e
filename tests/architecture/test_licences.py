"""Every package we stand on may be used with ours (decision 0009): no AGPL, no GPL, nothing that doesn't say."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: SPDX names we accept. LGPL and MPL ask for their own source to stay open, not for ours.
ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
#: What older packages say in their own words.
OTHER_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License": "Apache-2.0",  # the first line of its text, which has had no other version since 2004
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    # pypdfium2's wheel names pdfium's own dependencies (libjpeg-turbo, FreeType, …) in files beside it: all permissive
    "dependency licenses": "BSD-3-Clause",
}
#: Packages that may be taken under any one of several licences, which classifiers can't say; and the one we take.
CHOSEN = {"pyphen": "LGPL-2.1-or-later"}
#: Not licences: what the classifier group also holds.
ASIDE = {"DFSG approved", "OSI Approved"}

INSTALLED = {dist.metadata["Name"].lower().replace("_", "-"): dist for dist in metadata.distributions()}


def licences(dist: metadata.Distribution) -> set[str]:
    """What a package says its licence is, in SPDX names where it can be told."""
    said = CHOSEN.get(dist.metadata["Name"].lower()) or dist.metadata.get("License-Expression", "")
    if not said:
        classifiers = dist.metadata.get_all("Classifier") or []
        said = ", ".join(c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith("License ::"))
    if not said:
        said = (dist.metadata.get("License") or "").strip().split("\n")[0]
    if not said:  # some only bring the text, whose first line is its name
        texts = [f for f in dist.files or () if f.name == "LICENSE" and "dist-info" in f.parts[0]]
        said = texts[0].read_text().strip().split("\n")[0] if texts else ""
    words = (word.strip(" ()") for word in re.split(r"\bAND\b|\bOR\b|,", said.replace("(MPL 2.0)", "[MPL]")))
    known = {name.replace("(MPL 2.0)", "[MPL]"): spdx for name, spdx in OTHER_WORDS.items()}
    return {known.get(word, word) for word in words if word and word not in ASIDE}


@pytest.mark.parametrize("name", sorted(INSTALLED))
def test_every_installed_package_has_a_licence_we_accept(name: str) -> None:
    found = licences(INSTALLED[name])
    assert found, f"{name} doesn't say"
    assert found <= ACCEPTED, f"{name}: {found - ACCEPTED}; see docs/decisions/0009"


def test_the_packages_we_ask_for_are_among_those_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + [
        line for group in project["project"]["optional-dependencies"].values() for line in group
    ]
    names = {re.split(r"[\[<>=~! ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in wanted}
    assert names <= INSTALLED.keys()


def test_a_package_under_agpl_would_be_refused() -> None:
    assert not {"AGPL-3.0-only", "GPL-3.0-or-later", "GNU Affero General Public License v3"} & ACCEPTED


def test_our_own_licence_is_apache() -> None:
    assert licences(INSTALLED["hoso"]) == {"Apache-2.0"}
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]


def test_the_typefaces_we_carry_bring_their_licence() -> None:
    carried = {path.parent for pattern in ("*.ttf", "*.otf") for path in ROOT.glob(f"*/fonts/{pattern}")}
    assert carried
    for folder in carried:
        assert any("OFL" in path.name or "LICENSE" in path.name.upper() for path in folder.iterdir()), folder
