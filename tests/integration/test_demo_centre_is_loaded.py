"""The demo centre in a real database: loaded whole, and a second time without touching what people have changed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.demo import centre
from storage.database import Database

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def database(migrated_dsn: str) -> Iterator[Database]:
    database = Database(migrated_dsn)
    yield database
    database.close()


def load(database: Database, *, word: str = "hash") -> None:
    centre.load(database.begin, hash_password=lambda password: f"{word} of {password}", now=NOW)


def test_the_demo_centre_is_loaded_whole(database: Database) -> None:
    load(database)
    with database.begin() as work:
        assert {agency.code for agency in work.agencies.all()} == {agency.code for agency in centre.CENTRE.agencies}
        assert set(work.procedures.all()) == set(centre.CENTRE.procedures)
        for login in centre.LOGINS:
            account = work.accounts.of(login.username)
            assert (account.name, account.roles, account.agency) == (login.name, login.roles, login.agency)
            assert account.password_hash == f"hash of {centre.PASSWORD}"


def test_loading_it_again_leaves_what_people_have_changed(database: Database) -> None:
    load(database)
    with database.begin() as work:
        account = work.accounts.of(centre.CLERK)
        work.accounts.keep(replace(account, password_hash="her own", active=False))
        work.agencies.keep(replace(work.agencies.of(centre.HONG_GAI), phone="0203 999 999"))
    load(database, word="another hash")
    with database.begin() as work:
        assert work.accounts.of(centre.CLERK).password_hash == "her own"
        assert work.accounts.of(centre.LEADER).password_hash == f"hash of {centre.PASSWORD}"
        assert work.agencies.of(centre.HONG_GAI).phone == "0203 999 999"
        assert len(work.agencies.all()) == len(centre.CENTRE.agencies)


def test_what_is_missing_is_added_to_what_is_there(database: Database) -> None:
    with database.begin() as work:
        work.agencies.keep(replace(centre.CENTRE.agencies[0], name="Tên do người quản trị đặt"))
    load(database)
    with database.begin() as work:
        assert work.agencies.of(centre.PROVINCE).name == "Tên do người quản trị đặt"
        assert work.agencies.of(centre.CO_TO).parent == centre.PROVINCE
        assert work.audit.first_break() is None
