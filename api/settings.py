"""Every setting of the service: read once, from the environment (`HOSO_…`) and one file, then never changed.

The file is `hoso.env` in the working folder, or the one that HOSO_CONFIG names; the environment outranks it. Secrets
stay in files of mode 0600, and a setting names the file. `read` is for the programs; a test builds `Settings(...)` by
name and the environment has no say. What a person needs to know about each stands in its description: `hoso init`
writes it into the file, and docs/operations.md lists it (a test compares them).
"""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.embedded import postgres, s3
from signing import hosts
from signing.types import Profile

MEGABYTE = 1_000_000
_PREFIX = "HOSO_"
_SECRET_CHARACTERS = 32
_LOOPBACK = re.compile(r"wss?://(127\.0\.0\.1|localhost)(:\d{1,5})?")
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadSettings(Exception):
    """The service can't run with these settings; the message lists every reason at once."""


class Mode(StrEnum):
    """A centre to try, with a throw-away trust service and made-up people; or the real thing."""

    DEMO = "demo"
    PRODUCTION = "production"


class Worm(StrEnum):
    """Whether a store that can't hold objects against deletion is refused or reported."""

    REQUIRED = "required"
    PREFERRED = "preferred"


def default_data_folder() -> Path:
    """Where data go when nothing is said: for root a place that the database's service user can reach too."""
    if os.geteuid() == 0:
        return Path("/var/lib/hoso")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hoso"


#: A list, written with commas.
Words = Annotated[tuple[str, ...], NoDecode]


_DEMO_TRUST = "demo-trust"
_DEMO_TRUST_PORT = 8790


