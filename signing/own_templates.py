"""An agency's own templates: a folder of typst or HTML, looked through before it is taken in, set in a room of its own.

The folder (or zip) holds `template.json`, `main.typ` or `main.html`, and what they need: pictures, styles, fonts. The
data is the same that our own templates get, as strings; typst finds it in `sys.inputs.data`, HTML as Jinja's values,
escaped. Where the signatures go is found by the signer's printed title and name, as on uploads.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pypdfium2

from signing import archive_check, places, template_room, typeface, typesetting
from signing.document_kinds import LETTERHEAD, SIGNER, VERIFY, DocumentKind
from signing.places import SEAL_MM, PlaceNotFound
from signing.template_fields import TemplateField
from signing.templates import LayoutError, RenderedResult, layout_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from signing.typeface import Typeface

MOST_FILES, MOST_BYTES = 60, 10 * 1024 * 1024
MOST_FIELDS = 60
CPU_S, WALL_S, MEMORY_BYTES = 10, 30.0, 2 * 1024**3
MOST_OUTPUT = 20 * 1024 * 1024

_ENGINES = {"main.typ": "typst", "main.html": "html"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KINDS = ("text", "lines", "facts", "date")
#: What every result has to show, whoever drew it: Decree 30/2020, Appendix I, and Circular 01/2023 for the code.
_SHOWN = ("agency_name", "symbol", "number", "dated", "place", "subject", "signer_title", "signer_name", "lookup_code")


class TemplateUnfit(ValueError):
    """The template can't be taken in; the message is for people. `problems` are all of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Package:
    """A template's files by name, no more than a folder would hold; `kind` is what its `template.json` says."""

    files: Mapping[str, bytes]
    engine: str
    name: str
    kind: DocumentKind


@dataclass(frozen=True)
class Checked:
    """What a check has found; fit only without problems.

    Attributes:
        level: The PDF/A level that is made: "2a" by typst, "2u" by WeasyPrint.
        printed, not_printed: Keys of fields that show on the page, and that don't.
        fonts: Their PostScript names.
    """

    problems: tuple[str, ...] = ()
    level: str = ""
    printed: tuple[str, ...] = ()
    not_printed: tuple[str, ...] = ()
    fonts: tuple[str, ...] = ()
    pages: int = 0


# --- taking it in -----------------------------------------------------------------------------------------------------


def read(source: Path) -> Package:
    """Read a template from a folder or a zip.

    Raises:
        TemplateUnfit: Too large, a link, a name that leads elsewhere, no main file, or a wrong `template.json`.
    """
    try:
        files = dict(_in_folder(source) if source.is_dir() else _in_zip(source.read_bytes()))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise TemplateUnfit([f"không đọc được {source.name}: {error} (can't be read)"]) from error
    return package_of(files)


def from_zip(packed: bytes) -> Package:
    """A template as `packed` has written it."""
    return package_of(dict(_in_zip(packed)))


