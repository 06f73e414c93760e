"""`hoso verify`: what PDFs are worth, from their bytes and the certificates and lists one names. No register is asked.

Nothing a file asks for is ever fetched. Unless told to stay offline, revocation lists are fetched from where the
certificates in --anchors and --certs say, and from nowhere else.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing import revocation, trust, words
from signing.isolation import Judges
from signing.types import Indication, Integrity, TrustServiceUnavailable, Verdict
from signing.verify import verify, worst

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from signing.types import FileVerdict, SignatureReport

USAGE = 64
STATUS = {
    Verdict.GENUINE: 0,
    Verdict.ALTERED: 1,
    Verdict.UNCONFIRMED: 2,
    Verdict.UNSIGNED: 2,
    Verdict.REVOKED: 3,
    Verdict.UNREADABLE: 65,
}
FETCH_TIMEOUT_S = 10.0
_VIETNAM = timezone(timedelta(hours=7))
_INTEGRITY = {
    Integrity.INTACT: "nguyên vẹn",
    Integrity.ALTERED: "không còn nguyên vẹn",
    Integrity.UNKNOWN: "chưa rõ",
}
_STANDING = {
    Indication.PASSED: "hợp lệ",
    Indication.FAILED: "không hợp lệ",
    Indication.INDETERMINATE: "chưa xác định",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `hoso verify` takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="tệp PDF cần kiểm tra")
    parser.add_argument(
        "--anchors",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="chứng thư gốc tin cậy: tệp hoặc thư mục, PEM hoặc DER",
    )
    parser.add_argument(
        "--certs", action="append", type=Path, default=[], metavar="PATH", help="chứng thư trung gian, giúp dựng chuỗi"
    )
    parser.add_argument("--crls", action="append", type=Path, default=[], metavar="PATH", help="danh sách thu hồi")
    parser.add_argument("--offline", action="store_true", help="không hỏi mạng, kể cả nơi cấp đã đăng ký")
    parser.add_argument("--json", action="store_true", help="mỗi tệp một dòng JSON, ngoài ra không in gì")


def run(given: argparse.Namespace) -> int:
    """Judge each file and say so; the exit status is that of the worst."""
    try:
        known = trust.load(given.anchors, certs=given.certs, crls=given.crls)
    except (OSError, ValueError) as error:
        _note(f"hoso verify: {_why(error)}")
        return USAGE
    if not known.anchors:
        _note("Chưa có chứng thư gốc tin cậy nào (--anchors): không chữ ký nào có thể được xác nhận.")
    elif not given.offline:
        known = _refreshed(known)
    verdicts = []
    with _judge_for(given.files) as judge:
        for path in given.files:
            found = judge(path, trust=known)
            verdicts.append(found.verdict)
            _tell(_as_json(path, found) if given.json else _as_text(path, found))
    return STATUS[worst(verdicts)]


@contextmanager
def _judge_for(files: Sequence[Path]) -> Iterator[Callable[..., FileVerdict]]:
    """What judges them: of many, one that crashes its judge must not keep the others from being judged."""
    if len(files) == 1:
        yield verify
        return
    judges = Judges(1)
    try:
        yield judges.verify
    finally:
        judges.close()


def _refreshed(known: trust.TrustStore) -> trust.TrustStore:
    """With the lists of the authorities one has named; whoever doesn't answer is noted and passed over."""
    certificates = (*known.anchors, *known.intermediates)

    def fetched(url: str) -> bytes | None:
        try:
            return revocation.fetch_crl(url, publishers=certificates, timeout=FETCH_TIMEOUT_S)
        except TrustServiceUnavailable:
            _note(f"Không tải được danh sách thu hồi từ {url}; dùng những gì đang có.")
            return None

    urls = revocation.crl_urls(certificates)
    with ThreadPoolExecutor(max_workers=4) as several:
        lists = [found for found in several.map(fetched, urls) if found]
    return known.with_crls(dict.fromkeys((*lists, *known.crls)))


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return f"không đọc được {error.filename}: {error.strerror}"
    return str(error)


def _as_json(path: Path, found: FileVerdict) -> str:
    answer = {
        "file": str(path),
        "verdict": found.verdict,
        "kind": found.kind,
        "integrity": found.integrity,
        "missing": list(found.missing),
        "signatures": [asdict(report) for report in found.signatures],
        "reasons": list(found.reasons),
    }
    line = json.dumps(answer, ensure_ascii=False, default=_plain)
    return line if _can_print(line) else json.dumps(answer, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


def _as_text(path: Path, found: FileVerdict) -> str:
    """A sentence first, then each signature with what Circular 15/2025 wants shown."""
    told = [f"{_printable(str(path))}: {words.sentence(found, language='vi')}"]
    told += [f"  - {words.reason_words(code, language='vi')}" for code in found.reasons[1:]]
    for number, report in enumerate(found.signatures, 1):
        told += [f"  {line}" for line in _about(number, report)]
    text = "\n".join(told)
    return text if _can_print(text) else text.encode("ascii", "backslashreplace").decode()


def _about(number: int, report: SignatureReport) -> list[str]:
    signer = _printable(report.signer) or "không rõ người ký"
    unit = f" ({_printable(report.signer_organization)})" if report.signer_organization else ""
    lines = [f"Chữ ký {number}: {signer}{unit} – {_STANDING[report.indication]}"]
    lines.append(f"    Nội dung: {_INTEGRITY[report.integrity]}")
    if report.timestamp:
        authority = _printable(report.timestamp_authority or "?")
        lines.append(f"    Ký lúc: {_moment(report.timestamp)}, dấu thời gian của {authority}")
    elif report.signed_at:
        lines.append(f"    Ký lúc: {_moment(report.signed_at)} (theo máy người ký, không có bằng chứng)")
    if report.later:
        changed = f" (từ phiên bản {report.changed_in} của tệp)" if report.changed_in else ""
        lines.append(f"    Sau chữ ký này: {', '.join(words.later_words(code) for code in report.later)}{changed}")
    if report.valid_from and report.valid_to:
        valid = " – ".join(f"{day.astimezone(_VIETNAM):%d/%m/%Y}" for day in (report.valid_from, report.valid_to))
        lines.append(f"    Chứng thư: số {report.serial}, do {_printable(report.issuer)} cấp, hiệu lực {valid}")
        lines.append(f"    Chứng thư lúc ký: {words.at_signing_words(report.at_signing)}")
    sub = report.sub_indication
    meant = f" ({words.sub_indication_words(sub)})" if sub and words.sub_indication_words(sub) else ""
    lines.append(f"    ETSI: {report.indication}{f' / {sub}' if sub else ''}{meant}")
    lines += [f"    {words.reason_words(code, language='vi')}" for code in report.reasons]
    return lines


def _moment(moment: datetime) -> str:
    return moment.astimezone(_VIETNAM).strftime("%d/%m/%Y %H:%M:%S (giờ Việt Nam)")


def _printable(text: str) -> str:
    """Names come from strangers' files: nothing in them may move the cursor."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _tell(text: str) -> None:
    """Print, also when nobody listens any more (`hoso verify … | head`): the exit status must stay the verdict's."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _can_print(line: str) -> bool:
    """Whether standard output takes it: a file name may not be UTF-8, or the terminal."""
    try:
        line.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _note(sentence: str) -> None:
    print(sentence, file=sys.stderr)
