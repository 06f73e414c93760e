"""Who owns the database can rewrite the log with fitting hashes; the stamps from outside tell all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from minio import Minio

from api import cli
from api.commands import audit as command
from api.doctor_archive import audit_log
from api.finding import State
from api.settings import Settings
from dossiers import anchors, log_stamps
from dossiers.log_stamps import LogDesk
from signing.types import SigningRefused
from storage.audit import GENESIS, line_hash
from storage.database import Database
from storage.vault import S3Vault
from tests.integration.kept_office import CENTRE, clerk_of, opened_store
from tests.pki import running_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import S3Settings
    from tests.pki import Pki

CLERK = clerk_of(CENTRE)
NOW = datetime.now(UTC)


class Kept:
    """A log of a few lines, stamped twice on different days."""

    def __init__(self, dsn: str, s3: S3Settings, pki: Pki) -> None:
        self.dsn, self.s3 = dsn, s3
        self.database = Database(dsn)
        self.store = opened_store(s3)
        self.vault = S3Vault(self.store, keep_stamps=timedelta(days=2))
        self.desk = LogDesk(self.database.begin, self.vault, (pki.trust.tsa_url,))
        anchors.install_demo(self.database.begin, [pki.trust.anchor_der], now=NOW)
        with self.database.begin() as work:
            for der in pki.trust.intermediates_der:
                work.trust.add_certificate(der, demo=True)
            for name in ("root", "issuing"):
                work.trust.keep_crl(f"http://{name}", pki.trust.crl(name), fetched_at=NOW)

    def write(self, lines: int) -> None:
        for number in range(lines):
            with self.database.begin() as work:
                work.audit.append(CLERK, "dossier.opened", f"subject-{number}", number=number)

    def stamp(self, now: datetime = NOW) -> log_stamps.Stamp | None:
        return log_stamps.stamp(self.desk, now=now)

    def wrong(self, *, recent: bool = False) -> list[tuple[str, int]]:
        found = log_stamps.verify(self.database.begin, self.vault, now=datetime.now(UTC), recent=recent)
        return [(one.code, one.sequence) for one in found.wrong]

    def rebuild(self, change: str, *, drop_stamps: bool = False) -> None:
        """What the owner of the database can do: change lines, then compute every hash and the end anew."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only")
            connection.execute(change)  # type: ignore[arg-type]
            if drop_stamps:
                connection.execute("DELETE FROM audit_log WHERE event = 'audit.stamped'")
            found = connection.execute("SELECT * FROM audit_log ORDER BY sequence")
            names = [column.name for column in found.description or ()]
            lines = [dict(zip(names, row, strict=True)) for row in found]
            connection.execute("DELETE FROM audit_log")
            previous = GENESIS
            for sequence, line in enumerate(lines, start=1):
                line |= {"sequence": sequence, "previous_hash": previous}
                line["hash"] = previous = line_hash(line)
                columns, places = ", ".join(f'"{name}"' for name in line), ", ".join(f"%({name})s" for name in line)
                connection.execute(f"INSERT INTO audit_log ({columns}) VALUES ({places})", line)  # type: ignore[arg-type]  # noqa: S608
            connection.execute("UPDATE audit_head SET sequence = %s, hash = %s", (len(lines), previous))
            connection.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_append_only")

    @property
    def settings(self) -> Settings:
        return Settings(
            database=self.dsn,
            s3_endpoint=self.s3.endpoint,
            s3_access_key=self.s3.access_key,
            s3_secret_key=self.s3.secret_key,  # type: ignore[arg-type]
            s3_bucket=self.s3.bucket,
            s3_secure=self.s3.secure,
        )


@pytest.fixture
def kept(migrated_dsn: str, s3_settings: S3Settings, pki: Pki) -> Iterator[Kept]:
    kept = Kept(migrated_dsn, s3_settings, pki)
    kept.write(4)
    yield kept
    kept.store.close()
    kept.database.close()


def test_the_head_is_stamped_once_a_day_and_only_when_something_happened(kept: Kept) -> None:
    made = kept.stamp()
    assert made is not None
    assert kept.stamp() is None  # today's is made
    assert kept.stamp(NOW + timedelta(days=1)) is None  # nothing has happened but the stamp itself
    kept.write(1)
    again = kept.stamp(NOW + timedelta(days=1))
    assert again is not None
    assert again.sequence == made.sequence + 2
    verdict = log_stamps.verify(kept.database.begin, kept.vault, now=datetime.now(UTC))
    assert (verdict.wrong, verdict.stamps, verdict.lines) == ((), 2, again.sequence + 1)
    assert verdict.proven is not None
    assert verdict.proven[0] == again.sequence
    with kept.database.begin() as work:  # anybody can check it: the token is over the hash itself
        assert work.audit.hashes([made.sequence]) == {made.sequence: made.hash}


