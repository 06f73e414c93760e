"""Full text over many generated pages, in a PostgreSQL of its own: time to the first 50 hits, size of the index.

    .venv/bin/python -m bench.search [--pages 200000] [--agencies 30]

Pages are put together from Vietnamese official phrases by a seed, in dossiers of many agencies over three years; each
has a number of its own. Asked within one agency and one year: a rare phrase (one page's number), a phrase of one page
in fifty, and phrases on every page. The peer is what one would write first: a GIN index over to_tsvector('simple',
text), which knows neither exact accents first nor đ, on the same rows and under the same conditions. Times are wall
times of single questions, which on a busy machine are longer than they need be; processor seconds of the server aren't
seen from here.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from api.embedded import postgres
from dossiers.types import Actor, Agency, AgencyKind, Procedure, Role, Within
from storage.database import Database
from storage.migrations import migrate
from storage.words import folded, vector, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PHRASES = """căn cứ Luật Tổ chức chính quyền địa phương|Ủy ban nhân dân phường Hồng Gai
cộng hòa xã hội chủ nghĩa Việt Nam
độc lập tự do hạnh phúc|giấy chứng nhận quyền sử dụng đất|quyền sở hữu nhà ở và tài sản khác gắn liền với đất
theo đề nghị của trưởng phòng|quyết định này có hiệu lực kể từ ngày ký|chịu trách nhiệm thi hành quyết định này
thửa đất số|tờ bản đồ số|diện tích|mục đích sử dụng|thời hạn sử dụng lâu dài|nguồn gốc sử dụng|đăng ký hộ kinh doanh
tình trạng hôn nhân|giấy khai sinh|họ và tên|ngày tháng năm sinh|nơi thường trú|số định danh cá nhân|hồ sơ gồm có
nơi nhận|lưu văn thư|chủ tịch ủy ban nhân dân|phó chủ tịch|đã ký và đóng dấu|kính gửi|đơn đề nghị
cam đoan những điều trên
là đúng sự thật|hoàn toàn chịu trách nhiệm trước pháp luật|mã số thuế|địa chỉ trụ sở|vốn kinh doanh|ngành nghề
biên bản họp"""
_PARTS = [part.strip() for part in _PHRASES.replace("\n", "|").split("|")]
_BODIES = 3_000
_PHRASES_OF_PAGE = 45
_YEARS = (2024, 2025, 2026)
_ASKED = 40


def main() -> None:
    """Generate, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200_000)
    parser.add_argument("--agencies", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hoso-search-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        dsn = postgres.start(folder / "postgres", options={"fsync": "off", "shared_buffers": "512MB"})
        try:
            migrate(dsn)
            _fill(dsn, given.pages, given.agencies)
            _ask(dsn, given.pages)
        finally:
            postgres.stop(folder / "postgres")


def _fill(dsn: str, pages: int, agencies: int) -> None:
    chance = random.Random(6)  # noqa: S311  no secret
    began = time.process_time()
    database = Database(dsn)
    codes = [f"000.00.{number:02d}.H99" for number in range(1, agencies + 1)]
    with database.begin() as work:
        for code in codes:
            work.agencies.keep(Agency(code, f"Trung tâm {code}", AgencyKind.COMMUNE))
        work.procedures.keep(Procedure("1.0", "Thủ tục", (), 1, "Kết quả", "QĐ"))
    database.close()
    bodies = []
    for _ in range(_BODIES):
        text = " ".join(chance.choice(_PARTS) for _ in range(_PHRASES_OF_PAGE))
        bodies.append((text, vector(written(text)), vector(folded(text))))
    with psycopg.connect(dsn) as connection:
        _copy(connection, "dossiers", _dossiers(chance, codes, pages))
        connection.execute(
            "INSERT INTO components (id, dossier_id, ordinal, kind, name, scan_sha256, scan_size, scan_media_type, "
            "filename, pages_total, state, scanned_by, scanned_at, signed_scan, revision, trouble, keep_reason, "
            "version) "
            "SELECT gen_random_uuid(), id, 1, 'don', 'Đơn', '', 0, '', 'a.pdf', 4, 'digitized', 'a', now(), false, 0, "
            "'', '', 1 FROM dossiers"
        )
        papers = [row[0] for row in connection.execute("SELECT id FROM components ORDER BY id")]
        _copy(connection, "pages", _pages(chance, papers, pages, bodies))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
    print(f"{pages} pages filled, {time.process_time() - began:.0f} processor seconds of ours")


def _dossiers(chance: random.Random, codes: list[str], pages: int) -> Iterator[dict[str, object]]:
    for number in range(max(1, pages // 4)):
        year, agency = chance.choice(_YEARS), chance.choice(codes)
        opened = datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(500_000))
        yield {
            "id": uuid.uuid4(), "code": f"{agency}-{number}", "lookup_code": str(number), "procedure": "1.0",
            "applicant_name": "Nguyễn Văn Mẫu", "applicant_id_number": "", "applicant_phone": "",
            "applicant_address": "", "receiving": agency, "competent": agency, "paper_at": agency,
            "state": "returned", "opened_by": "a", "opened_at": opened, "note": "", "paper_note": "", "version": 1,
        }  # fmt: skip


def _pages(
    chance: random.Random, papers: list[uuid.UUID], pages: int, bodies: list[tuple[str, str, str]]
) -> Iterator[dict[str, object]]:
    for number in range(pages):
        text, exact, rough = chance.choice(bodies)
        extra = f"Số {number}/QĐ-UB"
        extra += " đường Trần Quốc Nghiễn" if number % 50 == 0 else ""
        yield {
            "id": uuid.uuid4(), "component_id": papers[number // 4 % len(papers)], "number": number % 4 + 1,
            "state": "read", "text": f"{text} {extra}", "flags": "{}", "measured": "{}", "corrections": "{}",
            "attempts": 0, "looks": 0, "trouble": "", "reviewed_by": "",
            "written": f"{exact} {_shifted(written(extra))}", "folded": f"{rough} {_shifted(folded(extra))}",
        }  # fmt: skip


def _shifted(forms: list[str]) -> str:
    """The words of the page's last line, behind all others."""
    return " ".join(f"'{word}':{position}" for position, word in enumerate(forms, start=5_000))


def _copy(connection: psycopg.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    with connection.cursor().copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy:  # type: ignore[arg-type]
        copy.write_row(tuple(first.values()))
        for row in rows:
            copy.write_row(tuple(row.values()))


def _ask(dsn: str, pages: int) -> None:
    agency = "000.00.07.H99"
    actor = Actor(None, "a", "A", agency, frozenset({Role.CLERK}))
    within = Within(agency=agency, since=date(2025, 1, 1), until=date(2025, 12, 31))
    database = Database(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        size = "SELECT pg_size_pretty(pg_relation_size(%s::regclass))"
        for index in ("pages_written_idx", "pages_folded_idx"):
            print(index, connection.execute(size, (index,)).fetchone())
        print("pages", connection.execute("SELECT pg_size_pretty(pg_table_size('pages'))").fetchone())
        connection.execute("CREATE INDEX peer_idx ON pages USING gin (to_tsvector('simple', text))")
        connection.execute("ANALYZE pages")
        print("peer_idx", connection.execute(size, ("peer_idx",)).fetchone())
        own = [
            row[0]
            for row in connection.execute(
                "SELECT split_part(split_part(text, 'Số ', 2), '/', 1) FROM pages p JOIN components c "
                "ON c.id = p.component_id JOIN dossiers d ON d.id = c.dossier_id WHERE d.receiving = %s "
                "AND d.opened_at >= '2025-01-02' AND d.opened_at < '2025-12-30' ORDER BY p.id LIMIT %s",
                (agency, _ASKED),
            )
        ]

        def ours(phrase: str) -> int:
            with database.begin() as work:
                return len(work.search.pages(actor, phrase, within=within))

        def peer(phrase: str) -> int:
            return len(
                connection.execute(
                    "SELECT d.id, d.code, c.id, c.name, p.number, p.text FROM pages p JOIN components c "
                    "ON c.id = p.component_id JOIN dossiers d ON d.id = c.dossier_id "
                    "WHERE to_tsvector('simple', p.text) @@ phraseto_tsquery('simple', %s) AND d.receiving = %s "
                    "AND d.opened_at >= '2025-01-01' AND d.opened_at < '2026-01-01' AND c.state <> 'replaced' "
                    "ORDER BY d.opened_at DESC, d.id, c.ordinal, p.number LIMIT 50",
                    (phrase, agency),
                ).fetchall()
            )

        asked = {
            "rare: one page's number": [f"{number}/QĐ-UB" for number in own],
            "rare, without accents": [f"so {number}/qd-ub" for number in own],
            "one page in fifty": ["đường Trần Quốc Nghiễn", "tran quoc nghien"] * (_ASKED // 2),
            "common": ["ủy ban nhân dân", "họ và tên", "quyền sử dụng đất", "ngay thang nam sinh"] * (_ASKED // 4),
        }
        for kind, phrases in asked.items():
            for name, search in (("ours", ours), ("to_tsvector", peer)):
                _tell(f"{kind} · {name}", search, phrases)
    database.close()
    print(f"of {pages} pages, within one agency and one year")


def _tell(name: str, search: Callable[[str], int], phrases: list[str]) -> None:
    times, hits = [], 0
    for phrase in phrases:
        began = time.perf_counter()
        hits += search(phrase)
        times.append((time.perf_counter() - began) * 1000)
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{name:<42} median {statistics.median(times):8.1f} ms   p95 {p95:8.1f} ms   hits {hits}")


if __name__ == "__main__":
    main()
