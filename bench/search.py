"""Full text over many generated pages, in a PostgreSQL of its own: time to the first 50 hits, size of the index.

    .venv/bin/python -m bench.search [--pages 1000000] [--agencies 30] [--without-peer]

Pages are put together by a seed from official phrases, names, addresses and numbers, in dossiers of many agencies over
three years, four pages each; three in ten dossiers are one big centre's. They lie in no order of time, which is worse
than what grows day by day. Each page has a number and an applicant of its own. Asked within one agency and one year,
of a commune and of the big centre: a page's number and its applicant, with and without accents; a phrase of one page in
fifty; phrases on every page; words that stand on nearly every page but never side by side; and what is nowhere.

The peer is what one would write first, and what stood here before: a GIN index of the words of each page in each form
(stored vectors, not made at every question), the join and the conditions in one statement, the newest first. Times are
wall times of single questions at the caller, which on a busy machine are longer than they need be; beside them the
processor seconds of the question at the server and here.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from api.embedded import postgres
from bench import paper_words
from dossiers.types import Actor, Agency, AgencyKind, Procedure, Role, Within
from storage.database import Database
from storage.migrations import migrate
from storage.words import folded, page_marks, phrase_query, vector, written

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
_BODIES = 8_000
_PHRASES_OF_PAGE = 25
_YEARS = (2024, 2025, 2026)
_PAGES_OF_DOSSIER = 4
_SHARE_OF_THE_BIG = 0.3
_ASKED = 40
_ASKED_OF_PEER = 8
_PEERS_PATIENCE_S = 30
_CLOCK_TICKS = 100  # a second, of /proc/*/stat

# As `page_index.note_page` notes a page; here all at once.
_LAY_OUT = """
INSERT INTO pages (id, component_id, number, state, text, flags, measured, corrections, attempts, looks, trouble,
    reviewed_by, written, folded)
SELECT t.id, t.component_id, t.number, 'read', b.text || ' ' || t.text, '{}', '{}', '{}', 0, 0, '', '',
    b.written || t.written, b.folded || t.folded
FROM tails t JOIN bodies b ON b.id = t.body;
INSERT INTO page_index (page_id, dossier_id, opened_at, places, marks)
SELECT t.id, d.id, d.opened_at,
    ARRAY[d.receiving, d.receiving || '/' || to_char(timezone('Asia/Ho_Chi_Minh', d.opened_at), 'YYYY'), ':1.0'],
    b.marks || t.marks
FROM tails t JOIN bodies b ON b.id = t.body JOIN components c ON c.id = t.component_id
    JOIN dossiers d ON d.id = c.dossier_id;
"""
_PEER = """
SELECT d.id, d.code, c.id, c.name, p.number, p.text FROM pages p JOIN components c ON c.id = p.component_id
JOIN dossiers d ON d.id = c.dossier_id
WHERE {condition} AND d.receiving = %(agency)s AND d.opened_at >= '2025-01-01'
    AND d.opened_at < '2026-01-01' AND c.state <> 'replaced'
ORDER BY d.opened_at DESC, d.id, c.ordinal, p.number LIMIT 50
"""


def main() -> None:
    """Generate, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--agencies", type=int, default=30)
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hoso-search-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        options = {
            "fsync": "off",
            "shared_buffers": "1GB",
            "maintenance_work_mem": "1GB",
            "max_wal_size": "8GB",
            "autovacuum": "off",
        }
        dsn = postgres.start(folder / "postgres", options=options)
        try:
            migrate(dsn)
            codes = [f"000.00.{number:02d}.H99" for number in range(1, given.agencies + 1)]
            _fill(dsn, given.pages, codes)
            for title, agency in (("a commune", codes[-1]), ("the big centre", codes[0])):
                _ask(dsn, f"{title}, one year of {given.pages} pages", agency)
            if not given.without_peer:
                _index_for_peer(dsn)
                for title, agency in (("a commune", codes[-1]), ("the big centre", codes[0])):
                    _ask(dsn, f"{title} · peer", agency, peer=True)
        finally:
            postgres.stop(folder / "postgres")