def _demo_trust_port(named: dict[str, Any]) -> int:
    """The port that certificates made in the data folder name for ever: `hoso demo` may have taken another one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        made_for = json.loads((named["data"] / _DEMO_TRUST / "service.json").read_text("utf-8"))
        return urlsplit(str(made_for["base_url"])).port or _DEMO_TRUST_PORT
    return _DEMO_TRUST_PORT


class Settings(BaseModel):
    """The settings of one instance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        Mode.DEMO, description="demo (bản dùng thử) hoặc production (vận hành thật). Which kind of instance this is."
    )
    data: Path = Field(
        default_factory=default_data_folder,
        description="Thư mục dữ liệu. Everything this machine keeps: embedded servers, keys, spool, logs.",
    )

    database: str = Field(
        "",
        description="Địa chỉ PostgreSQL (postgresql://…); để trống thì dùng bản kèm theo. Empty: the embedded server. "
        "Keep the password out of it: add ?passfile=FILE.",
    )
    s3_endpoint: str = Field(
        "", description="host:port của kho S3; để trống thì dùng bản kèm theo. Empty: the embedded server."
    )
    s3_access_key: str = Field("", description="Tên khóa truy cập S3. Access key.")
    s3_secret_key_file: Path | None = Field(
        None, description="Tệp (0600) chứa khóa bí mật S3. File of mode 0600 with the secret key."
    )
    s3_secret_key: SecretStr = Field(
        SecretStr(""), exclude=True, description="Khóa bí mật S3; nên để trong tệp. The secret key; better in a file."
    )
    s3_secure: bool = Field(default=True, description="Nối tới S3 bằng https. Reach S3 by https.")
    s3_region: str = Field("us-east-1", description="Vùng S3. S3 region.")
    s3_folder: Path | None = Field(
        None,
        description="Thư mục của kho S3 chạy trên chính máy này: cất tệp nào thì ghi hẳn xuống đĩa tệp ấy. Folder of "
        "an S3 server on this very machine that doesn't flush by itself; the embedded one's is known.",
    )
    s3_bucket: str = Field("hoso", description="Tên ngăn chứa. Bucket; made with object lock when missing.")
    replica_endpoint: str = Field(
        "",
        description="host:port của kho S3 thứ hai giữ bản sao; để trống thì không có. Second S3 store: everything is "
        "copied there, and what the first loses is repaired from it.",
    )
    replica_access_key: str = Field("", description="Tên khóa truy cập kho thứ hai. Access key of the second store.")
    replica_secret_key_file: Path | None = Field(
        None, description="Tệp (0600) chứa khóa bí mật kho thứ hai. File of mode 0600 with its secret key."
    )
    replica_secret_key: SecretStr = Field(
        SecretStr(""), exclude=True, description="Khóa bí mật kho thứ hai; nên để trong tệp. Better in a file."
    )
    replica_secure: bool = Field(default=True, description="Nối tới kho thứ hai bằng https. Reach it by https.")
    replica_bucket: str = Field("hoso-replica", description="Ngăn chứa ở kho thứ hai. Its bucket.")
    fixity_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="Trong bao nhiêu ngày mọi tệp được đọc lại và so giá trị băm. Within how many days every object "
        "is read again and compared.",
    )
    retention_years: int = Field(
        10,
        ge=0,
        le=100,
        description="Số năm giữ hồ sơ đã kết thúc của thủ tục chưa đặt thời hạn riêng; 0: vĩnh viễn. Years for which "
        "dossiers are kept whose procedure has no period of its own; 0: for ever. Files are locked for so long.",
    )
    worm: Worm | None = Field(
        None,
        description="required: từ chối chạy nếu kho không khóa được tệp; để trống: required khi vận hành thật. "
        "required: refuse a store whose object lock fails the self-test; preferred: say so and go on; empty: required "
        "in production.",
    )

    listen_host: str = Field("127.0.0.1", description="Địa chỉ lắng nghe. Address to listen on.")
    listen_port: int = Field(8000, ge=1, le=65535, description="Cổng lắng nghe. Port to listen on.")
    public_url: str = Field(
        "",
        description="Địa chỉ người dân thấy và in trên mã QR; để trống thì là địa chỉ lắng nghe. What people see, and "
        "what QR codes carry.",
    )
    trusted_proxies: Words = Field(
        (), description="IP của reverse proxy được tin. Proxies whose X-Forwarded-For is believed, comma-separated."
    )
    service_secret_file: Path | None = Field(
        None,
        description="Tệp (0600) chứa bí mật của dịch vụ, từ 32 ký tự. File of mode 0600: what sessions and links are "
        "sealed with.",
    )
    service_secret: SecretStr = Field(
        SecretStr(""), exclude=True, description="Bí mật của dịch vụ; nên để trong tệp. The secret; better in a file."
    )
    metrics_token_file: Path | None = Field(
        None,
        description="Tệp (0600) chứa mã của máy giám sát; để trống thì không có số đo. File of mode 0600 with the "
        "token that a Prometheus server shows at /api/v1/metrics; empty: no figures are given.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), exclude=True, description="Mã của máy giám sát; nên để trong tệp. That token; better in a file."
    )

    keys: Path | None = Field(
        None,
        description="Thư mục khóa ký (PKCS#12 và tệp mật khẩu 0600). Signing keys; empty: DATA/keys. Only the signing "
        "worker opens it.",
    )
    tsa_urls: Words = Field(
        (), description="Dịch vụ dấu thời gian, theo thứ tự ưu tiên. Timestamp authorities in order, comma-separated."
    )
    host_map: Words = Field(
        (),
        description="Tên máy chỉ có trong mạng nội bộ, và máy hỏi thay: ocsp.ca.ptc=ocsp.ca.gov.vn. Where hosts that "
        "certificates name (OCSP, CRL, timestamps) are reached from here; NAME=HOST or NAME=HOST:PORT.",
    )
    signature_profile: Profile = Field(
        Profile.CERTIFIED,
        description="certified: lãnh đạo chứng thực, con dấu khóa văn bản; approval: hai chữ ký thường, cho phần mềm "
        "đọc sai khóa. What a result's signatures forbid; approval is for readers that misread the other.",
    )
    signing_tool_urls: Words = Field(
        ("wss://127.0.0.1:8987", "ws://127.0.0.1:8987"),
        description="Công cụ ký trên máy người ký (VGCA): địa chỉ WebSocket, theo thứ tự thử. The signer's desktop "
        "tool: where our page looks for it, on the signer's own computer only.",
    )
    demo_trust_port: int = Field(
        default_factory=_demo_trust_port,
        ge=1,
        le=65535,
        description="Cổng của dịch vụ chứng thực demo. Port of the demo trust service.",
    )

    reading_workers: int = Field(
        max(1, os.cpu_count() or 1), ge=1, le=256, description="Số tiến trình đọc trang. Processes that read pages."
    )
    holidays: Path | None = Field(
        None, description="Tệp ngày nghỉ lễ (TOML); để trống thì dùng tệp kèm theo. Holidays; empty: the bundled file."
    )
    typeface: Path | None = Field(
        None,
        description="Thư mục chứa bộ phông có giấy phép của trung tâm (Times New Roman, bốn tệp .ttf). The centre's "
        "own licensed typeface for results, forms and stamps; empty: the bundled one of the same measures.",
    )
    conversion_words: str = Field(
        "Bản điện tử chuyển đổi từ văn bản giấy",
        min_length=1,
        max_length=120,
        description="Dòng chữ nhận biết bản điện tử chuyển đổi từ giấy (NĐ 137/2024). Mark of conversion on digitised "
        "copies; time and converter follow it.",
    )

    reports_by: str = Field(
        "",
        description="Mã cơ quan có con dấu ký biên bản kiểm tra chữ ký số (thường là trung tâm); để trống thì không "
        "lập. Code of the agency whose seal signs reports of checks; empty: none are offered.",
    )

    max_upload_mb: int = Field(200, ge=1, description="Tệp quét lớn nhất, MB. Largest scan, megabytes.")
    max_pages: int = Field(2000, ge=1, description="Số trang nhiều nhất của một tệp. Most pages of one file.")
    max_page_megapixels: int = Field(180, ge=1, description="Trang lớn nhất, triệu điểm ảnh. Largest page.")
    judges: int = Field(
        2,
        ge=1,
        le=64,
        description="Số tiến trình kiểm tra tệp người lạ gửi. Processes that judge strangers' files, one file each.",
    )
    max_verification_mb: int = Field(
        50, ge=1, description="Tệp lớn nhất được kiểm tra chữ ký, MB. Largest file to verify, megabytes."
    )

    @property
    def is_demo(self) -> bool:
        """Whether this is a centre to try."""
        return self.mode is Mode.DEMO

    @property
    def needs_lock(self) -> bool:
        """Whether a store that can't lock its objects is refused: in production, unless told otherwise."""
        return not self.is_demo if self.worm is None else self.worm is Worm.REQUIRED

    @property
    def base_url(self) -> str:
        """What people type, without a slash at the end."""
        return (self.public_url or f"http://{self.listen_host}:{self.listen_port}").rstrip("/")

    @property
    def keys_folder(self) -> Path:
        """Where signing keys lie."""
        return self.keys or self.data / "keys"

    @property
    def demo_trust_folder(self) -> Path:
        """Where the demo trust service keeps its keys."""
        return self.data / _DEMO_TRUST

    @property
    def demo_secret_file(self) -> Path:
        """The demo centre's own secret, made at its first start."""
        return self.data / "service.secret"

    @property
    def demo_trust_url(self) -> str:
        """Where the demo trust service answers."""
        return f"http://127.0.0.1:{self.demo_trust_port}"

    @model_validator(mode="before")
    @classmethod
    def _open_secrets(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take from its file each secret that isn't given itself."""
        opened = {
            secret: read_secret(Path(values[f"{secret}_file"]))
            for secret in ("s3_secret_key", "replica_secret_key", "service_secret", "metrics_token")
            if values.get(f"{secret}_file") and not values.get(secret)
        }
        return {**values, **opened}

    @field_validator("host_map")
    @classmethod
    def _hosts(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        hosts.read(pairs)
        return pairs

    @field_validator("trusted_proxies", "tsa_urls", "host_map", "signing_tool_urls", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """A list is written with commas."""
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("signing_tool_urls")
    @classmethod
    def _own_computer(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """The page's policy lets its script speak to these: they name the signer's own computer and nothing else."""
        if wrong := [url for url in value if not _LOOPBACK.fullmatch(url)]:
            raise ValueError(f"không phải ws(s)://127.0.0.1:CỔNG (isn't on the signer's own computer): {wrong[0]}")
        return value

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.is_demo:
            return self
        reasons = []
        public = urlsplit(self.base_url)
        if public.scheme != "https" and public.hostname not in {"localhost", "127.0.0.1", "::1"}:
            reasons.append("HOSO_PUBLIC_URL phải bắt đầu bằng https:// (must be https)")
        if any(url.startswith(self.demo_trust_url) for url in self.tsa_urls):
            reasons.append("HOSO_TSA_URLS không được là dịch vụ demo (must not be the demo trust service)")
        if self.s3_endpoint and not self.s3_access_key:
            reasons.append("thiếu HOSO_S3_ACCESS_KEY (is missing)")
        if len(self.service_secret.get_secret_value()) < _SECRET_CHARACTERS:
            reasons.append(
                f"HOSO_SERVICE_SECRET_FILE phải chỉ tới một tệp có ít nhất {_SECRET_CHARACTERS} ký tự "
                "(must name a file with that many characters)"
            )
        if reasons:
            raise ValueError("; ".join(reasons))
        return self


class _Surroundings(Settings, BaseSettings):
    """The same, from the environment and the file."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, env_file_encoding="utf-8")


def read() -> Settings:
    """Read the settings of this process, and add what wasn't named but is here.

    Where no database or S3 server is named, those that run in the data folder are taken; unnamed they stay while none
    runs there. A demo centre has a secret and a timestamp authority of its own.

    Raises:
        BadSettings: Something is misspelt, missing or not allowed; the message lists all of it.
    """
    return _with_ours(named())


def named() -> Settings:
    """Read what the environment and the file name, and no more. The environment outranks the file.

    Raises:
        BadSettings: As `read`.
    """
    file_named = os.environ.get(f"{_PREFIX}CONFIG")
    file = Path(file_named or "hoso.env")
    if file_named and not file.is_file():
        raise BadSettings(f"Không thấy tệp cấu hình {file}. (HOSO_CONFIG names a file that isn't there.)")
    try:
        return _Surroundings(_env_file=file)  # type: ignore[call-arg]  # pydantic-settings' own
    except ValidationError as wrong:
        reasons = [f"{_name_of(error['loc'])}{error['msg'].removeprefix('Value error, ')}" for error in wrong.errors()]
        raise BadSettings("Cấu hình sai (bad settings):\n  " + "\n  ".join(reasons)) from wrong


@dataclass(frozen=True)
class Explained:
    """A setting as people meet it: its name in the environment, what it is when nothing is said, what it is for."""

    name: str
    default: str
    purpose: str


def explained() -> list[Explained]:
    """Every setting, in the order of this module."""
    machines_own = {
        "data": "/var/lib/hoso, ~/.local/share/hoso",
        "reading_workers": "số nhân CPU",
        "demo_trust_port": f"{_DEMO_TRUST_PORT}",
    }
    return [
        Explained(
            f"{_PREFIX}{name.upper()}",
            machines_own.get(name) or _written(field.get_default(call_default_factory=True)),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _written(value: Any) -> str:
    """A value as it stands in the environment."""
    if isinstance(value, SecretStr) or value is None:
        return ""
    return (
        ",".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment from which another process reads these same settings. Secrets go by their files only."""
    words = {name: _written(getattr(settings, name)) for name in Settings.model_fields}
    return {f"{_PREFIX}{name.upper()}": value for name, value in words.items() if value}


def read_secret(path: Path) -> str:
    """Read a secret from a file that only its owner may read.

    Raises:
        BadSettings: It isn't there, or others may read it.
    """
    try:
        if path.stat().st_mode & _GROUP_AND_OTHERS:
            raise BadSettings(f"Người khác đọc được {path}; hãy chạy: chmod 600 {path} (others may read this secret)")
        return path.read_text(encoding="utf-8").strip()
    except OSError as unreadable:
        raise BadSettings(f"Không đọc được tệp bí mật {path}: {unreadable.strerror}") from unreadable


def _name_of(location: tuple[int | str, ...]) -> str:
    return f"{_PREFIX}{str(location[0]).upper().removeprefix(_PREFIX)}: " if location else ""


def _with_ours(settings: Settings) -> Settings:
    """Add what wasn't named: embedded servers that run in the data folder, and what a demo centre makes itself."""
    found: dict[str, Any] = {}
    if not settings.database and (dsn := postgres.running_dsn(settings.data / "postgres")):
        found["database"] = dsn
    if not settings.s3_endpoint and (access := s3.running(settings.data / "s3")):
        found |= s3_settings(access, settings.data / "s3")
    if settings.is_demo and not settings.service_secret and settings.demo_secret_file.is_file():
        found["service_secret"] = SecretStr(read_secret(settings.demo_secret_file))
    if settings.is_demo and not settings.tsa_urls:
        found["tsa_urls"] = (f"{settings.demo_trust_url}/tsa",)
    if settings.is_demo and not settings.reports_by:
        found["reports_by"] = demo_centre()
    return settings.model_copy(update=found)


def demo_centre() -> str:
    """The agency that seals reports in a demo, where none is named."""
    from api.demo.centre import PROVINCE

    return PROVINCE


def s3_settings(access: s3.S3Access, folder: Path) -> dict[str, Any]:
    """The settings that lead to the embedded S3 server in this folder."""
    return {
        "s3_folder": folder,
        "s3_endpoint": access.endpoint,
        "s3_access_key": access.access_key,
        "s3_secret_key": SecretStr(access.secret_key),
        "s3_secure": False,
    }
