"""A store that only pretends to lock: found out at the start, and refused where the work is real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from api.settings import BadSettings, Mode, Settings, Worm
from api.wiring import wire
from tests.contract.faulty_s3 import Fault, FaultyS3

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import S3Settings

_REAL = {"mode": Mode.PRODUCTION, "public_url": "https://hoso.example", "service_secret": SecretStr("s" * 40)}


@pytest.mark.parametrize(
    ("more", "fault", "refused"),
    [
        (_REAL, Fault.DELETES_ALL_THE_SAME, "deleted_all_the_same"),
        (_REAL, Fault.SHORTENS_LOCKS, "lock_shortened"),
        (_REAL, Fault.NONE, ""),
        (_REAL | {"worm": Worm.PREFERRED}, Fault.DELETES_ALL_THE_SAME, ""),
        ({"worm": Worm.REQUIRED}, Fault.SHORTENS_LOCKS, "lock_shortened"),
        ({}, Fault.DELETES_ALL_THE_SAME, ""),
    ],
)
def test_a_store_that_only_pretends_to_lock_is_refused_in_production(
    migrated_dsn: str, s3_settings: S3Settings, tmp_path: Path, more: dict[str, Any], fault: Fault, refused: str
) -> None:
    with FaultyS3(s3_settings.endpoint).running() as proxy:
        proxy.fault = fault
        settings = Settings(
            database=migrated_dsn,
            s3_endpoint=proxy.endpoint,
            s3_access_key=s3_settings.access_key,
            s3_secret_key=SecretStr(s3_settings.secret_key),
            s3_bucket=s3_settings.bucket,
            s3_secure=False,
            data=tmp_path,
            **more,
        )
        if refused:
            with pytest.raises(BadSettings, match=refused):
                wire(settings)
        else:
            wire(settings).close()
