"""Papers photographed with a telephone: two people in real browsers, the counter's screen and a telephone's."""

from __future__ import annotations

import io
import re
import uuid
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from api.demo import capture, centre
from tests.browser import assert_accessible, expecting, weight
from tests.papers import heic
from tests.scans import LETTER, sheet

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.browser import Visits
    from tests.live import Service

PATIENCE_MS = 60_000
LINE_LOST = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "Failed to fetch", "htmx", "503")


@cache
def _taken(seed: int) -> Image.Image:
    """A letter on a desk, from a slant, under one lamp: 12 megapixels."""
    page = sheet((*LETTER, f"Tờ {seed}"), dpi=300, repeat=2)
    return Image.fromarray(capture.photograph(page.pixels, rng=np.random.default_rng(seed)))


def as_file(image: Image.Image, name: str = "image.jpg") -> FilePayload:
    """No two alike: each has a number of its own in the camera's remark."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x9286] = str(uuid.uuid4())
    image.save(buffer, "JPEG", quality=88, exif=exif)
    return {"name": name, "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def sharp(seed: int = 1) -> FilePayload:
    return as_file(_taken(seed))


def blurred() -> FilePayload:
    return as_file(_taken(1).filter(ImageFilter.GaussianBlur(9)))


def dark() -> FilePayload:
    return as_file(_taken(1).point(lambda level: level * 0.35))


def far() -> FilePayload:
    small = _taken(1).resize((1000, 1333))
    frame = Image.new("RGB", (3000, 4000), (84, 62, 46))
    frame.paste(small, (1000, 1300))
    return as_file(frame)


def cut_off() -> FilePayload:
    return as_file(_taken(1).crop((900, 0, 3000, 4000)).resize((3000, 5714)))


def under_a_lamp(brightness: float) -> FilePayload:
    """A spot of light as wide as a third of the sheet, by so many levels brighter in its middle."""
    pixels = np.asarray(_taken(1), np.float32)
    height, width = pixels.shape[:2]
    down, across = np.ogrid[:height, :width]
    reach = (down - 0.42 * height) ** 2 + (across - 0.55 * width) ** 2
    spot = brightness * np.exp(-reach / (2 * (0.1 * width) ** 2))
    return as_file(Image.fromarray(np.clip(pixels + spot[..., None], 0, 255).astype(np.uint8)))


def glaring() -> FilePayload:
    return under_a_lamp(150)


def in_bright_light() -> FilePayload:
    """White paper as bright as can be, all of it alike: nothing is washed out."""
    return as_file(_taken(1).point(lambda level: level * 1.4))


@pytest.fixture
def counter(visit: Visits) -> Page:
    """A clerk in the page of a new dossier."""
    page = visit(centre.CLERK)
    page.goto("/ho-so/moi?thu_tuc=1.004873")
    page.locator("#name").fill(f"Lê Thị Thử {uuid.uuid4().hex[:8]}")
    page.get_by_role("button", name="Mở hồ sơ và thêm giấy tờ").click()
    page.locator("hs-tray").wait_for(timeout=PATIENCE_MS)
    return page


def shown_code(counter: Page) -> str:
    """Show the code at the counter; the address as a telephone's camera reads it."""
    counter.get_by_role("button", name="Chụp bằng điện thoại").click()
    code = counter.locator(".by-phone .qr")
    code.wait_for()
    picture = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    readers = (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())
    sizes = [cv2.resize(picture, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC) for by in (1, 2, 3, 1.5)]
    read = next((text for one in sizes for reader in readers if (text := reader.detectAndDecode(one)[0])), "")
    assert read.partition("://")[2] == counter.locator(".by-phone p .code").inner_text()
    return read[read.index("/chup/") :]


def take(telephone: Page, *files: FilePayload, button: str = "Chụp ảnh") -> None:
    for file in files:
        with telephone.expect_file_chooser() as chooser:
            telephone.locator("hs-camera").get_by_role("button", name=button, exact=True).click()
        chooser.value.set_files(file)


