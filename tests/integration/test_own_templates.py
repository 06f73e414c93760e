"""An agency's own templates: looked through before they are taken in, and shut in a room whatever they try."""

from __future__ import annotations

import http.server
import io
import json
import shutil
import stat
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signing import own_templates, typeface
from signing.own_templates import TemplateUnfit, check, from_zip, package_of, packed, read, render
from signing.template_fields import TemplateDataError
from signing.templates import LayoutError
from tests.documents import VERIFIED
from tests.printed import text_of
from tests.verapdf import assert_pdfa

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[1] / "own_templates"
ENGINES = ["typst", "html"]
DATA: dict[str, Any] = {
    **{key: value for key, value in VERIFIED.items() if key not in {"bases", "articles"}},
    "guests": ["Ông Nguyễn Văn An", "Bà Lê Thị Thử"],
    "meeting": "Họp tổ dân phố số 5 #read <b>đậm</b> {{ x }} $x$",
}


def changed(engine: str, **files: str | bytes | None) -> own_templates.Package:
    """A sample with files replaced, added or (None) taken out; "main" is its main file."""
    known = dict(read(SAMPLES / engine).files)
    for name, content in files.items():
        path = {"main": "main.typ" if engine == "typst" else "main.html", "style": "style.css"}.get(name, name)
        if content is None:
            del known[path]
        else:
            known[path] = content.encode() if isinstance(content, str) else content
    return package_of(known)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_good_template_is_found_good_and_makes_an_archive_document(engine: str, tmp_path: Path) -> None:
    package = read(SAMPLES / engine)

    found = check(package)
    rendered = render(package, DATA)

    assert found.problems == ()
    assert found.level == {"typst": "2a", "html": "2u"}[engine]
    assert {"subject", "guests", "meeting", "signer_name"} <= set(found.printed)
    assert "scope" in found.not_printed
    (tmp_path / "a.pdf").write_bytes(rendered.pdf)
    assert_pdfa(tmp_path / "a.pdf", found.level)
    text = " ".join(text_of(rendered).split())
    assert DATA["meeting"] in text, "what was typed is text in any template"
    assert "Bà Lê Thị Thử" in text
    assert [place.place.value for place in rendered.places] == ["leader", "seal"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_template_lacks_is_told_all_at_once(engine: str) -> None:
    package = read(SAMPLES / engine)
    main = package.files["main.typ" if engine == "typst" else "main.html"].decode()
    lines = [
        line for line in main.splitlines() if not any(word in line for word in ("qr_svg", "subject", "lookup_line"))
    ]

    found = check(changed(engine, main="\n".join(lines)))

    said = " ".join(found.problems)
    assert all(word in said for word in ("“subject”", "“lookup_code”", "QR"))


def test_a_strange_field_is_an_error_in_both_engines() -> None:
    assert "khong_co" in " ".join(check(changed("html", main="<p>{{ khong_co }}</p>")).problems)
    assert check(changed("typst", main="#json(bytes(sys.inputs.data)).khong_co")).problems


def test_without_room_for_signatures_it_is_refused() -> None:
    tight = (SAMPLES / "typst" / "main.typ").read_text().replace("v(40mm)", "v(2mm)")
    assert "4 cm" in " ".join(check(changed("typst", main=tight)).problems)


def test_data_is_checked_as_for_our_own_templates() -> None:
    with pytest.raises(TemplateDataError, match="người được mời"):
        render(read(SAMPLES / "typst"), DATA | {"guests": []})


@pytest.mark.parametrize("engine", ENGINES)
def test_a_strange_typeface_is_refused(engine: str, tmp_path: Path) -> None:
    shutil.copytree(typeface.FOLDER, tmp_path / "fonts")
    strange = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").read_bytes()
    asked = {"typst": "DejaVu Sans", "html": "DejaVu Sans"}[engine]
    source = read(SAMPLES / engine)
    if engine == "html":
        style = source.files["style.css"].decode().replace("Liberation Serif", asked)
        with pytest.raises(LayoutError, match="DejaVu"):
            render(changed("html", style=style), DATA)
        return
    main = source.files["main.typ"].decode().replace("font: d.typeface", f'font: "{asked}"')
    assert render(changed("typst", **{"main": main, "phong.ttf": strange}), DATA).pdf


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine that notes who asks."""
    asked: list[str] = []

    class Notes(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


_REACHING = [
    '<img alt="" src="ADDRESS">',
    '<link rel="stylesheet" href="ADDRESS">',
    "<style>@import url(ADDRESS);</style>",
    "<style>@font-face { font-family: x; src: url(ADDRESS) } p { font-family: x }</style><p>x</p>",
    '<p style="background: url(ADDRESS)">x</p>',
    '<link rel="attachment" href="ADDRESS">',
    '<object data="ADDRESS"></object>',
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="ADDRESS" width="9" height="9"/></svg>',
    '<img alt="" src="picture.svg">',
]


@pytest.mark.parametrize("reach", _REACHING)
@pytest.mark.parametrize("where", ["http", "file", "relative", "absolute"])
def test_html_gets_nothing_from_outside_its_folder(
    reach: str, where: str, listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("BI-MAT")
    address = {
        "http": f"{listener[0]}/x",
        "file": secret.as_uri(),
        "relative": "../" * 12 + str(secret).lstrip("/"),
        "absolute": str(secret),
    }[where]
    inside = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
        f'<image xlink:href="{address}" width="9" height="9"/></svg>'
    )
    page = (
        (SAMPLES / "html" / "main.html").read_text().replace("</body>", reach.replace("ADDRESS", address) + "</body>")
    )

    try:
        made = render(changed("html", **{"main": page, "picture.svg": inside}), DATA).pdf
    except LayoutError as refused:
        made = str(refused).encode()
    assert b"BI-MAT" not in made
    assert listener[1] == []


@pytest.mark.parametrize(
    "source",
    [
        '#read("/../../etc/passwd")',
        '#read("../../etc/passwd")',
        '#read("/etc/passwd")',
        '#import "@preview/cetz:0.3.0"',
        '#import "@" + "preview/cetz:0.3.0"',
        '#import "@local/x:0.1.0"',
        '#image("/proc/self/environ")',
        '#plugin("/etc/passwd")',
    ],
)
def test_typst_gets_nothing_from_outside_its_folder(source: str) -> None:
    with pytest.raises(LayoutError):
        render(changed("typst", main=source), DATA)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'main.html' as x %}",
        "{{ lipsum.__globals__ }}",
    ],
)
def test_jinja_gives_no_way_out(source: str) -> None:
    with pytest.raises(LayoutError):
        render(changed("html", main=f"<html lang='vi'><title>x</title>{source}"), DATA)


@pytest.mark.parametrize(
    ("engine", "source"),
    [
        ("html", "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}"),
        ("html", "{{ 'x' * 9999999999 }}"),
        ("typst", "#let n = 0\n#let a = ()\n#while n < 1000000000 { n += 1; if calc.rem(n, 2) == 0 { n += 1 } }"),
    ],
)
def test_endless_and_greedy_templates_are_stopped(engine: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_templates, "CPU_S", 3)
    with pytest.raises(LayoutError):
        render(changed(engine, main=source), DATA)


def test_links_strange_names_and_too_much_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "linked"
    shutil.copytree(SAMPLES / "typst", folder)
    (folder / "data.txt").symlink_to("/etc/passwd")
    with pytest.raises(TemplateUnfit, match="liên kết"):
        read(folder)
    good = dict(read(SAMPLES / "typst").files)
    for name in ("../x.typ", "/etc/x", "a/../../b", "a\\b", ".hidden", "a/b/c/d/e.typ", ""):
        with pytest.raises(TemplateUnfit, match="tên tệp"):
            package_of(good | {name: b"x"})
    with pytest.raises(TemplateUnfit, match="quá lớn"):
        from_zip(_zip({"a": b"0" * (own_templates.MOST_BYTES + 1)}))
    with pytest.raises(TemplateUnfit, match="tệp"):
        package_of(good | {f"f{number}": b"" for number in range(own_templates.MOST_FILES)})
    link = zipfile.ZipInfo("main.typ")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as whole:
        whole.writestr(link, "/etc/passwd")
    with pytest.raises(TemplateUnfit, match="liên kết"):
        from_zip(out.getvalue())
    (tmp_path / "no.zip").write_bytes(b"PK no zip")
    with pytest.raises(TemplateUnfit, match="không đọc được"):
        read(tmp_path / "no.zip")


def _zip(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in files.items():
            whole.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "said",
    [
        "[]",
        "{",
        "{}",
        '{"name": "x", "type_name": "y", "english": "z", "fields": [{"key": "Bad Key", "label": "x"}]}',
        '{"name": "x", "type_name": "y", "english": "z", "fields": [{"key": "subject", "label": "x"}]}',
        '{"name": "x", "type_name": "y", "english": "z", "fields": [{"key": "a", "label": "x", "kind": "code"}]}',
        '{"name": "x", "type_name": "y", "english": "z", "fields": 7}',
    ],
)
def test_a_wrong_description_is_refused(said: str) -> None:
    with pytest.raises(TemplateUnfit):
        changed("typst", **{"template.json": said})


def test_a_template_comes_back_from_its_zip_as_it_went_in() -> None:
    package = read(SAMPLES / "html")
    again = from_zip(packed(package))
    assert again.files == package.files
    assert packed(again) == packed(package)
    assert json.loads(again.files["template.json"])["name"] == again.name
