"""Damage clean pages, read them, and say by how much each damage spoils the reading.

    python bench/damaged.py [--only DAMAGE,…] [--pages N] [--seed N] [--dpi N] [--keep FOLDER]

Pages are drawn here, with people and agencies that don't exist, in fonts that differ from page to page. Prints the
character error rate in reading order for each damage, with what was done to the pages and processor seconds a page.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import damages
from digitize import pipeline
from digitize.picture import deduced_dpi
from digitize.types import PageImage
from digitize.words.vietnamese import nfc

_SYSTEM = Path("/usr/share/fonts/truetype")
FONTS = (
    Path(__file__).parents[1] / "signing" / "fonts" / "LiberationSerif-Regular.ttf",
    _SYSTEM / "dejavu" / "DejaVuSerif.ttf",
    _SYSTEM / "freefont" / "FreeSerif.ttf",
    _SYSTEM / "dejavu" / "DejaVuSansCondensed.ttf",
)
_TEXT = """\
Căn cứ Luật Tổ chức chính quyền địa phương và Nghị định số 61/2018/NĐ-CP ngày 23 tháng 4 năm 2018 của Chính phủ về
thực hiện cơ chế một cửa, một cửa liên thông trong giải quyết thủ tục hành chính;

Theo đề nghị của Trưởng phòng Kinh tế, Hạ tầng và Đô thị tại Tờ trình số 48/TTr-KTHT về việc hỗ trợ kinh phí sửa
chữa kênh mương nội đồng ở các thôn Đồng Giữa, Bến Thượng và Gò Mả trước mùa mưa lũ.

Điều 1. Phân bổ 1.275.400.000 đồng (một tỷ hai trăm bảy mươi lăm triệu bốn trăm nghìn đồng) cho bảy hợp tác xã có
tên trong danh sách kèm theo. Thời hạn giải ngân chậm nhất là ngày 30 tháng 9 năm 2026.

Điều 2. Ông Lường Khắc Sửu và bà Quách Thị Nguyệt Hằng chịu trách nhiệm nghiệm thu từng hạng mục, lập biên bản có
chữ ký của đại diện hộ dân; mọi khoản chi vượt dự toán đều phải được Ủy ban nhân dân xã chấp thuận bằng văn bản.

Điều 3. Người đề nghị cấp giấy phép nộp một bộ hồ sơ gồm đơn theo mẫu, bản sao giấy chứng nhận quyền sử dụng đất, sơ
đồ vị trí thửa đất số 217, tờ bản đồ số 14 và cam kết bảo vệ môi trường; lệ phí là 75.000 đồng một lần.

Các tổ chức, cá nhân nhận quyết định này kiểm tra lại họ tên, ngày sinh, nơi thường trú. Nếu phát hiện sai sót, đề
nghị báo ngay cho bộ phận một cửa trong vòng ba ngày làm việc để được sửa chữa, không thu thêm khoản phí nào.

Hội đồng nghĩa vụ quân sự xã đã rà soát, niêm yết công khai danh sách 36 công dân đủ điều kiện; những trường hợp tạm
hoãn vì lý do sức khỏe hoặc đang học tập được xem xét lại vào kỳ họp thường lệ tháng 11.

Văn phòng Hội đồng nhân dân và Ủy ban nhân dân, Công an xã, Trạm Y tế, các trưởng thôn cùng những người có tên ở
Điều 2 chịu trách nhiệm thi hành. Quyết định có hiệu lực kể từ ngày ký.
"""


def page(number: int, *, dpi: int = 200, paragraphs: int = 8, size_pt: float = 13) -> tuple[np.ndarray, str]:
    """A page of print and its text; the number chooses font, order and margins."""
    rng = np.random.default_rng(1000 + number)
    width, height = round(210 / 25.4 * dpi), round(297 / 25.4 * dpi)
    image = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONTS[number % len(FONTS)]), round(size_pt / 72 * dpi))
    left, right, top = round(27 / 25.4 * dpi), width - round(17 / 25.4 * dpi), round(22 / 25.4 * dpi)
    lines: list[str] = []
    written = _TEXT.split("\n\n")
    for index in rng.permutation(len(written))[:paragraphs]:
        line = ""
        for word in written[index].split():
            longer = f"{line} {word}".strip()
            if draw.textlength(longer, font=font) > right - left:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    pitch = round(size_pt * 1.45 / 72 * dpi)
    for index, line in enumerate(lines):
        draw.text((left, top + index * pitch), line, font=font, fill=(28, 28, 30))
    return np.asarray(image).copy(), " ".join(lines)


def wrong_share(truth: str, read: str) -> float:
    """Character error rate: edits to get from one text to the other, white space aside from being there."""
    wanted, got = " ".join(nfc(truth).split()), " ".join(nfc(read).split())
    return Levenshtein.distance(wanted, got) / len(wanted)


def case(damage: str, number: int, *, seed: int, dpi: int = 200) -> tuple[PageImage, str]:
    """One damaged page as it would be loaded, and its text."""
    rng = np.random.default_rng([seed, number, *damage.encode()])
    clean, text = page(number, dpi=dpi)
    other, other_text = page(number + 1, dpi=dpi)
    if damage == "clean":
        return PageImage(damages.scanned(clean, rng), dpi), text
    if damage in {"opened", "opened_photo"}:
        pixels = damages.opened(clean, other, rng)
        if damage == "opened":
            return PageImage(pixels, dpi), f"{text} {other_text}"
        return as_photo(damages.photographed(pixels, rng)), f"{text} {other_text}"
    if damage == "shining_through":
        return PageImage(damages.shining_through(clean, other, rng), dpi), text
    if damage == "curled_photo":
        return as_photo(damages.photographed(damages.curled(clean, rng), rng)), text
    pixels = damages.DAMAGES[damage](clean, rng)
    return (as_photo(pixels) if damage in {"photographed", "on_a_screen"} else PageImage(pixels, dpi)), text


def as_photo(pixels: np.ndarray) -> PageImage:
    return PageImage(pixels, deduced_dpi(pixels.shape[1], pixels.shape[0]), dpi_is_stated=False)


READ = ("clean", "photographed", "curled", "curled_photo", "in_a_binding", "opened", "opened_photo", "held", "punched",
        "on_a_screen", "shining_through", "faint")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="damages, with commas between")
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="folder for the damaged pages, the pages kept and what was read")
    given = parser.parse_args()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    print(f"{'damage':16} {'CER %':>6}   worst  s/page  steps and flags")
    for damage in given.only.split(",") if given.only else READ:
        shares, steps, seconds = [], Counter(), 0.0
        for number in range(given.pages):
            image, truth = case(damage, number, seed=given.seed, dpi=given.dpi)
            start = _spent()
            read = pipeline.read_page(image)
            seconds += _spent() - start
            shares.append(100 * wrong_share(truth, read.ocr.text))
            steps.update([*read.steps, *(flag.value.upper() for flag in read.flags.flags)])
            if given.keep:
                name = given.keep / f"{damage}-{number}"
                cv2.imwrite(f"{name}-came.jpg", image.pixels[:, :, ::-1])
                Path(f"{name}-kept.jpg").write_bytes(read.picture)
                Path(f"{name}.txt").write_text(f"{read.ocr.text}\n\n--\n{truth}\n", "utf-8")
        said = " ".join(f"{step}:{count}" for step, count in sorted(steps.items()))
        print(
            f"{damage:16} {np.mean(shares):6.2f}  {max(shares):6.2f}  {seconds / given.pages:5.2f}   {said}", flush=True
        )


def _spent() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