def received(page: Page, count: int) -> None:
    page.locator(".count", has_text=re.compile(rf"^{count} ảnh đã nhận")).first.wait_for(timeout=PATIENCE_MS)


def test_pictures_of_a_telephone_appear_at_the_counter_and_become_a_paper(counter: Page, visit: Visits) -> None:
    address = shown_code(counter)
    assert_accessible(counter)
    telephone = visit(width=360, height=740)
    telephone.goto(address)
    counter.get_by_text("Điện thoại đang chụp").wait_for(timeout=PATIENCE_MS)
    assert_accessible(telephone)
    assert weight(telephone, address).total < 200_000

    take(telephone, sharp(1))
    telephone.locator(".item[data-outline=found]", has_text="Đã nhận an toàn").wait_for(timeout=PATIENCE_MS)
    take(telephone, sharp(2), sharp(3))
    received(telephone, 3)
    received(counter, 3)
    assert_accessible(telephone)
    assert_accessible(counter)
    for width in (320, 360):
        telephone.set_viewport_size({"width": width, "height": 740})
        assert telephone.evaluate("document.documentElement.scrollWidth") <= width
    small = telephone.evaluate(
        """() => [...document.querySelectorAll("main button, main select")]
            .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 48).map(e => e.outerHTML)"""
    )
    assert small == []
    counter.set_viewport_size({"width": 360, "height": 740})
    assert counter.evaluate("document.documentElement.scrollWidth") <= 360

    telephone.get_by_role("button", name="Xong giấy này").click()
    telephone.get_by_text("Giấy này đã vào hồ sơ").wait_for(timeout=PATIENCE_MS)
    counter.locator("#kind-1 .paper", has_text="3 trang").wait_for(timeout=PATIENCE_MS)
    assert telephone.locator("#kind").input_value() != "", "the next paper that is missing is proposed"
    received(telephone, 3)
    received(counter, 3)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (blurred, "Ảnh mờ"),
        (dark, "Ảnh tối"),
        (glaring, "Bị lóa"),
        (far, "Giấy quá nhỏ"),
        (cut_off, "Giấy bị cắt"),
    ],
    ids=["blurred", "dark", "glaring", "far", "cut off"],
)
def test_a_doubtful_picture_is_said_so_at_once_and_retaken_or_kept(
    counter: Page, visit: Visits, picture: object, word: str
) -> None:
    telephone = visit(width=360, height=740)
    telephone.goto(shown_code(counter))
    bad = picture()  # type: ignore[operator]  one of the functions above

    take(telephone, bad)
    telephone.locator(".faults", has_text=word).wait_for(timeout=PATIENCE_MS)
    assert_accessible(telephone)
    assert telephone.locator("#brought[data-waiting='0']").count() == 1, "nothing is sent before the person has chosen"
    telephone.get_by_role("button", name="Xong giấy này").click()
    telephone.get_by_text("Còn ảnh chưa gửi xong").wait_for()
    with telephone.expect_file_chooser() as chooser:
        telephone.get_by_role("button", name="Chụp lại").click()
    chooser.value.set_files(sharp())
    received(telephone, 1)
    take(telephone, bad)
    telephone.get_by_role("button", name="Vẫn giữ ảnh này").click()
    received(telephone, 2)


def test_a_bright_picture_and_one_with_a_lamp_above_it_are_not_taken_for_glare(counter: Page, visit: Visits) -> None:
    telephone = visit(width=360, height=740)
    telephone.goto(shown_code(counter))
    for count, picture in enumerate((sharp(), in_bright_light(), under_a_lamp(20)), start=1):
        take(telephone, picture)
        doubted = telephone.locator(".faults:not([hidden])")
        telephone.locator(f"#brought[data-waiting='{count}']").or_(doubted).first.wait_for(timeout=PATIENCE_MS)
        assert doubted.count() == 0, doubted.inner_text()


