"""What happens to paper before it reaches the reader, done to clean pages: pure functions of a page and a seed.

Every damage takes RGB pixels (uint8, dark print on white) and gives RGB pixels; where the result is a photograph its
resolution is no longer known. Lengths are millimetres of an A4 sheet unless a name says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Damage = Callable[[Pixels, np.random.Generator], Pixels]

_A4_WIDTH_MM = 210.0
_A4_HEIGHT_MM = 297.0


def scanned(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Lie on a good scanner: soft edges, grain, paper that isn't quite white."""
    soft = cv2.GaussianBlur(page, (0, 0), 0.5).astype(np.float32) * rng.uniform(0.95, 0.985)
    return _pixels(soft + rng.normal(0, 2.0, page.shape[:2])[:, :, None])


def photographed(page: Pixels, rng: np.random.Generator, *, sheet_share: float = 0.82) -> Pixels:
    """Be photographed by a telephone: from a slant, on a table, under one lamp, with a shadow, as a JPEG."""
    height, width = page.shape[:2]
    out_height, out_width = round(height / sheet_share), round(width / sheet_share)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    margin = np.array([(out_width - width) / 2, (out_height - height) / 2])
    seen = (flat + margin + rng.uniform(-0.035, 0.035, (4, 2)) * [width, height]).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(flat, seen)
    table = _table(out_height, out_width, rng)
    mask = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, (out_width, out_height))
    sheet = cv2.warpPerspective(page, matrix, (out_width, out_height), flags=cv2.INTER_CUBIC).astype(np.float32) * 0.93
    picture = sheet * mask[:, :, None] + table * (1 - mask[:, :, None])
    picture *= _lamp(out_height, out_width, rng)[:, :, None]
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.7, 1.1))
    return _jpeg(_pixels(soft + rng.normal(0, rng.uniform(2.5, 5), picture.shape)), round(rng.uniform(70, 88)))


