"""The QR code of a result: opens the page that verifies it, and carries the data Circular 01/2023 asks for.

The data stands behind "#" in the address. A telephone opens the page, but a browser never sends that part: no server
and no log on the way learns whose paper it is. Anyone who reads the code itself has all of it, also without a network.
Symbol: TCVN 7322:2009, that is ISO/IEC 18004.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import segno

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Version 15 has 77 modules: 0.27 mm each at 21 mm, what a telephone still reads from office print.
LARGEST_VERSION = 15
#: Bytes that version holds (ISO/IEC 18004, table 7) with error correction M, which print deserves, and with L.
HOLDS_WITH_M, HOLDS_WITH_L = 412, 520
#: Values that may be shortened, the longest first, when everything together would need a finer symbol.
SHORTENED = ("gt", "ht", "pv")


def text(verify_url: str, lookup_code: str, data: Mapping[str, str]) -> str:
    """The code's content: "<address>/<code>#hs=…&tt=…"; "" without an address or a code. Empty values are left out."""
    if not verify_url or not lookup_code:
        return ""
    digits = "".join(letter for letter in lookup_code if letter.isalnum())
    address = f"{verify_url.rstrip('/')}/{digits}"
    values = {key: value for key, value in data.items() if value}
    while values and not _fits(whole := _joined(address, values)):
        longest = max(SHORTENED, key=lambda key: len(values.get(key, "")))
        if len(values.get(longest, "")) < 12:  # noqa: PLR2004  nothing left to shorten: the address alone
            return address
        values[longest] = values[longest][: len(values[longest]) * 3 // 4].rstrip(" …") + "…"
    return whole if values else address


def symbol_for(content: str) -> str:
    """The symbol as SVG, one path without a quiet zone (the margin around it is white); "" for no content."""
    if not content:
        return ""
    out = BytesIO()
    _symbol(content).save(out, kind="svg", border=0, xmldecl=False, svgns=True, omitsize=True)
    return out.getvalue().decode()


def _symbol(content: str) -> segno.QRCode:
    """Error correction M where it fits, else L.

    Raises:
        DataOverflowError: Longer than the largest version holds.
    """
    size = len(content.encode())
    if size <= HOLDS_WITH_M:
        return segno.make_qr(content, error="m", encoding="utf-8")
    return segno.make_qr(content, error="l", version=LARGEST_VERSION, encoding="utf-8", boost_error=False)


def _fits(content: str) -> bool:
    return len(content.encode()) <= HOLDS_WITH_L


def _joined(address: str, values: Mapping[str, str]) -> str:
    return f"{address}#" + "&".join(f"{key}={_escaped(value)}" for key, value in values.items())


def _escaped(value: str) -> str:
    """As `application/x-www-form-urlencoded`, but letters stay as they are: percent signs would triple them."""
    return "".join(
        "+" if letter == " " else letter if letter not in '%&#+="<>\\' else f"%{ord(letter):02X}" for letter in value
    )
