"""`hoso sign`: one signature with a PKCS#12 file, without server or database."""

from __future__ import annotations

import getpass
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import x509

from signing import keys, prepare, trust
from signing.appearance import annex
from signing.corner import corner
from signing.sign import sign
from signing.timestamp import Timestamper
from signing.types import Place, Profile, SigningRefused, TrustServiceUnavailable

if TYPE_CHECKING:
    import argparse

    from signing.keys import SigningKey
    from signing.sign import Signed

_DONE, _REFUSED, _USAGE, _UNREADABLE = 0, 1, 64, 65
#: Reasons that lie in the file to be signed, not in the key.
_BAD_INPUT = {"unreadable_pdf", "encrypted_pdf"}
#: Who signs after whom: the next one's field has to be there before the first signature.
_TOGETHER = {
    Place.LEADER: (Place.LEADER, Place.SEAL),
    Place.SEAL: (Place.SEAL,),
    Place.COPY: (Place.COPY,),
    Place.SCANNER: (Place.SCANNER, Place.COPY),
    Place.ANNEX: (Place.ANNEX,),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `hoso sign` takes; a passphrase is never among it."""
    parser.allow_abbrev = False  # or "--passphrase SECRET" would be taken for a file's name, and printed
    parser.add_argument("input", type=Path, metavar="IN.pdf", help="tệp cần ký")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.pdf", help="tệp đã ký")
    parser.add_argument("--p12", type=Path, required=True, metavar="FILE", help="tệp khóa PKCS#12 (.p12, .pfx)")
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="tệp chứa mật khẩu khóa, chmod 600; nếu không có sẽ hỏi"
    )
    parser.add_argument("--tsa", action="append", metavar="URL", help="dịch vụ dấu thời gian; lặp lại để dự phòng")
    parser.add_argument(
        "--anchors", action="append", type=Path, metavar="PATH", help="chứng thư gốc tin cậy: tệp hoặc thư mục"
    )
    parser.add_argument(
        "--place", type=Place, choices=list(_TOGETHER), default=Place.LEADER, help="khung chữ ký (mặc định: leader)"
    )
    parser.add_argument(
        "--number", metavar="SO-KY-HIEU", help="annex: số và ký hiệu của văn bản chính, hiện trong khung"
    )
    parser.add_argument(
        "--profile",
        type=Profile,
        choices=list(Profile),
        default=Profile.CERTIFIED,
        help="certified: lãnh đạo chứng thực, con dấu khóa văn bản; approval: hai chữ ký thường, cho phần mềm đọc sai",
    )
    parser.add_argument("--digest", choices=["sha256", "sha384", "sha512"], help="thuật toán băm (mặc định: theo khóa)")


def run(given: argparse.Namespace) -> int:
    """Sign, and say in a sentence what was reached; the exit status tells the same."""
    misuse = _misuse(given)
    if misuse:
        return _say(misuse, _USAGE)
    try:
        key = keys.open_pkcs12(given.p12, _passphrase(given), digest=given.digest)
        known = trust.load(given.anchors) if given.anchors else _trust_in(key)
        made = _sign(given, key, known)
    except SigningRefused as refused:
        return _say(str(refused), _UNREADABLE if refused.reason in _BAD_INPUT else _REFUSED)
    except TrustServiceUnavailable as error:
        return _say(str(error), _REFUSED)
    except (OSError, ValueError) as error:
        return _say(_why(error), _UNREADABLE)
    for sentence in _outcome(given, key, made):
        print(sentence)
    return _DONE


def _misuse(given: argparse.Namespace) -> str | None:
    """What the arguments ask for and can't have."""
    if given.output.exists() and given.input.exists() and given.output.samefile(given.input):
        return "Tệp kết quả trùng với tệp gốc. Hãy chọn tên khác sau -o; tệp gốc vẫn còn nguyên."
    if any(not url.lower().startswith(("http://", "https://")) for url in given.tsa or ()):
        return "Địa chỉ dịch vụ dấu thời gian phải bắt đầu bằng http:// hoặc https://."
    if given.place is Place.ANNEX and not given.number:
        return "Ký văn bản kèm theo cần số và ký hiệu của văn bản chính. Hãy thêm --number."
    if not given.passphrase_file and not sys.stdin.isatty():
        return "Không hỏi được mật khẩu ở đây. Hãy dùng --passphrase-file."
    return None


def _passphrase(given: argparse.Namespace) -> bytes:
    if given.passphrase_file:
        return keys.read_passphrase_file(given.passphrase_file)
    return getpass.getpass(f"Mật khẩu của {given.p12.name}: ").encode()


def _trust_in(key: SigningKey) -> trust.TrustStore:
    """Without anchors, whoever the key file names at the top of its chain is taken for granted, and it is said so."""
    print("Chưa có chứng thư gốc nào được chỉ định: tạm tin chuỗi chứng thư trong tệp khóa.", file=sys.stderr)
    chain = [x509.Certificate.load(der) for der in (key.certificate_der, *key.chain_der)]
    subjects = {bytes(certificate.subject.dump()) for certificate in chain}
    tops = [c for c in chain if c.self_issued or bytes(c.issuer.dump()) not in subjects]
    return trust.TrustStore(anchors=tuple(c.dump() for c in tops), intermediates=key.chain_der)


def _sign(given: argparse.Namespace, key: SigningKey, known: trust.TrustStore) -> Signed:
    """Make the field when it isn't there yet, then sign."""
    there = prepare.fields_of(given.input)
    wanted = corner(given.input, given.place)
    with tempfile.TemporaryDirectory(prefix="hoso-sign-") as folder:
        source = given.input
        if wanted.field_name not in there.names:
            source = Path(folder) / "prepared.pdf"
            together = [corner(given.input, place) for place in _TOGETHER[given.place]]
            prepare.add_fields(given.input, source, together, profile=given.profile)
        print("Đang ký…", file=sys.stderr)
        return sign(
            source,
            given.output,
            place=wanted,
            key=key,
            trust=known,
            timestamper=Timestamper(given.tsa) if given.tsa else None,
            appearance=annex(given.number) if given.place is Place.ANNEX else None,
            allow_unknown_status=True,
        )


def _outcome(given: argparse.Namespace, key: SigningKey, made: Signed) -> list[str]:
    said = [f"Đã ký {given.output.name} bằng chứng thư của {key.subject} (PAdES {made.level})."]
    if made.timestamp is None:
        said.append("Chữ ký này không có dấu thời gian: không chứng minh được đã ký lúc nào. Thêm --tsa URL để có.")
    if not made.status_known:
        said.append("Cảnh báo: chưa kiểm tra được chứng thư có bị thu hồi hay không.")
    elif made.timestamp is not None and made.level == "B-T":
        said.append(
            "Cảnh báo: dịch vụ dấu thời gian không thuộc nơi được tin cậy; chữ ký không kèm bằng chứng lâu dài."
        )
    return said


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"Không đọc hoặc ghi được {error.filename or 'tệp'}: {error.strerror or error}. Chưa có gì được ký."
    return f"{error} Chưa có gì được ký."


def _say(sentence: str, status: int) -> int:
    print(sentence, file=sys.stderr)
    return status