def _fill(dsn: str, pages: int, codes: list[str]) -> None:
    chance = random.Random(6)  # noqa: S311  no secret
    database = Database(dsn)
    with database.begin() as work:
        for code in codes:
            work.agencies.keep(Agency(code, f"Trung tâm {code}", AgencyKind.COMMUNE))
        work.procedures.keep(Procedure("1.0", "Thủ tục", (), 1, "Kết quả", "QĐ"))
    database.close()
    began = time.perf_counter(), time.process_time()
    with psycopg.connect(dsn) as connection:
        # As the migrations leave them, but built once all is there.
        connection.execute("DROP INDEX page_index_found_by")
        connection.execute("ALTER TABLE pages DROP CONSTRAINT pages_component_id_fkey")
        connection.execute("ALTER TABLE page_index DROP CONSTRAINT page_index_page_id_fkey")
        connection.execute("ALTER TABLE page_index DROP CONSTRAINT page_index_dossier_id_fkey")
        connection.execute(
            "CREATE UNLOGGED TABLE bodies (id int, text text, written tsvector, folded tsvector, marks int[])"
        )
        connection.execute(
            "CREATE UNLOGGED TABLE tails (id uuid, component_id uuid, number int, body int, text text, "
            "written tsvector, folded tsvector, marks int[])"
        )
        papers = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(-(-pages // _PAGES_OF_DOSSIER))]
        _copy(connection, "bodies", _bodies(chance))
        _copy(connection, "dossiers", _dossiers(chance, codes, papers))
        _copy(connection, "components", _components(papers))
        _copy(connection, "tails", _tails(chance, papers, pages))
        connection.execute("ANALYZE bodies, tails")
        connection.execute(_LAY_OUT)
        connection.execute("DROP TABLE bodies, tails")
        connection.commit()
        wall, ours = time.perf_counter() - began[0], time.process_time() - began[1]
        print(f"{pages} pages laid out in {wall:.0f} s, {ours:.0f} processor seconds of ours", flush=True)
        indexed = time.perf_counter()
        connection.execute(
            "CREATE INDEX page_index_found_by ON page_index USING gin (places, marks) WITH (fastupdate = off)"
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        print(f"indexed and analysed in {time.perf_counter() - indexed:.0f} s")
        _tell_sizes(connection)


def _tell_sizes(connection: psycopg.Connection) -> None:
    for what, size in (
        ("the index", "pg_relation_size('page_index_found_by')"),
        ("its table, beside", "pg_table_size('page_index')"),
        ("pages with texts and vectors", "pg_table_size('pages')"),
        ("texts alone", "(SELECT sum(octet_length(text)) FROM pages)"),
        ("words of a page", "(SELECT avg(length(written)) FROM pages TABLESAMPLE SYSTEM (1))"),
        ("marks of a page", "(SELECT avg(cardinality(marks)) FROM page_index TABLESAMPLE SYSTEM (1))"),
    ):
        row = connection.execute(f"SELECT {size}").fetchone()
        value = float(row[0]) if row else 0.0
        print(f"  {what:<32} {value / 1e6:10.1f} MB" if value > 1e5 else f"  {what:<32} {value:10.1f}", flush=True)


def _bodies(chance: random.Random) -> Iterator[dict[str, object]]:
    for number in range(_BODIES):
        parts = [chance.choice(_PARTS) for _ in range(_PHRASES_OF_PAGE)]
        for _ in range(2):
            province, commune = paper_words.place(chance)
            person = paper_words.person(chance)
            parts.append(f"{person.name} {person.number} {paper_words.address(chance, province, commune)}")
            parts.append(paper_words.subject(chance, commune, pieces=chance.randint(1, 4)))
        parts += [*paper_words.legal_bases(chance, 2), chance.choice(paper_words.BODY)]
        chance.shuffle(parts)
        # On every page, as on real ones.
        text = "Ủy ban nhân dân. " + ". ".join(parts) + ". Họ và tên"
        yield {
            "id": number, "text": text, "written": vector(written(text)), "folded": vector(folded(text)),
            "marks": page_marks(text),
        }  # fmt: skip


def _dossiers(chance: random.Random, codes: list[str], ids: list[uuid.UUID]) -> Iterator[dict[str, object]]:
    for number, id_ in enumerate(ids):
        year = chance.choice(_YEARS)
        agency = codes[0] if chance.random() < _SHARE_OF_THE_BIG else chance.choice(codes[1:])
        opened = datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(500_000))
        yield {
            "id": id_, "code": f"{agency}-{number}", "lookup_code": str(number), "procedure": "1.0",
            "applicant_name": "Nguyễn Văn Mẫu", "applicant_id_number": "", "applicant_phone": "",
            "applicant_address": "", "receiving": agency, "competent": agency, "paper_at": agency,
            "state": "returned", "opened_by": "a", "opened_at": opened, "note": "", "paper_note": "", "version": 1,
        }  # fmt: skip


def _components(papers: list[uuid.UUID]) -> Iterator[dict[str, object]]:
    """One for each dossier, with its id."""
    for id_ in papers:
        yield {
            "id": id_, "dossier_id": id_, "ordinal": 1, "kind": "don", "name": "Đơn", "scan_sha256": "",
            "scan_size": 0, "scan_media_type": "", "filename": "a.pdf", "pages_total": _PAGES_OF_DOSSIER,
            "state": "digitized", "scanned_by": "a", "scanned_at": datetime(2026, 1, 1, tzinfo=UTC),
            "signed_scan": False, "revision": 0, "trouble": "", "keep_reason": "", "version": 1,
        }  # fmt: skip


def _tails(chance: random.Random, papers: list[uuid.UUID], pages: int) -> Iterator[dict[str, object]]:
    """What each page has of its own, behind its body."""
    for number in range(pages):
        text = f"Số {number}/QĐ-UB người đề nghị {paper_words.person(chance).name}"
        text += " đường Trần Quốc Nghiễn" if number % 50 == 0 else ""
        yield {
            "id": uuid.UUID(int=chance.getrandbits(128), version=4), "component_id": papers[number // 4],
            "number": number % 4 + 1, "body": chance.randrange(_BODIES), "text": text,
            "written": vector(["", *written(text)]), "folded": vector(["", *folded(text)]),
            "marks": page_marks(text),
        }  # fmt: skip


def _copy(connection: psycopg.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    with connection.cursor().copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy:
        copy.write_row(tuple(first.values()))
        for row in rows:
            copy.write_row(tuple(row.values()))


def _index_for_peer(dsn: str) -> None:
    began = time.perf_counter()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for form in ("written", "folded"):
            connection.execute(f"CREATE INDEX peer_{form} ON pages USING gin ({form})")
            row = connection.execute(f"SELECT pg_relation_size('peer_{form}')").fetchone()
            print(f"  peer's index of words {form:<10} {row[0] / 1e6 if row else 0:10.1f} MB")
        connection.execute("ANALYZE pages")
    print(f"indexed for the peer in {time.perf_counter() - began:.0f} s", flush=True)


def _questions(dsn: str, agency: str) -> dict[str, list[str]]:
    with psycopg.connect(dsn) as connection:
        lines = connection.execute(
            "SELECT split_part(p.text, 'Số ', -1) FROM page_index i JOIN pages p ON p.id = i.page_id "
            "WHERE i.places @> %s ORDER BY p.id LIMIT 5000",
            ([f"{agency}/2025"],),
        ).fetchall()
    tails = [row[0] for row in islice(lines, 0, None, max(1, len(lines) // _ASKED))][:_ASKED]
    numbers = [tail.split(" ")[0] for tail in tails]
    people = [tail.split(" người đề nghị ")[1].split(" đường ")[0] for tail in tails]
    return {
        "a page's number": numbers,
        "a page's number, no accents": [f"so {number.lower().replace('đ', 'd')}" for number in numbers],
        "a person's name": people,
        "a person's name, no accents": [" ".join(folded(name)) for name in people],
        "one page in fifty": ["đường Trần Quốc Nghiễn"] * _ASKED,
        "one page in fifty, no accents": ["tran quoc nghien"] * _ASKED,
        "on every page": ["ủy ban nhân dân", "họ và tên"] * (_ASKED // 2),
        "on every page, no accents": ["uy ban nhan dan", "ho va ten"] * (_ASKED // 2),
        "on most pages": ["quyền sử dụng đất", "chịu trách nhiệm", "đăng ký hộ kinh doanh", "năm sinh"] * (_ASKED // 4),
        "never side by side": ["nhân đất", "dân tên", "quyền số", "ban dat so"] * (_ASKED // 4),
        "a word that is nowhere": ["nghiễng", "khuynh diệp xanh"] * (_ASKED // 2),
    }


@dataclass
class _Asking:
    """One way to ask, and what it cost."""

    search: Callable[[str], int]
    server: psycopg.Connection

    def tell(self, name: str, phrases: list[str]) -> float:
        """Ask, and print one line; gives back p95 in milliseconds."""
        times, hits, late = [], 0, 0
        for phrase in phrases[:1]:
            self.search(phrase)  # what is asked first in the morning finds nothing in memory; not told here
        before = time.process_time() + server_seconds(self.server)
        for phrase in phrases:
            began = time.perf_counter()
            found = self.search(phrase)
            times.append((time.perf_counter() - began) * 1000)
            hits, late = hits + max(found, 0), late + (found < 0)
        spent = (time.process_time() + server_seconds(self.server) - before) / len(phrases) * 1000
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        told = f"  {name:<32} p50 {cuts[49]:8.1f}   p95 {cuts[94]:8.1f}   p99 {cuts[98]:8.1f} ms   cpu {spent:8.1f} ms"
        print(f"{told}   hits {hits / len(phrases):.1f}{f'   given up {late}' if late else ''}", flush=True)
        return cuts[94]


def server_seconds(server: psycopg.Connection) -> float:
    """Processor seconds of the server's processes that work for somebody, up to now."""
    pids = server.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
    spent = 0.0
    for (pid,) in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS
    return spent


def _ask(dsn: str, title: str, agency: str, *, peer: bool = False) -> None:
    actor = Actor(None, "a", "A", agency, frozenset({Role.CLERK}))
    within = Within(agency=agency, since=date(2025, 1, 1), until=date(2025, 12, 31))
    questions = _questions(dsn, agency)
    database = Database(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"SET statement_timeout = '{_PEERS_PATIENCE_S}s'")

        def ours(phrase: str) -> int:
            with database.begin() as work:
                return len(work.search.pages(actor, phrase, within=within))

        def words(phrase: str) -> int:
            found: list[Any] = []
            given = {
                "exact": phrase_query(written(phrase)),
                "rough": phrase_query(folded(phrase)),
                "agency": agency,
            }
            is_exact, is_rough = "p.written @@ %(exact)s::tsquery", "p.folded @@ %(rough)s::tsquery"
            for condition in (is_exact, f"{is_rough} AND NOT {is_exact}"):
                if len(found) < 50:
                    try:
                        found += connection.execute(_PEER.format(condition=condition), given).fetchall()
                    except psycopg.errors.QueryCanceled:
                        return -1
            return min(len(found), 50)

        asking = _Asking(words if peer else ours, connection)
        print(title)
        many = _ASKED_OF_PEER if peer else _ASKED
        worst = max(asking.tell(kind, phrases[:many]) for kind, phrases in questions.items())
        print(f"  slowest p95: {worst:.1f} ms", flush=True)
    database.close()


if __name__ == "__main__":
    main()