def curled(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Rise and fall like a sheet that won't lie flat: its lines become waves of a few millimetres, alike all down."""
    height, width = page.shape[:2]
    mm = width / _A4_WIDTH_MM
    x = np.linspace(-1, 1, width)
    rise = rng.uniform(2.5, 5.0) * mm * (x**2 - 0.33) * rng.choice([-1, 1])
    rise += rng.uniform(-2.0, 2.0) * mm * (x**3 - 0.6 * x)
    room = round(7 * mm)
    padded = cv2.copyMakeBorder(page, room, room, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    rows = np.arange(padded.shape[0], dtype=np.float32)[:, None] + rise[None, :].astype(np.float32)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :], rows.shape)
    bent = cv2.remap(padded, np.ascontiguousarray(columns), rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    shade = 1 - 0.12 * (np.gradient(rise) / max(float(np.abs(np.gradient(rise)).max()), 1e-6) + 1) / 2
    return scanned(_pixels(bent[room // 2 : room // 2 + height + room] * shade[None, :, None]), rng)


def in_a_binding(page: Pixels, rng: np.random.Generator, *, side: str = "left") -> Pixels:
    """Vanish into the gutter of a book on a scanner: near it the lines bend down, close up and lie in shadow."""
    if side == "right":
        return _pixels(in_a_binding(page[:, ::-1], rng)[:, ::-1])
    height, width = page.shape[:2]
    mm = width / _A4_WIDTH_MM
    from_spine = np.arange(width) / mm
    depth = np.exp(-from_spine / rng.uniform(9, 14))
    drop = rng.uniform(3.0, 6.0) * mm * depth  # what lies farther from the glass is seen lower
    closing = rng.uniform(4.0, 7.0) * mm * (1 - depth)  # and narrower
    columns = (np.arange(width) + (closing.max() - closing)).astype(np.float32)
    middle = (np.arange(height) - height / 2)[:, None] / height
    rows = (np.arange(height)[:, None] - drop[None, :] * (1 - 0.6 * np.abs(middle))).astype(np.float32)
    bent = cv2.remap(
        page,
        np.ascontiguousarray(np.broadcast_to(columns[None, :], rows.shape)),
        rows,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    shade = 1 - rng.uniform(0.55, 0.75) * np.exp(-from_spine / rng.uniform(5, 8))
    return scanned(_pixels(bent * shade[None, :, None]), rng)


def opened(left: Pixels, right: Pixels, rng: np.random.Generator) -> Pixels:
    """Lie open beside each other, two pages of a booklet on one scan, the fold in shadow between them."""
    both = np.concatenate([left, right], axis=1)
    width = both.shape[1]
    mm = left.shape[1] / _A4_WIDTH_MM
    from_fold = np.abs(np.arange(width) - left.shape[1] + rng.uniform(-2, 2) * mm) / mm
    shade = 1 - rng.uniform(0.25, 0.6) * np.exp(-from_fold / rng.uniform(2.5, 6))
    return scanned(_pixels(both * shade[None, :, None]), rng)


def held(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Be held down by a thumb, which comes in from the edge and covers no print but may come near."""
    height, width = page.shape[:2]
    mm = width / _A4_WIDTH_MM
    picture = scanned(page, rng).astype(np.float32)
    skin = np.array([rng.uniform(170, 215), rng.uniform(120, 155), rng.uniform(95, 130)])
    along = rng.uniform(0.25, 0.75)
    reach = rng.uniform(10, 17) * mm
    where = rng.choice(["left", "right", "bottom"])
    centre, axes = {
        "left": ((0, along * height), (reach, 9 * mm)),
        "right": ((width, along * height), (reach * 0.8, 9 * mm)),
        "bottom": ((along * width, height), (9 * mm, reach)),
    }[where]
    mask = np.zeros((height, width), np.float32)
    cv2.ellipse(mask, tuple(map(round, centre)), tuple(map(round, axes)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    nail = np.zeros_like(mask)
    tip = np.array(centre) * 0.55 + np.clip(centre, [0.02 * width, 0.02 * height], [0.98 * width, 0.98 * height]) * 0.45
    cv2.ellipse(nail, tuple(map(round, tip)), (round(axes[0] * 0.45), round(axes[1] * 0.45)), 0, 0, 360, 1.0, -1, 16)
    shadow = cv2.GaussianBlur(mask, (0, 0), 2.5 * mm)
    picture *= 1 - 0.4 * shadow[:, :, None]
    colour = skin[None, None, :] * (1 + 0.12 * nail[:, :, None] + rng.normal(0, 0.03, mask.shape)[:, :, None])
    soft = cv2.GaussianBlur(mask, (0, 0), 0.4 * mm)[:, :, None]
    return _pixels(picture * (1 - soft) + colour * soft)


def punched(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Have been filed: two or four holes along the left edge, dark where the scanner's lid isn't."""
    height, width = page.shape[:2]
    mm = width / _A4_WIDTH_MM
    picture = scanned(page, rng).astype(np.float32)
    mask = np.zeros((height, width), np.float32)
    offsets = (-40, 40) if rng.random() < 0.6 else (-120, -40, 40, 120)
    x = rng.uniform(9, 13)
    for offset in offsets:
        centre = (round((x + rng.uniform(-0.5, 0.5)) * mm), round(height / 2 + offset * mm))
        cv2.circle(mask, centre, round(rng.uniform(2.6, 3.1) * mm), 1.0, -1, cv2.LINE_AA)
    level = rng.uniform(5, 70)
    return _pixels(picture * (1 - mask[:, :, None]) + level * mask[:, :, None])


def on_a_screen(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Be a photograph of a computer's screen: coloured dots of the screen beat with those of the camera."""
    height, width = page.shape[:2]
    dots = round(rng.uniform(1000, 1250))
    shown = cv2.resize(page, (dots, round(dots * height / width)), interpolation=cv2.INTER_AREA)
    stripes = np.zeros((*shown.shape[:2], 3, 3), np.float32)
    for channel in range(3):  # each dot is three stripes, red, green and blue, with a dark gap below
        stripes[:, :, channel, channel] = shown[:, :, channel]
    wide = stripes.reshape(shown.shape[0], dots * 3, 3)
    fine = np.repeat(wide, 3, axis=0)
    fine[2::3] *= 0.55
    angle = rng.uniform(-1.2, 1.2)
    scale = width / (dots * 3)
    matrix = cv2.getRotationMatrix2D((dots * 1.5, fine.shape[0] / 2), angle, scale)
    matrix[:, 2] += (width / 2 - dots * 1.5, height / 2 - fine.shape[0] / 2)
    blurred = cv2.GaussianBlur(fine, (0, 0), 0.42 / scale)
    seen = cv2.warpAffine(blurred, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(20, 20, 20)) * 2.7
    return _jpeg(_pixels(seen + rng.normal(0, 2.5, seen.shape)), 85)


def shining_through(page: Pixels, back: Pixels, rng: np.random.Generator) -> Pixels:
    """Be thin paper: the back's print shows through, mirrored, soft and weak."""
    mirrored = cv2.GaussianBlur(back[:, ::-1], (0, 0), page.shape[1] / _A4_WIDTH_MM * rng.uniform(0.12, 0.25))
    mirrored = np.roll(mirrored, (round(rng.uniform(-30, 30)), round(rng.uniform(-15, 15))), axis=(0, 1))
    strength = rng.uniform(0.2, 0.4)
    return scanned(_pixels(page.astype(np.float32) * (1 - strength * (1 - mirrored / 255.0))), rng)


def glaring(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Shine back under a lamp: a white spot in which the print goes under."""
    height, width = page.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    centre_x, centre_y = rng.uniform(0.25, 0.75) * width, rng.uniform(0.2, 0.8) * height
    size_x, size_y = rng.uniform(0.1, 0.2) * width, rng.uniform(0.08, 0.16) * width
    spot = np.exp(-((((columns - centre_x) / size_x) ** 2 + ((rows - centre_y) / size_y) ** 2) ** 1.5))
    dim = scanned(page, rng).astype(np.float32) * rng.uniform(0.62, 0.8)
    return _pixels(dim + spot[:, :, None] * rng.uniform(220, 320))


def in_the_dark(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Be photographed in a dim room."""
    level = rng.uniform(0.22, 0.36)
    return _pixels(page.astype(np.float32) * level + rng.normal(0, 3, page.shape))


def faint(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Be printed with the last of the toner: the strokes themselves are light grey and uneven."""
    height, width = page.shape[:2]
    toner = cv2.resize(
        rng.uniform(0.3, 0.6, (40, 30)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return scanned(_pixels(255 - (255.0 - page) * toner[:, :, None]), rng)


def out_of_focus(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Miss the focus: what 10-point print doesn't survive."""
    mm = page.shape[1] / _A4_WIDTH_MM
    return scanned(_pixels(cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 0.42) * mm)), rng)


def cut_off(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Lie over the edge of the glass: the first letters of every line are lost, or the last."""
    height, width = page.shape[:2]
    ink = np.flatnonzero((page.min(axis=2) < 128).any(axis=0))
    mm = width / _A4_WIDTH_MM
    if rng.random() < 0.5:
        kept = page[:, int(ink[0]) + round(rng.uniform(2, 10) * mm) :]
        lid = np.full((height, width - kept.shape[1], 3), 250, np.uint8)
        return scanned(np.concatenate([kept, lid], axis=1), rng)
    kept = page[:, : int(ink[-1]) - round(rng.uniform(6, 20) * mm)]
    lid = np.full((height, width - kept.shape[1], 3), 250, np.uint8)
    return scanned(np.concatenate([lid, kept], axis=1), rng)


#: Damages of one page, by name, for benches that try them all.
DAMAGES: dict[str, Damage] = {
    "photographed": photographed,
    "curled": curled,
    "in_a_binding": in_a_binding,
    "held": held,
    "punched": punched,
    "on_a_screen": on_a_screen,
    "glaring": glaring,
    "in_the_dark": in_the_dark,
    "faint": faint,
    "out_of_focus": out_of_focus,
    "cut_off": cut_off,
}


def _table(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A table top: dull wood with long grain, or a dark cloth."""
    colour = rng.uniform((45, 30, 20), (120, 90, 70))
    grain = cv2.resize(rng.normal(0, 10, (height // 6 + 1, 8)).astype(np.float32), (width, height))
    return np.asarray(colour[None, None, :] + grain[:, :, None] + rng.normal(0, 2, (height, width, 1)), np.float32)


def _lamp(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Light from 1 down to about a half: falls off to one side, and a soft straight shadow lies across."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (columns / width - 0.5) * np.cos(angle) + (rows / height - 0.5) * np.sin(angle)
    light = 1 - rng.uniform(0.15, 0.4) * (along + 0.5)
    turn, offset, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3), rng.uniform(0.01, 0.05)
    across = (columns / width - 0.5) * np.cos(turn) + (rows / height - 0.5) * np.sin(turn) - offset
    shadow = 1 / (1 + np.exp(-across / soft))
    return np.asarray(light * (1 - rng.uniform(0.1, 0.35) * shadow), np.float32)


def _jpeg(page: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", page[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _pixels(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def _pixels(values: Any) -> Pixels:
    return np.ascontiguousarray(np.clip(np.asarray(values), 0, 255).astype(np.uint8))
