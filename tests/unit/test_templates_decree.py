"""Decree 30/2020, Appendix I, measured on the made page of every template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from signing import templates
from signing.places import MM
from tests.documents import EVERYTHING, LONG_HEAD, LONG_TEXT, RESULTS
from tests.printed import find, middle, page_count, page_letters, rules, text_of

if TYPE_CHECKING:
    from signing.templates import RenderedResult
    from tests.printed import Letter

#: What stands in the margins on purpose: the words under the QR code, the foot of page 1.
SMALL, FOOT_PT = 7, 57


def made(name: str, **more: Any) -> RenderedResult:
    return templates.render(name, EVERYTHING[name] | more)


def face(letters: list[Letter]) -> set[tuple[float, str]]:
    return {
        (round(letter.size, 1), letter.font.removeprefix("LiberationSerif").lstrip("-") or "Regular")
        for letter in letters
    }


def body_of(rendered: RenderedResult, page: int = 0) -> list[Letter]:
    shown = [letter for letter in page_letters(rendered, page) if letter.text.strip()]  # spaces hang over the margin
    return [letter for letter in shown if letter.size > SMALL and letter.top > FOOT_PT]


@pytest.mark.parametrize("name", [*templates.names(), *templates.forms()])
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_every_page_keeps_to_the_margins(name: str, *, long: bool) -> None:
    head = {k: v for k, v in LONG_HEAD.items() if k in {f.key for f in templates.fields(name)}}
    rendered = made(name, **(head | LONG_TEXT[name] if long else {}))
    assert page_count(rendered) >= 2 if long else page_count(rendered) == 1
    for page in range(page_count(rendered)):
        inside = [letter for letter in body_of(rendered, page) if letter.base < 277 * MM]
        assert min(letter.left for letter in inside) >= 30 * MM - 1
        assert max(letter.right for letter in inside) <= 195 * MM + 1
        assert max(letter.top for letter in inside) <= 277 * MM + 1
        assert min(letter.base for letter in inside) >= 20 * MM - 4


@pytest.mark.parametrize("name", templates.names())
def test_heads_and_ends_have_the_letters_of_the_decree(name: str) -> None:
    data = RESULTS[name]
    letters = page_letters(made(name), 0)
    expected = {
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM": (13, "Bold"),
        "Độc lập - Tự do - Hạnh phúc": (14, "Bold"),
        data["parent_name"].upper(): (13, "Regular"),
        data["agency_name"].upper(): (13, "Bold"),
        f"Số: 05/{data['symbol']}": (13, "Regular"),
        "Quảng Ninh, ngày 03 tháng 02 năm 2026": (14, "Italic"),
        data["signer_title"].upper(): (14, "Bold"),
        "Trần Thị Bình": (14, "Bold"),
        "Nơi nhận:": (12, "BoldItalic"),
        f"- {data['recipients'][0]};": (11, "Regular"),
        "- Lưu: VT.": (11, "Regular"),
    }
    if power := data.get("signer_power"):
        expected[power.upper()] = (14, "Bold")
    if name != "letter":
        expected |= {templates.type_name(name)[0].upper(): (14, "Bold"), data["subject"]: (14, "Bold")}
    for words, look in expected.items():
        assert face(find(letters, words)) == {look}, words


@pytest.mark.parametrize("name", templates.names())
def test_each_box_has_its_seat(name: str) -> None:
    data = RESULTS[name]
    letters = page_letters(made(name), 0)
    nation, motto = find(letters, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), find(letters, "Độc lập - Tự do - Hạnh phúc")
    agency, number = find(letters, data["agency_name"].upper()), find(letters, "Số: 05/")
    date = find(letters, "Quảng Ninh, ngày 03 tháng 02 năm 2026")
    assert middle(motto) == pytest.approx(middle(nation), abs=1)
    assert middle(agency) < 98 * MM < min(letter.left for letter in nation)
    assert middle(find(letters, f"Số: 05/{data['symbol']}")) == pytest.approx(middle(agency), abs=3)
    assert number[3].base == pytest.approx(date[len("QuảngNinh,ngày")].base, abs=1.2), (
        "box 4 stands in the line of box 3"
    )
    assert date[0].left > 98 * MM
    recipients = find(letters, "Nơi nhận:")
    above_name = find(letters, (data.get("signer_power") or data["signer_title"]).upper(), nth=-1)
    assert recipients[0].base == pytest.approx(above_name[0].base, abs=2), "box 9b stands level with box 7a"
    assert max(letter.right for letter in recipients) < min(letter.left for letter in above_name)
    name_below = find(letters, "Trần Thị Bình")
    assert middle(name_below) == pytest.approx(middle(above_name), abs=1)


@pytest.mark.parametrize("name", [*templates.names(), *templates.forms()])
def test_rules_under_motto_and_issuer_are_as_long_as_the_decree_says(name: str) -> None:
    rendered = made(name)
    letters, lines = page_letters(rendered, 0), rules(rendered)
    motto = find(letters, "Độc lập - Tự do - Hạnh phúc")
    below = [line for line in lines if 0 < motto[0].base - line[2] < 12 and line[0] > 98 * MM]
    assert [right - left for left, right, _ in below] == [pytest.approx(motto[-1].right - motto[0].left, abs=2)]
    agency = find(letters, EVERYTHING[name]["agency_name"].upper())
    last_line = [letter for letter in agency if abs(letter.base - agency[-1].base) < 3]
    wide = max(letter.right for letter in agency) - min(letter.left for letter in agency)
    under = [line for line in lines if 0 < last_line[0].base - line[2] < 12 and line[1] < 98 * MM]
    assert len(under) == 1
    assert wide / 3 <= under[0][1] - under[0][0] <= wide / 2
    assert (under[0][0] + under[0][1]) / 2 == pytest.approx(middle(agency), abs=2)


@pytest.mark.parametrize("name", [one for one in templates.names() if one != "letter"])
def test_the_rule_under_the_subject_is_a_third_to_a_half_of_it_and_under_the_text(name: str) -> None:
    rendered = made(name)
    subject = find(page_letters(rendered, 0), RESULTS[name]["subject"])
    wide = max(letter.right for letter in subject) - min(letter.left for letter in subject)
    under = [line for line in rules(rendered) if 0 < subject[-1].base - line[2] < 12]
    assert len(under) == 1
    assert wide / 3 <= under[0][1] - under[0][0] <= wide / 2


def test_a_letter_says_what_it_is_about_under_its_number_and_names_no_kind() -> None:
    rendered = made("letter")
    letters = page_letters(rendered, 0)
    about, number = find(letters, "V/v trả lời kiến nghị"), find(letters, "Số: 05/TTPVHCC-TH")
    assert face(about) == {(13, "Regular")}
    assert 0 < number[0].base - about[0].top < 12
    assert middle(find(letters, "V/v trả lời kiến nghị về thời")) == pytest.approx(middle(number), abs=12)
    assert "CÔNG VĂN" not in text_of(rendered).upper()


def test_a_letter_names_one_addressee_in_the_line_and_several_below_it() -> None:
    one = made("letter", addressees=["Ông Nguyễn Văn An"])
    assert "Kính gửi: Ông Nguyễn Văn An" in text_of(one)
    several = page_letters(made("letter"), 0)
    first = find(several, "- Ủy ban nhân dân phường Hồng Gai;")
    second = find(several, "- Văn phòng Đăng ký đất đai tỉnh Quảng Ninh.")
    assert find(several, "Kính gửi:")[0].base > first[0].base > second[0].base
    assert first[0].left == pytest.approx(second[0].left, abs=0.5)


def test_the_body_is_justified_and_its_first_lines_are_indented() -> None:
    letters = page_letters(made("letter", text=["Nội dung của công văn này dài hơn một dòng. " * 8]), 0)
    words = find(letters, "Nội dung của công văn này dài hơn một dòng." * 8)
    assert words[0].left == pytest.approx((30 + 12.7) * MM, abs=1.5)
    by_line: dict[int, list[Letter]] = {}
    for letter in words:
        by_line.setdefault(round(letter.base / 12), []).append(letter)
    ends = sorted((max(letter.right for letter in line) for line in by_line.values()), reverse=True)
    assert ends[0] == pytest.approx(195 * MM, abs=2)
    assert face(words) == {(14, "Regular")}


@pytest.mark.parametrize("name", [*templates.names(), *templates.forms()])
def test_page_numbers_stand_top_centre_in_13_points_but_not_on_page_1(name: str) -> None:
    rendered = made(name, **LONG_TEXT[name])
    above = [
        [letter for letter in page_letters(rendered, page) if letter.base > 277 * MM and letter.size > SMALL]
        for page in range(page_count(rendered))
    ]
    assert above[0] == []
    for number, letters in enumerate(above[1:], 2):
        assert "".join(letter.text for letter in letters) == str(number)
        assert face(letters) == {(13, "Regular")}
        assert middle(letters) == pytest.approx((30 + 195) / 2 * MM, abs=3)


@pytest.mark.parametrize("name", templates.names())
def test_a_signature_never_stands_on_a_page_without_text(name: str) -> None:
    key = {"decision": "articles", "licence": "articles", "letter": "text"}.get(name, "closing")
    for lines in range(8, 40, 2):
        rendered = made(name, **{key: ["Một dòng."] * lines})
        last = text_of(rendered, page_count(rendered) - 1)
        assert "Trần Thị Bình" in last
        assert "Một dòng./." in last
        assert rendered.places[0].page == page_count(rendered)


def test_a_list_of_recipients_longer_than_a_page_goes_on_alone_and_signs_nothing_away() -> None:
    for lines in (0, 12, 22, 30):
        recipients = [f"Ủy ban nhân dân phường số {number}" for number in range(1, 90)]
        rendered = made("decision", recipients=recipients, articles=["Một dòng."] * (lines + 1))
        first = rendered.places[0].page
        together = text_of(rendered, first - 1)
        assert "Trần Thị Bình" in together
        assert "Nơi nhận:" in together
        assert "Một dòng./." in together
        everything = "".join(text_of(rendered, page) for page in range(page_count(rendered)))
        assert all(one in " ".join(everything.split()) for one in recipients)
        assert everything.rstrip().endswith("- Lưu: VT.") or "- Lưu: VT." in everything


def test_the_codes_are_drawn_as_paths_and_no_picture_of_pixels_is_in_any_template() -> None:
    for name in EVERYTHING:
        assert b"/Subtype /Image" not in made(name).pdf.replace(b"/Subtype/Image", b"/Subtype /Image")
