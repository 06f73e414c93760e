"""What a page costs with one machine at work, with two and with four: processor seconds, all processes of a machine.

    .venv/bin/python -m bench.hosts [--hosts 1 2 4] [--pages 40]

The machines are those of `tests/machines.py`: a store room with PostgreSQL and S3, and hosts that reach it by TCP
alone, each with one reading worker and an empty disk. The same pages (A4, 200 dpi, colour, made up) are handed in for
every number of hosts, over a web on a machine of its own. Seconds are counted from the moment all workers are up until
the last paper is whole: looking, reading, assembling, and idling while others work. Needs root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.demo import centre
from api.sign_in import hash_password
from api.wiring import utc_now
from bench.sample_scan import sample_scan
from storage.database import Database
from storage.migrations import migrate
from tests.machines import Network, network, until

_FIVE = 5
_PATIENCE_S = 3600.0

_KEPT = """
select sum(scan_size), sum(searchable_size), (select sum(thumbnail_size) from pages),
    (select sum(picture_size) from pages), (select sum(words_size) from pages)
from components
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--pages", type=int, default=40)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paper = sample_scan(Path(folder))
    print(f"{given.pages} pages, {len(paper) / _FIVE / 1e3:.0f} kB each: processor seconds a page", flush=True)
    for hosts in given.hosts:
        with tempfile.TemporaryDirectory(prefix="hoso-lan-", ignore_cleanup_errors=True) as name:
            folder_of_all = Path(name)
            folder_of_all.chmod(0o711)
            with network(folder_of_all) as lan:
                _measure(lan, hosts, paper, given.pages)


def _measure(lan: Network, count: int, paper: bytes, pages: int) -> None:
    room = lan.store_room({})
    migrate(room.dsn)
    database = Database(room.dsn)
    centre.load(database.begin, hash_password=hash_password, now=utc_now())
    database.close()
    web = lan.host("web", room, "serve")
    desk = lan.desk()
    until(lambda: desk.is_up(web), within_s=_PATIENCE_S, what="web", lan=lan)
    who = {"username": centre.CLERK, "password": centre.PASSWORD}
    desk.token = desk.ask(web, "POST", "/session", json=who).json()["token"]

    def sql(query: str) -> list[tuple[int, ...]]:
        with psycopg.connect(room.dsn) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]

    size_before = sql("select pg_database_size('hoso')")[0][0]
    body = {"procedure": "2.000908", "applicant": {"name": "Nguyễn Thị Thử"}}
    dossier = desk.ask(web, "POST", "/dossiers", json=body).json()["id"]
    hosts = [lan.host(f"h{number}", room, "worker") for number in range(count)]
    until(lambda: len(sql("select id from procrastinate_workers")) == count, within_s=_PATIENCE_S, what="up", lan=lan)
    before = {host.name: host.cpu_s() for host in [*hosts, room.machine]}
    for _ in range(pages // _FIVE):
        file = ("x.pdf", paper + f"\n%{uuid.uuid4()}".encode(), "application/pdf")
        desk.ask(web, "POST", f"/dossiers/{dossier}/components", files={"file": file})
    done = "select 1 from components having count(*) = count(*) filter (where state = 'read')"
    until(lambda: sql(done), within_s=_PATIENCE_S, what="read", lan=lan)
    spent = {host.name: host.cpu_s() - before[host.name] for host in [*hosts, room.machine]}
    shared = {name: round(one, 1) for name, one in spent.items() if name != "store"}
    grown = (sql("select pg_database_size('hoso')")[0][0] - size_before) / pages / 1e3
    kept = sql(_KEPT)[0]
    print(
        f"  {count} hosts: {sum(shared.values()) / pages:.2f} (each {shared}), database and store "
        f"{spent['store'] / pages:.2f}; kB a page: database {grown:.0f}, scan, searchable PDF, small picture, cleaned "
        f"picture, words {[round(float(size) / pages / 1e3, 1) for size in kept]}",
        flush=True,
    )


if __name__ == "__main__":
    main()
