"""Settings become services: built once, passed on, closed once. Nothing else reads the settings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from api import settings as settings_module
from api.key_folder import KeyFolder
from api.pin_desk import PinCounter
from api.settings import BadSettings
from api.work_folder import WorkFolder
from digitize.load import Limits
from dossiers.calendar import WorkCalendar
from dossiers.fixity import FixityDesk
from dossiers.holds import HoldDesk
from dossiers.log_stamps import LogDesk
from dossiers.ports import StoreUnavailable
from dossiers.renewal import RenewalDesk
from dossiers.retention import RetentionDesk
from dossiers.signatures import SigningDesk
from signing import hosts
from signing.isolation import Judges
from signing.typeface import TypefaceUnfit, in_folder
from storage.database import Database
from storage.object_cache import CachedObjects
from storage.objects import MinioObjectStore
from storage.vault import S3Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from api.settings import Settings
    from dossiers.ports import Begin, ObjectStore, Vault
    from signing.typeface import Typeface
    from signing.types import Profile
    from storage.capabilities import Capabilities


#: Room for scans whose pages are being read: ten of the largest.
_CACHE_BYTES = 2_000_000_000


def utc_now() -> datetime:
    """The time, aware. Pages show it in Vietnam's zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """What the web, a worker and the command line work with.

    Attributes:
        vault: The store as whoever looks after it sees it.
        archive_store: The store without the cache before it. second_store: Where second copies are kept, or None.
        fixity: Within which every object is read again.
        retention_years: How long dossiers are kept whose procedure says nothing; 0 for ever.
        work_folder: For files in transit, on a disk that keeps them.
        base_url: Where people reach the service.
        verify_url: Where a QR code leads, without the code itself.
        judges: Who say what strangers' files are worth; each a process of its own, started when first asked.
        capabilities: What the store was seen to do, by its self-test.
        signing_tool_urls: Where a page looks for the signer's desktop tool, on the signer's own computer.
        secret: Seals download tickets.
        typeface: The centre's own, or None.
        reports_by: Agency whose seal signs reports of checks; "" offers none.
        metrics_token: What a Prometheus server shows; "" gives no figures.
        conversion_words: What marks a digitised copy as converted from paper.
    """

    database: Database
    begin: Begin
    store: ObjectStore
    vault: Vault
    archive_store: ObjectStore
    second_store: MinioObjectStore | None
    fixity: timedelta
    retention_years: int
    capabilities: Capabilities
    close_store: Callable[[], None]
    calendar: WorkCalendar
    limits: Limits
    max_verification_bytes: int
    judges: Judges
    work_folder: WorkFolder
    base_url: str
    verify_url: str
    secret: bytes
    tsa_urls: tuple[str, ...]
    hosts: Mapping[str, str]
    signature_profile: Profile
    signing_tool_urls: tuple[str, ...]
    keys_folder: Path
    dsn: str
    in_production: bool
    typeface: Typeface | None
    conversion_words: str
    reports_by: str
    metrics_token: str

    @property
    def work_dir(self) -> Path:
        """For files in transit."""
        return self.work_folder.path

    @property
    def pins(self) -> PinCounter:
        """Where a leader's PIN is handed to the signing worker."""
        return PinCounter(self.keys_folder)

    def close(self) -> None:
        """Give back connections, and end the judges."""
        self.judges.close()
        self.close_store()
        if self.second_store is not None:
            self.second_store.close()
        self.database.close()
        self.work_folder.close()

    def refuse_demo_trust(self) -> None:
        """In production, refuse to serve or work over a database that once trusted a demo trust service.

        Raises:
            BadSettings: It did.
        """
        if self.in_production:
            with self.begin() as work:
                if work.trust.holds_demo():
                    raise BadSettings(
                        "Cơ sở dữ liệu này có chứng thư DEMO, không dùng để vận hành thật được. Tạo cơ sở dữ liệu mới "
                        "bằng hoso init. (This database trusts a demo trust service.)"
                    )

    def renewal_desk(self) -> RenewalDesk:
        """What renewing evidence works with; no key among it."""
        return RenewalDesk(self.begin, self.store, self.tsa_urls, self.work_dir, self.hosts)

    def log_desk(self) -> LogDesk:
        """What stamping the audit log works with; no key among it."""
        return LogDesk(self.begin, self.vault, self.tsa_urls, self.hosts)

    def fixity_desk(self) -> FixityDesk:
        """What checking every object works with."""
        if self.second_store is not None:
            with suppress(StoreUnavailable):  # its bucket is made when it answers
                self.second_store.prepare()
        second_vault = S3Vault(self.second_store) if self.second_store is not None else None
        return FixityDesk(
            self.begin, self.archive_store, self.vault, self.second_store, self.fixity, self.work_dir, second_vault
        )

    def hold_desk(self) -> HoldDesk:
        """What keeping dossiers under legal hold works with."""
        return HoldDesk(self.begin, self.vault)

    def retention_desk(self) -> RetentionDesk:
        """What keeping finished dossiers locked for their period works with."""
        return RetentionDesk(self.begin, self.vault, self.retention_years)

    def signing_desk(self, keys: KeyFolder | None = None) -> SigningDesk:
        """What the one signing worker works with; nobody else asks for it.

        Args:
            keys: With the tokens that are open; by default none is.
        """
        outbox = self.keys_folder / "outbox"
        outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        return SigningDesk(
            begin=self.begin,
            store=self.store,
            keys=keys or KeyFolder(self.keys_folder),
            tsa_urls=self.tsa_urls,
            outbox=outbox,
            hosts=self.hosts,
            typeface=self.typeface,
        )


