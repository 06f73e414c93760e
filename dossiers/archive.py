"""The archive: finished dossiers leave as bags (RFC 8493) that say everything by themselves, and come back whole.

A bag holds, for each dossier under its unchanged code: every file by the name the archive's rules give it, a METS file
for archives, the rows that an installation like this one reads back, and its lines of the log. What proves the
signatures is inside the signed PDFs; the anchors they hang on lie beside them to be compared, and are never imported.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dossiers import bags, codes, mets
from dossiers.calendar import local_day
from dossiers.types import Actor, NotFound, ObjectKey, OfficeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dossiers.ports import Begin, ObjectStore

    Rows = Mapping[str, Sequence[Mapping[str, Any]]]

#: So long before the limit people are told.
WARN_AHEAD = timedelta(days=30)
EXPORTED, IMPORTED = "archive.exported", "archive.imported"
_PROFILE = "hoso-archive-1"
_EXTENSIONS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/tiff": "tif",
    "application/json": "json",
}


class NotOurRows(OfficeError):
    """A bag's rows aren't ones that this version can read; nothing was taken in."""


@dataclass(frozen=True)
class ToArchive:
    """A finished dossier that the archive waits for, and until when."""

    id: UUID
    code: str
    procedure: str
    finished_at: datetime
    due: datetime


@dataclass(frozen=True)
class File:
    """A file of a bag: which object, under which name, and for what it is used."""

    key: ObjectKey
    path: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Exported:
    """A bag as it was written: `sha256` is of its list of hashes, and tells it from any other."""

    folder: Path
    codes: tuple[str, ...]
    sha256: str


def export(begin: Begin, store: ObjectStore, dossier_ids: Sequence[UUID], to: Path, *, now: datetime) -> Exported:
    """Write finished dossiers as one bag into the folder `to`, which must not be there yet, and note that it was done.

    Whole or not at all: a bag being written has another name, and what a killed run left is begun anew.

    Raises:
        NotFound: Nothing to export.
        FileExistsError: `to` is there.
        ObjectMissing, StoreUnavailable: A file can't be had; nothing is left in `to`.
    """
    if not dossier_ids:
        raise NotFound("không có hồ sơ đã kết thúc nào để xuất")
    if to.exists():
        raise FileExistsError(to)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as name:
        bag = Path(name, "bag")
        (bag / "data").mkdir(parents=True)
        named = [_write_dossier(begin, store, one, bag / "data") for one in dossier_ids]
        with begin() as work:
            revision = work.archive.revision()
            anchors = [anchor.der for anchor in work.trust.trusted_anchors()]
        _write_json(bag / "hoso.json", {"profile": _PROFILE, "schema": revision, "dossiers": [n for n, _, _ in named]})
        for number, der in enumerate(dict.fromkeys(anchors), start=1):
            (bag / f"trust-anchor-{number:03d}.cer").write_bytes(der)
        info = {
            "Source-Organization": ", ".join(sorted({agency for _, agency, _ in named})),
            "Bagging-Date": local_day(now).isoformat(),
            "External-Identifier": named[0][0] if len(named) == 1 else f"{named[0][0]} … ({len(named)})",
            "BagIt-Profile-Identifier": f"urn:hoso:{_PROFILE}",
        }
        if held := [letter for _, _, letters in named for letter in letters]:
            info["Hoso-Legal-Hold"] = "; ".join(held)
        sha256 = bags.close(bag, info)
        bags.check(bag)
        shutil.move(bag, to)
    with begin() as work:
        for one, (code, agency, _) in zip(dossier_ids, named, strict=True):
            work.archive.mark(one, at=now)
            work.audit.append(Actor.system(agency), EXPORTED, one, code=code, bag=sha256)
    return Exported(to, tuple(code for code, _, _ in named), sha256)


def take_in(begin: Begin, store: ObjectStore, bag: Path) -> tuple[str, ...]:
    """Take a bag's dossiers into this installation, each whole or not at all; their codes. May be repeated.

    Raises:
        BadBag: The bag isn't whole; nothing was taken in.
        NotOurRows: It is of another version, or what it says doesn't fit its files.
        Duplicate: A dossier of it is here already (those before it in the bag are in).
        StoreUnavailable: Later, then.
    """
    sha256 = bags.check(bag)
    said = json.loads((bag / "hoso.json").read_text("utf-8"))
    with begin() as work:
        revision = work.archive.revision()
    if (said.get("profile"), said.get("schema")) != (_PROFILE, revision):
        raise NotOurRows(f"{said.get('profile')} {said.get('schema')}, không phải {_PROFILE} {revision}")
    for code in said["dossiers"]:
        folder = bag / "data" / code
        rows = json.loads((folder / "records.json").read_text("utf-8"))
        listed = {file["sha256"]: file for file in json.loads((folder / "files.json").read_text("utf-8"))}
        for key, uses in _objects(rows).items():
            file = listed.get(key.sha256)
            if file is None or store.put(folder / file["path"], media_type=key.media_type) != key:
                raise NotOurRows(f"{code}: {uses[0]}")
        (dossier,) = rows["dossiers"]
        with begin() as work:
            work.archive.put(rows)
            lines = [line["hash"] for line in rows["audit"]]
            work.audit.append(
                Actor.system(dossier["receiving"]), IMPORTED, dossier["id"], code=code, bag=sha256, lines=len(lines)
            )
    return tuple(said["dossiers"])


def _write_dossier(begin: Begin, store: ObjectStore, dossier_id: UUID, data: Path) -> tuple[str, str, list[str]]:
    with begin() as work:
        rows = work.archive.rows(dossier_id)
    (dossier,) = rows["dossiers"]
    code = str(dossier["code"])
    folder = data / code
    files = list(_files(rows, code))
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data.parent) as name:  # what is fetched may share its bytes with a cache
            fetched = Path(name, "file")
            store.fetch(file.key, fetched)
            shutil.copyfile(fetched, path)
    _write_json(folder / "records.json", rows)
    _write_json(
        folder / "files.json",
        [
            {
                "path": file.path,
                "sha256": file.key.sha256,
                "size": file.key.size,
                "media_type": file.key.media_type,
                "uses": file.uses,
            }
            for file in files
        ],
    )
    (folder / "mets.xml").write_bytes(mets.document(rows, files))
    live = [f"{code}: {hold['reference']}" for hold in rows["holds"] if hold["released_at"] is None]
    return code, str(dossier["receiving"]), live


def _objects(rows: Rows) -> dict[ObjectKey, tuple[str, ...]]:
    """Every object that rows name, each with where: "components/<id>/scan"."""
    found: dict[ObjectKey, tuple[str, ...]] = {}
    for table, those in rows.items():
        for row in those:
            for column in row:
                name = column.removesuffix("_sha256")
                if name != column and f"{name}_size" in row and row[column] is not None:
                    key = ObjectKey(row[column], row[f"{name}_size"], row[f"{name}_media_type"])
                    found[key] = (*found.get(key, ()), f"{table}/{_id_of(row)}/{name}")
    return found


def _id_of(row: Mapping[str, Any]) -> object:
    return row.get("id") or row.get("e_result_id") or row.get("hold_id")


def _files(rows: Rows, code: str) -> Iterator[File]:
    """Every object once, under the name of what it is first of all; the rest of its uses are listed."""
    first: dict[str, str] = {}
    for path, sha256 in (*_result_names(rows, code), *_paper_names(rows, code)):
        first.setdefault(sha256, path)
    for key, uses in _objects(rows).items():
        extension = _EXTENSIONS.get(key.media_type, "bin")
        path = first.get(key.sha256) or f"khac/{key.sha256}"
        yield File(key, path if path.endswith(".pdf") else f"{path}.{extension}", uses)


def _result_names(rows: Rows, code: str) -> Iterator[tuple[str, str]]:
    """Results as the archive's rules name them (`requirements.md` C9), what is in force first."""
    for row in sorted(rows["e_results"], key=lambda row: row["ordinal"]):
        if row["document_sha256"]:
            yield f"ket-qua/{codes.result_filename(code, row['ordinal'])}", row["document_sha256"]
        earlier = [d for d in rows["e_result_documents"] if d["e_result_id"] == row["id"]]
        for number, one in enumerate(sorted(earlier, key=lambda one: one["recorded_at"]), start=1):
            yield f"ket-qua/{codes.result_code(code, row['ordinal'])}.v{number}.pdf", one["document_sha256"]
    ordinals = {row["id"]: row["ordinal"] for row in rows["e_results"]}
    for row in sorted(rows["annexes"], key=lambda row: row["ordinal"]):
        name = codes.annex_filename(code, ordinals[row["e_result_id"]], row["ordinal"])
        yield f"ket-qua/{name}", row["document_sha256"] or row["source_sha256"]


def _paper_names(rows: Rows, code: str) -> Iterator[tuple[str, str]]:
    """Papers likewise: the signed copy, the scan, the searchable PDF; then their pages."""
    papers = sorted(rows["components"], key=lambda row: (row["ordinal"], row["scanned_at"]))
    for row in papers:
        name = codes.copy_filename(code, row["ordinal"])
        replaced = f"thay-the/{row['id']}/" if row["state"] == "replaced" else ""
        if row["copy_sha256"]:
            yield f"ban-so-hoa/{replaced}{name}", row["copy_sha256"]
        yield f"ban-quet/{replaced}{name.removesuffix('.pdf')}", row["scan_sha256"]
        if row["searchable_sha256"]:
            yield f"tim-duoc-chu/{replaced}{name}", row["searchable_sha256"]
    ordinal_of = {row["id"]: f"{row['ordinal']:03d}-{row['id'][:8]}" for row in papers}
    for row in rows["pages"]:
        for what in ("picture", "thumbnail", "words"):
            if row[f"{what}_sha256"]:
                yield f"trang/{ordinal_of[row['component_id']]}-{row['number']:04d}-{what}", row[f"{what}_sha256"]


def _write_json(path: Path, said: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8", newline="\n")
