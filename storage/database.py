"""PostgreSQL: a pool of connections, and the one transaction a use case works in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from dossiers.holds import Held
from dossiers.types import Changed
from storage.accounts import PostgresAccounts, PostgresLimits
from storage.amendments import PostgresAmendments
from storage.annexes import PostgresAnnexes
from storage.archive import PostgresArchive
from storage.audit import PostgresAudit
from storage.batches import PostgresBatches
from storage.catalogue import PostgresAgencies, PostgresProcedures
from storage.certificates import PostgresCertificates, PostgresTrustMaterial
from storage.components import PostgresComponents, PostgresRegister
from storage.connection import KEEPALIVE, PATIENCE_S, SERVER_KEEPALIVE, DatabaseUnavailable
from storage.dossiers import PostgresDossiers
from storage.e_results import PostgresEResults
from storage.figures import PostgresFigures
from storage.fixity import PostgresKeptObjects
from storage.holds import HELD_STATE, PostgresHolds
from storage.own_templates import PostgresOwnTemplates
from storage.parcels import PostgresDesks, PostgresParcels, PostgresPhoneLinks
from storage.queue import PostgresJobs
from storage.retention import PostgresRetention
from storage.search import PostgresSearch
from storage.signing_links import PostgresSigningLinks
from storage.transfers import PostgresTransfers
from storage.verdict_reports import PostgresVerdictReports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dossiers.ports import Begin

__all__ = ["Database", "DatabaseUnavailable", "PostgresUnitOfWork"]

#: Times come back in UTC. Nobody waits for ever for a row, nor holds one while away. To compile a question takes longer
#: than any of ours takes to answer.
_SESSION = {
    "TimeZone": "UTC",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    **SERVER_KEEPALIVE,
}

#: Another transaction was in the way: deadlock, serialization failure, a lock not given in time.
_TRY_AGAIN = frozenset({"40P01", "40001", "55P03"})


class PostgresUnitOfWork:
    """`dossiers.ports.UnitOfWork`: everything the office keeps, over one connection in one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self.agencies = PostgresAgencies(connection)
        self.procedures = PostgresProcedures(connection)
        self.accounts = PostgresAccounts(connection)
        self.limits = PostgresLimits(connection)
        self.certificates = PostgresCertificates(connection)
        self.trust = PostgresTrustMaterial(connection)
        self.dossiers = PostgresDossiers(connection)
        self.components = PostgresComponents(connection)
        self.transfers = PostgresTransfers(connection)
        self.parcels = PostgresParcels(connection)
        self.desks = PostgresDesks(connection)
        self.phone_links = PostgresPhoneLinks(connection)
        self.own_templates = PostgresOwnTemplates(connection)
        self.e_results = PostgresEResults(connection)
        self.annexes = PostgresAnnexes(connection)
        self.batches = PostgresBatches(connection)
        self.signing_links = PostgresSigningLinks(connection)
        self.verdict_reports = PostgresVerdictReports(connection)
        self.register = PostgresRegister(connection)
        self.audit = PostgresAudit(connection)
        self.amendments = PostgresAmendments(connection)
        self.archive = PostgresArchive(connection)
        self.objects = PostgresKeptObjects(connection)
        self.holds = PostgresHolds(connection)
        self.retention = PostgresRetention(connection)
        self.search = PostgresSearch(connection)
        self.jobs = PostgresJobs(connection)
        self.figures = PostgresFigures(connection)

    def flush(self) -> None:
        """Write what was saved up for the end: jobs, then the audit log, whose end is held until the commit."""
        self.jobs.flush()
        self.audit.flush()


class Database:
    """A pool of connections to one PostgreSQL. Safe for threads; make one in each process and close it.

    Args:
        dsn: As libpq knows it, a URL or "host=… dbname=…".
        pool_size: Connections kept open; twice as many more are opened when needed.
    """

    def __init__(self, dsn: str, *, pool_size: int = 5) -> None:
        self._dsn = dsn
        self._engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=pool_size,
            max_overflow=2 * pool_size,
            pool_timeout=PATIENCE_S,
            pool_pre_ping=True,
            hide_parameters=True,  # an error is logged sooner or later, and a row is somebody's
        )

    @contextmanager
    def begin(self) -> Iterator[PostgresUnitOfWork]:
        """One transaction: leaving the block commits everything, jobs included; an exception takes everything back.

        Raises:
            DatabaseUnavailable: The server didn't answer, or went away before the commit.
            Changed: Another transaction was in the way for too long.
        """
        with _vendor_errors_translated(), self._engine.begin() as connection:
            work = PostgresUnitOfWork(connection)
            yield work
            work.flush()

    def probe(self) -> None:
        """Ask the server for a sign of life.

        Raises:
            DatabaseUnavailable: There is none.
        """
        with _vendor_errors_translated(), self._engine.connect() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _connect(self) -> psycopg.Connection:
        # Never prepared: a plan made for any phrase at all took minutes where one for "ủy ban nhân dân" takes 0.6 s.
        connection = psycopg.connect(self._dsn, prepare_threshold=None, **KEEPALIVE)
        for name, value in _SESSION.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        connection.commit()
        return connection


@contextmanager
def _vendor_errors_translated() -> Iterator[None]:
    """The one door through which database errors leave, as something a caller can act on."""
    try:
        yield
    except PoolExhausted as error:
        raise DatabaseUnavailable("no database connection became free") from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _TRY_AGAIN:
            raise Changed("có người khác đang thay đổi; làm lại sau giây lát") from error
        if state == HELD_STATE:
            raise Held("the database refused to delete what is under legal hold") from error
        if error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError):
            raise DatabaseUnavailable("the database didn't answer") from error
        raise
    except ConnectorException as error:  # a job goes past SQLAlchemy
        raise DatabaseUnavailable("the database didn't answer") from error


if TYPE_CHECKING:

    def _is_what_the_office_asks_for(database: Database) -> Begin:
        return database.begin