def wire(settings: Settings | None = None) -> Services:
    """Build everything from `settings`, or from those of the environment."""
    settings = settings or settings_module.read()
    if not settings.database or not settings.s3_endpoint:
        raise BadSettings(
            "Cơ sở dữ liệu hoặc kho tệp chưa chạy; hãy chạy `hoso up`, hoặc đặt HOSO_DATABASE và HOSO_S3_ENDPOINT. "
            "(The database or the object store isn't running, and none is named.)"
        )
    database = Database(settings.database)
    s3 = MinioObjectStore(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
        settings.s3_bucket,
        secure=settings.s3_secure,
        region=settings.s3_region,
        on_disk=settings.s3_folder,
    )
    able = s3.prepare()
    if settings.needs_lock and not (able.enforced and able.firm):
        s3.close()
        database.close()
        raise BadSettings(
            f"Kho S3 không giữ được tệp khỏi bị xóa ({'lock_shortened' if able.enforced else able.reason}), nên chưa "
            "khởi động. Dùng kho có object lock; HOSO_WORM=preferred thì chạy không có khóa. "
            "(The store's object lock failed its self-test.)"
        )
    work_folder = WorkFolder(settings.data / "work")
    return Services(
        database=database,
        begin=database.begin,
        store=CachedObjects(s3, work_folder.cache, limit_bytes=_CACHE_BYTES),
        vault=S3Vault(s3),
        archive_store=s3,
        second_store=second_store(settings),
        fixity=timedelta(days=settings.fixity_days),
        retention_years=settings.retention_years,
        capabilities=able,
        close_store=s3.close,
        calendar=WorkCalendar.load(settings.holidays),
        limits=Limits(
            max_bytes=settings.max_upload_mb * settings_module.MEGABYTE,
            max_pages=settings.max_pages,
            max_pixels=settings.max_page_megapixels * 1_000_000,
        ),
        max_verification_bytes=settings.max_verification_mb * settings_module.MEGABYTE,
        judges=Judges(settings.judges),
        work_folder=work_folder,
        base_url=settings.base_url,
        verify_url=f"{settings.base_url}/kiem-tra",
        secret=settings.service_secret.get_secret_value().encode(),
        tsa_urls=settings.tsa_urls,
        hosts=hosts.read(settings.host_map),
        signature_profile=settings.signature_profile,
        signing_tool_urls=settings.signing_tool_urls,
        keys_folder=settings.keys_folder,
        dsn=settings.database,
        in_production=not settings.is_demo,
        typeface=_typeface(settings.typeface),
        conversion_words=settings.conversion_words,
        reports_by=settings.reports_by,
        metrics_token=settings.metrics_token.get_secret_value(),
    )


def second_store(settings: Settings) -> MinioObjectStore | None:
    """Where second copies are kept; it is reached when it is first used, and may be down meanwhile."""
    if not settings.replica_endpoint:
        return None
    return MinioObjectStore(
        settings.replica_endpoint,
        settings.replica_access_key,
        settings.replica_secret_key.get_secret_value(),
        settings.replica_bucket,
        secure=settings.replica_secure,
        region=settings.s3_region,
    )


def _typeface(folder: Path | None) -> Typeface | None:
    """The centre's own typeface.

    Raises:
        BadSettings: Documents can't be set in it; never is another one taken instead.
    """
    try:
        return in_folder(folder) if folder else None
    except TypefaceUnfit as unfit:
        raise BadSettings(f"HOSO_TYPEFACE: {unfit}") from unfit