def test_an_iphone_that_sends_heic_is_told_what_to_set(counter: Page, visit: Visits) -> None:
    telephone = visit(width=320, height=640)
    sent: list[str] = []
    telephone.on("request", lambda request: sent.append(request.method))
    telephone.goto(shown_code(counter))
    accepts = telephone.locator("#file").get_attribute("accept") or ""
    assert set(accepts.split(",")) == {"image/jpeg", "image/png", "image/webp"}, (
        "for such a list Safari makes JPEG of it"
    )
    take(telephone, {"name": "IMG_0001.HEIC", "mimeType": "image/heic", "buffer": heic()}, button="Chọn ảnh có sẵn")
    telephone.locator(".item.bad", has_text="chọn Tương thích nhất").wait_for(timeout=PATIENCE_MS)
    assert "POST" not in sent, "it isn't sent for nothing"
    assert_accessible(telephone)
    assert telephone.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_web_killed_between_two_pictures_loses_neither(counter: Page, visit: Visits, service: Service) -> None:
    telephone = visit(width=360, height=740)
    for page in (telephone, counter):
        expecting(page, *LINE_LOST)
    telephone.goto(shown_code(counter))
    take(telephone, sharp(1))
    received(telephone, 1)

    service.kill("web")
    take(telephone, sharp(2))
    telephone.locator(".item", has_text="Chưa gửi được").or_(
        telephone.locator("#brought[data-waiting='2']")
    ).first.wait_for(timeout=PATIENCE_MS)
    service.await_back()

    received(telephone, 2)
    received(counter, 2)


def test_files_that_are_no_pictures_and_the_same_picture_again_are_told(counter: Page, visit: Visits) -> None:
    telephone = visit(width=360, height=740)
    expecting(telephone, "422")
    telephone.goto(shown_code(counter))
    good = sharp(1)
    take(telephone, good)
    received(telephone, 1)
    take(telephone, good)
    telephone.get_by_text("không tính lần nữa").first.wait_for(timeout=PATIENCE_MS)
    cut_short: FilePayload = {**good, "buffer": good["buffer"][: len(good["buffer"]) // 3]}
    nothing: FilePayload = {**good, "buffer": b""}
    other: FilePayload = {**good, "buffer": b"MZ" + bytes(5000)}
    for file, word in ((nothing, "Tệp rỗng"), (other, "Không phải ảnh chụp")):
        take(telephone, file, button="Chọn ảnh có sẵn")
        telephone.locator(".item.bad", has_text=word).wait_for(timeout=PATIENCE_MS)
    take(telephone, cut_short)
    keep = telephone.get_by_role("button", name="Vẫn giữ ảnh này")
    refused = telephone.locator(".item.bad", has_text="đứt giữa chừng")
    keep.or_(refused).first.wait_for(timeout=PATIENCE_MS)
    if keep.count():
        keep.click()
    refused.wait_for(timeout=PATIENCE_MS)
    received(telephone, 1)


def test_a_telephone_without_scripts_brings_pictures_too(counter: Page, visit: Visits) -> None:
    telephone = visit(width=320, height=640, javascript=False)
    expecting(telephone, "410")  # at the end
    telephone.goto(shown_code(counter))
    box = telephone.get_by_role("button", name="Gửi ảnh này").bounding_box()
    assert box
    assert box["x"] + box["width"] <= 320
    for count in (1, 2):
        telephone.get_by_label("Chụp ảnh").set_input_files(sharp(count))
        telephone.get_by_role("button", name="Gửi ảnh này").click()
        telephone.get_by_text("Đã nhận ảnh an toàn").wait_for(timeout=PATIENCE_MS)
        received(telephone, count)
    telephone.get_by_role("button", name="Bỏ ảnh 2").click()
    received(telephone, 1)
    telephone.get_by_role("button", name="Xong giấy này").click()
    telephone.get_by_text("Giấy này đã vào hồ sơ").wait_for()
    counter.locator("#kind-1 .paper", has_text="1 trang").wait_for(timeout=PATIENCE_MS)
    counter.get_by_role("button", name="Kết thúc").click()
    counter.get_by_text("Mã QR đang chờ").or_(counter.locator(".phones")).first.wait_for(state="hidden")
    telephone.reload()
    telephone.get_by_text("Cán bộ ở quầy đã kết thúc").wait_for()
