"""How far two colours are apart for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def delta_e_2000(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIEDE2000 of pairs of RGB colours, shape (n, 3) each.

    Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 30 (2005).
    """
    (l1, a1, b1), (l2, a2, b2) = (_lab(colours).T for colours in (one, other))
    chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    spread = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    from_middle = (lightness - 50) ** 2
    lighter = (l2 - l1) / (1 + 0.015 * from_middle / np.sqrt(20 + from_middle))
    stronger = (c2 - c1) / (1 + 0.045 * chroma)
    turned = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * chroma * spread)
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    rotation = rotation * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return np.asarray(np.sqrt(lighter**2 + stronger**2 + turned**2 + rotation * stronger * turned))


def red(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a page shows the red of a seal."""
    here = pixels.astype(np.int16)
    return np.asarray(here[:, :, 0] - here[:, :, 1:].max(axis=2) > 60)


def _lab(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    scaled = colours.reshape(1, -1, 3).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[0], dtype=np.float64)
