"""The 34 provinces and 3,321 communes of Vietnam since 1 July 2025, and how a reading is compared with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from digitize.words.vietnamese import fold, nfc, one_tone_style

COMMUNE_KINDS = ("phường", "xã", "đặc khu")
PROVINCE_KINDS = ("thành phố", "tỉnh")


@dataclass(frozen=True)
class Commune:
    """A commune, ward or special zone; `kind` is "xã", "phường" or "đặc khu"."""

    kind: str
    name: str


@dataclass(frozen=True)
class Province:
    """A province or a city under the government; `code` has two digits, `kind` is "tỉnh" or "thành phố"."""

    code: str
    kind: str
    name: str
    communes: tuple[Commune, ...]


@cache
def provinces() -> tuple[Province, ...]:
    """All of them by code, each with its communes."""
    text = (resources.files("digitize") / "data" / "communes.txt").read_text("utf-8")
    found: list[Province] = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        first, *rest = line.split("|")
        if first in COMMUNE_KINDS:
            last = found[-1]
            more = tuple(Commune(first, name) for name in rest)
            found[-1] = Province(last.code, last.kind, last.name, last.communes + more)
        else:
            found.append(Province(first, rest[0], rest[1], ()))
    return tuple(found)


@cache
def words_of(name: str) -> frozenset[str]:
    """The words of a list in `digitize/data`, tone marks in one style."""
    return frozenset(one_tone_style((resources.files("digitize") / "data" / name).read_text("utf-8")).split())


def same(one: str, other: str) -> bool:
    """Whether two spellings differ in nothing but case, blanks and the place of the tone mark (hoà, hòa)."""
    return _key(one) == _key(other)


def province_named(name: str, kind: str = "") -> tuple[Province, bool] | None:
    """Find a province by its name without its kind.

    Args:
        name: As read; marks may be lost.
        kind: "tỉnh" or "thành phố" where it was read; another than the province's own is no match.

    Returns:
        The province and whether it was spelled right; None when none fits, or two do without marks.
    """
    fitting = [p for p in _provinces_by_fold().get(_bare(name), ()) if not kind or fold(kind) == fold(p.kind)]
    exact = [p for p in fitting if same(p.name, name)]
    if exact:
        return exact[0], True
    return (fitting[0], False) if len(fitting) == 1 else None


def commune_named(name: str, kind: str = "", province: Province | None = None) -> tuple[Commune, bool] | None:
    """Find a commune by its name without its kind, in one province or in all; else as `province_named`."""
    index = _communes_by_fold(province.code if province else "")
    fitting = [c for c in index.get(_bare(name), ()) if not kind or fold(kind) == fold(c.kind)]
    exact = [c for c in fitting if same(c.name, name)]
    if exact:
        return exact[0], True
    return (fitting[0], False) if len(set(fitting)) == 1 else None


def is_spelt(name: str, kind: str) -> bool:
    """Whether a commune or province of this kind is named so, to the marks."""
    return any(same(place.name, name) for place in _alike(name, kind))


def is_misspelt(name: str, kind: str) -> bool:
    """Whether a commune or province of this kind has the letters of a name, and none its marks ("Ba Chế")."""
    return bool(_alike(name, kind)) and not is_spelt(name, kind)


def _alike(name: str, kind: str) -> list[Province | Commune]:
    letters = _bare(name)
    places: list[Province | Commune] = [*_provinces_by_fold().get(letters, ())]
    places += _communes_by_fold("").get(letters, ())
    return [place for place in places if fold(place.kind) == fold(kind)]


@cache
def _provinces_by_fold() -> dict[str, tuple[Province, ...]]:
    found: dict[str, tuple[Province, ...]] = {}
    for province in provinces():
        found[_bare(province.name)] = (*found.get(_bare(province.name), ()), province)
    return found


@cache
def _communes_by_fold(province_code: str) -> dict[str, tuple[Commune, ...]]:
    found: dict[str, tuple[Commune, ...]] = {}
    for province in provinces():
        if province_code in ("", province.code):
            for commune in province.communes:
                found[_bare(commune.name)] = (*found.get(_bare(commune.name), ()), commune)
    return found


def _bare(name: str) -> str:
    return fold(name).replace("'", "").replace("-", " ").replace("  ", " ")


def _key(text: str) -> str:
    return " ".join(one_tone_style(nfc(text)).casefold().replace("\u2019", "'").split())