def packed(package: Package) -> bytes:
    """The template as one file, always the same for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in sorted(package.files):
            whole.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), package.files[name])
    return out.getvalue()


def _in_folder(folder: Path) -> Iterable[tuple[str, bytes]]:
    total = 0
    for root, folders, names in os.walk(folder, followlinks=False):
        for name in [*folders, *names]:
            path = Path(root, name)
            if path.is_symlink() or not (path.is_dir() or stat.S_ISREG(path.lstat().st_mode)):
                raise TemplateUnfit([f"{path.relative_to(folder)} là liên kết hoặc tệp đặc biệt (a link)"])
        for name in names:
            content = Path(root, name).read_bytes()
            total += len(content)
            if total > MOST_BYTES:
                raise TemplateUnfit([_too_large()])
            yield Path(root, name).relative_to(folder).as_posix(), content


def _in_zip(packed_bytes: bytes) -> Iterable[tuple[str, bytes]]:
    total = 0
    with zipfile.ZipFile(io.BytesIO(packed_bytes)) as whole:
        for entry in whole.infolist():
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise TemplateUnfit([f"{entry.filename} là liên kết (a link)"])
            if entry.is_dir():
                continue
            with whole.open(entry) as file:
                content = file.read(MOST_BYTES - total + 1)
            total += len(content)
            if total > MOST_BYTES:
                raise TemplateUnfit([_too_large()])
            yield entry.filename, content


def _too_large() -> str:
    return f"quá lớn: nhiều nhất {MOST_BYTES // 1024 // 1024} MB (too large)"


def package_of(files: Mapping[str, bytes]) -> Package:
    """A template from its files.

    Raises:
        TemplateUnfit: As `read`.
    """
    wrong = [f"tên tệp không dùng được: {name[:80]!r} (bad name)" for name in files if not _is_plain(name)]
    if len(files) > MOST_FILES:
        wrong.append(f"có {len(files)} tệp, nhiều nhất {MOST_FILES} (too many files)")
    mains = [name for name in _ENGINES if name in files]
    if len(mains) != 1:
        wrong.append("phải có đúng một trong hai tệp main.typ, main.html (exactly one main file)")
    if "template.json" not in files:
        wrong.append("thiếu template.json (no template.json)")
    if wrong:
        raise TemplateUnfit(wrong)
    name, kind = described(files["template.json"])
    return Package(dict(files), _ENGINES[mains[0]], name, kind)


def _is_plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "\\" not in name and 0 < len(parts) <= 3 and all(_NAME.fullmatch(part) for part in parts)  # noqa: PLR2004


def described(written: bytes) -> tuple[str, DocumentKind]:
    """What `template.json` says: name, kind of document, its own fields.

    Raises:
        TemplateUnfit: It is wrong.
    """
    try:
        said = json.loads(written.decode("utf-8"))
        name, type_name, english = (str(said[key]).strip() for key in ("name", "type_name", "english"))
        own = [_field(one) for one in said.get("fields", [])]
        abbreviation = str(said.get("abbreviation", "")).strip()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TemplateUnfit([f"template.json sai: {error!r} (is wrong)"]) from error
    subject = TemplateField("subject", "Trích yếu", "Subject", required=True, max_length=500)
    authority = TemplateField("authority", "Thẩm quyền ban hành", "Issuing authority", max_length=200, source="office")
    fields = (*LETTERHEAD, subject, authority, *own, *SIGNER, *VERIFY)
    keys = [one.key for one in fields]
    wrong = [f"trường “{key}” có hai lần (twice)" for key in sorted({key for key in keys if keys.count(key) > 1})]
    if not name or not type_name or not english or max(map(len, (name, type_name, english))) > 100:  # noqa: PLR2004
        wrong.append("name, type_name, english phải có và không quá 100 ký tự")
    if len(own) > MOST_FIELDS:
        wrong.append(f"nhiều nhất {MOST_FIELDS} trường riêng (too many fields)")
    if wrong:
        raise TemplateUnfit(wrong)
    own_keys = [(one.key, one.kind) for one in own]

    def body(data: Mapping[str, Any]) -> dict[str, Any]:
        return {key: _plain(data[key], kind) for key, kind in own_keys} | {"authority": data["authority"], "last": ""}

    return name, DocumentKind(type_name, english, "", fields, body, abbreviation)


def _plain(value: Any, kind: str) -> Any:
    if kind == "facts":
        return [list(pair) for pair in value]
    if kind == "date":
        return f"{value:%d/%m/%Y}" if value else ""
    return value


def _field(said: Mapping[str, Any]) -> TemplateField:
    key, kind = str(said["key"]), str(said.get("kind", "text"))
    if not _KEY.fullmatch(key) or kind not in _KINDS:
        raise ValueError(f"trường “{key[:40]}” kiểu “{kind[:20]}” (bad field)")
    return TemplateField(
        key,
        str(said["label"])[:100],
        str(said.get("english", said["label"]))[:100],
        required=bool(said.get("required", False)),
        max_length=min(max(int(said.get("max_length", 500)), 1), 8000),
        kind=kind,  # type: ignore[arg-type]  # one of those named above
    )


# --- setting it -------------------------------------------------------------------------------------------------------


def render(
    package: Package,
    data: Mapping[str, Any],
    *,
    watermark: str = "",
    seal_mm: float = SEAL_MM,
    face: Typeface | None = None,
) -> RenderedResult:
    """A document as the agency's template draws it.

    Raises:
        TemplateDataError: The data doesn't fit; every problem is listed.
        LayoutError: The template failed, took too long, used a strange typeface, or left no room to sign.
    """
    face = face or typeface.ours()
    values = layout_values(package.kind, data, face) | {"watermark": watermark}
    pdf = _set(package, values, face)
    if strangers := _strangers(pdf, package, face):
        raise LayoutError(f"set in {', '.join(strangers)}")
    with tempfile.TemporaryDirectory(prefix="hoso-template-") as folder:
        made = Path(folder, "made.pdf")
        made.write_bytes(pdf)
        try:
            found = places.find(
                made, signer_title=values["signer_title"], signer_name=values["signer_name"], seal_mm=seal_mm
            )
        except PlaceNotFound as nowhere:
            raise LayoutError(str(nowhere)) from nowhere
    return RenderedResult(pdf, found)


def _set(package: Package, values: Mapping[str, Any], face: Typeface) -> bytes:
    """Let the room set it.

    Raises:
        LayoutError: It couldn't, in words.
    """
    with tempfile.TemporaryDirectory(prefix="hoso-template-") as name:
        folder, scratch = Path(name, "template"), Path(name, "scratch")
        scratch.mkdir()
        for path, content in package.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        asked = {
            "engine": package.engine,
            "folder": str(folder),
            "typeface": str(face.folder),
            "family": face.family,
            "data": {**values, "typeface": face.family},
            "cpu_s": CPU_S,
            "memory_bytes": MEMORY_BYTES,
        }
        try:
            room = subprocess.run(
                [sys.executable, "-m", template_room.__name__],
                input=json.dumps(asked, ensure_ascii=False).encode(),
                capture_output=True,
                timeout=WALL_S,
                check=False,
                env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": str(scratch), "HOME": str(scratch),
                     "PYTHONPATH": os.pathsep.join(sys.path)},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LayoutError(f"mẫu chạy quá {WALL_S:.0f} giây (took too long)") from None
    if room.returncode == template_room.REFUSED:
        raise LayoutError(room.stderr.decode("utf-8", "replace"))
    if room.returncode or not room.stdout.startswith(b"%PDF-") or len(room.stdout) > MOST_OUTPUT:
        raise LayoutError(f"mẫu bị dừng vì quá {CPU_S} giây xử lý hoặc quá nhiều bộ nhớ (stopped: {room.returncode})")
    return room.stdout


def _strangers(pdf: bytes, package: Package, face: Typeface) -> list[str]:
    """Fonts of the document that are neither the centre's nor the template's own. Writers spell names their own way."""
    with tempfile.TemporaryDirectory(prefix="hoso-template-") as name:
        for path, content in package.files.items():
            if path.lower().endswith((".ttf", ".otf")):
                Path(name, PurePosixPath(path).name).write_bytes(content)
        own = typeface.names_in(Path(name))
    known = {_spelled(one) for one in (*face.postscript_names, *own)}
    return sorted(one for one in typesetting.fonts_in(pdf) if _spelled(one) not in known)


def _spelled(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold().removesuffix("-regular"))


# --- looking through it -----------------------------------------------------------------------------------------------


def check(package: Package, *, face: Typeface | None = None) -> Checked:
    """Set the template with made-up data and look at what comes out: fields, fonts, PDF/A, room to sign."""
    face = face or typeface.ours()
    problems = _font_problems(package)
    data = {one.key: _sample(one, at) for at, one in enumerate(package.kind.fields)}
    bare = {one.key: value for one in package.kind.fields if (value := data[one.key]) and _always_there(one)}
    try:
        full = render(package, data, face=face)
        render(package, bare, face=face)  # what is optional may be missing
        render(package, bare | {"subject": "Nội dung trích yếu dài. " * 18}, face=face)
    except (LayoutError, ValueError) as error:
        return Checked((*problems, str(error)))
    problems += [f"PDF/A: {rule}" for rule in archive_check.broken_rules(full.pdf)]
    text, pages = _text_of(full.pdf)
    printed = [one.key for one in package.kind.fields if _shows(one, data[one.key], text)]
    missing = [key for key in _SHOWN if key not in printed]
    problems += [f"văn bản không in trường “{key}” (isn't printed)" for key in missing]
    if not _draws_the_code(package, data, face):
        problems.append("văn bản không vẽ mã QR, trường qr_svg (no QR code)")
    level = archive_check.claimed(full.pdf)
    return Checked(
        tuple(problems),
        level,
        tuple(printed),
        tuple(one.key for one in package.kind.fields if one.key not in printed),
        tuple(sorted(typesetting.fonts_in(full.pdf))),
        pages,
    )


def _font_problems(package: Package) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="hoso-template-") as name:
        for path, content in package.files.items():
            if path.lower().endswith((".ttf", ".otf")):
                Path(name, PurePosixPath(path).name).write_bytes(content)
        return typeface.unfit_in(Path(name))


def _always_there(one: TemplateField) -> bool:
    return one.required or one.key in {"number", "dated", "lookup_code", "verify_url", "system_name"}


#: Words to find again on the page, of letters that no template would set in another case by itself.
def _sample(one: TemplateField, at: int) -> Any:
    word = f"Zq{at}ẫ"[: one.max_length]
    known = {"number": 9876, "dated": "2031-12-29", "lookup_code": "4820-1173-9055-6", "signer_power": "KT. Giám đốc"}
    if one.key in known:
        return known[one.key]
    if one.key == "verify_url":
        return "https://hoso.example.vn/kiem-tra"
    return {"lines": [word], "facts": [[word, word]], "date": "2031-12-29"}.get(one.kind, word)


def _shows(one: TemplateField, value: Any, text: str) -> bool:
    word = value if isinstance(value, str) else str(value[0] if isinstance(value, list) else value)
    if isinstance(value, list) and isinstance(value[0], list):
        word = value[0][1]
    if one.key == "dated":
        return "29 tháng 12 năm 2031" in text or "29/12/2031" in text
    return word.casefold() in text.casefold()


def _draws_the_code(package: Package, data: Mapping[str, Any], face: Typeface) -> bool:
    """Whether the code makes a difference to the page."""
    values = layout_values(package.kind, data, face) | {"watermark": ""}
    return _picture(_set(package, values, face)) != _picture(_set(package, values | {"qr_svg": ""}, face))


def _picture(pdf: bytes) -> bytes:
    with pypdfium2.PdfDocument(pdf) as document:
        drawn: bytes = document[0].render(scale=1).to_pil().tobytes()
        return drawn


def _text_of(pdf: bytes) -> tuple[str, int]:
    with pypdfium2.PdfDocument(pdf) as document:
        texts = []
        for page in document:
            words = page.get_textpage()
            texts.append(words.get_text_range())
            words.close()
            page.close()
        return " ".join(" ".join(texts).split()), len(document)