@pytest.mark.parametrize(
    ("change", "drop_stamps", "found"),
    [
        ("UPDATE audit_log SET actor = 'forger' WHERE subject = 'subject-0'", False, "rewritten"),
        ("UPDATE audit_log SET actor = 'forger' WHERE subject = 'subject-0'", True, "rewritten"),
        ("DELETE FROM audit_log WHERE subject = 'subject-2'", True, "rewritten"),
        ("DELETE FROM audit_log WHERE subject <> 'subject-0'", True, "cut_short"),
        ("DELETE FROM audit_log", True, "cut_short"),
    ],
)
def test_a_log_rewritten_with_fitting_hashes_is_found_out(
    kept: Kept, change: str, found: str, *, drop_stamps: bool
) -> None:
    made = kept.stamp()
    assert made is not None
    kept.write(2)
    assert kept.wrong() == []
    kept.rebuild(change, drop_stamps=drop_stamps)
    with kept.database.begin() as work:
        assert work.audit.first_break() is None  # the chain alone sees nothing
    assert (found, made.sequence) in kept.wrong()
    assert (found, made.sequence) in kept.wrong(recent=True)  # nor does the doctor's short look miss it


def test_a_line_changed_without_its_hash_is_named(kept: Kept) -> None:
    kept.stamp()
    kept.write(3)
    with psycopg.connect(kept.dsn) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_append_only")
        connection.execute(
            "UPDATE audit_log SET actor = 'forger' WHERE sequence = (SELECT max(sequence) FROM audit_log)"
        )
        connection.execute("ALTER TABLE audit_log ENABLE TRIGGER audit_log_is_append_only")
        row = connection.execute("SELECT max(sequence) FROM audit_log").fetchone()
    assert row is not None
    assert kept.wrong() == kept.wrong(recent=True) == [("broken", row[0])]


def test_a_stamp_hidden_in_the_store_is_read_all_the_same(kept: Kept) -> None:
    made = kept.stamp()
    assert made is not None
    client = Minio(kept.s3.endpoint, kept.s3.access_key, kept.s3.secret_key, secure=kept.s3.secure)
    (name,) = [one.object_name for one in client.list_objects(kept.s3.bucket, prefix="log-stamps/", recursive=True)]
    client.remove_object(kept.s3.bucket, str(name))  # a delete marker: all that a locked version allows
    assert list(client.list_objects(kept.s3.bucket, prefix="log-stamps/", recursive=True)) == []
    assert kept.wrong() == []
    kept.rebuild("DELETE FROM audit_log", drop_stamps=True)
    assert kept.wrong() == [("cut_short", made.sequence)]


def test_a_stamp_that_proves_nothing_is_not_taken_for_a_proof(kept: Kept, pki: Pki) -> None:
    made = kept.stamp()
    assert made is not None
    forged = made.written() | {"sequence": made.sequence, "hash": "ab" * 32}
    kept.vault.keep_log_stamp("forged", json.dumps(forged).encode())
    kept.vault.keep_log_stamp("noise", b"\xff not json")
    assert sorted(kept.wrong()) == [("stamp_bad", made.sequence), ("stamp_unreadable", 0)]
    assert pki.trust.anchor_der


def test_a_token_by_a_stranger_is_not_kept(kept: Kept, tmp_path: Path) -> None:
    with running_pki(tmp_path / "stranger", [], organization="Dịch vụ lạ") as stranger:
        desk = LogDesk(kept.database.begin, kept.vault, (stranger.trust.tsa_url,))
        with pytest.raises(SigningRefused, match="không kiểm tra được"):
            log_stamps.stamp(desk, now=NOW)
    assert kept.vault.log_stamps() == []
    assert kept.stamp() is not None


def test_the_command_and_the_doctor_say_it_in_words(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, pki: Pki
) -> None:
    settings = kept.settings.model_copy(update={"data": tmp_path, "tsa_urls": (pki.trust.tsa_url,)})
    monkeypatch.setattr("api.settings.read", lambda: settings)

    assert cli.main(["audit", "verify"]) == command.UNPROVEN
    assert "chưa có dấu thời gian" in capsys.readouterr().out
    (finding,) = audit_log(settings)
    assert finding.state is State.DOUBTFUL

    kept.stamp()  # by a short lock; the command itself would lock for years
    assert cli.main(["audit", "stamp"]) == 0
    assert "Hôm nay đã đóng dấu" in capsys.readouterr().out
    assert cli.main(["audit", "verify"]) == command.HOLDS
    assert "1 dấu thời gian đều khớp" in capsys.readouterr().out
    (finding,) = audit_log(settings)
    assert finding.state is State.GOOD

    kept.rebuild("DELETE FROM audit_log WHERE subject <> 'subject-0'", drop_stamps=True)
    assert cli.main(["audit", "verify"]) == command.WRONG
    said = capsys.readouterr().out
    assert "Nhật ký bị cắt ngắn: dòng" in said
    assert "Nhật ký KHÔNG đúng: 1 điểm sai" in said
    (finding,) = audit_log(settings)
    assert (finding.state, "cắt ngắn" in finding.vi) == (State.BAD, True)
