"""Where a key that isn't a file is found, written as one line: a token's key, or a credential of a signing service.

Neither line ever holds a PIN, a password or a token: one that does is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

_SCHEME = "pkcs11:"
_SECRETS = ("pin-value", "pin-source")


@dataclass(frozen=True)
class TokenKey:
    """A key on a token or HSM, written as a PKCS#11 URI (RFC 7512): labels may hold any character.

    Attributes:
        module: The vendor's library, an absolute path.
        token: The token's label, without the blanks that fill it up.
        key_label: Label (CKA_LABEL) of the private key, "" when its id names it.
        key_id: Its id (CKA_ID), b"" when its label names it.
    """

    module: str
    token: str
    key_label: str = ""
    key_id: bytes = b""

    def __post_init__(self) -> None:
        if not self.module.startswith("/"):
            raise ValueError("thư viện PKCS#11 phải là đường dẫn tuyệt đối")
        if not self.token.strip():
            raise ValueError("thiếu nhãn của token")
        if not self.key_label and not self.key_id:
            raise ValueError("thiếu nhãn hoặc mã (id) của khóa trên token")

    def __str__(self) -> str:
        parts = [f"token={quote(self.token, safe='')}"]
        if self.key_label:
            parts.append(f"object={quote(self.key_label, safe='')}")
        if self.key_id:
            parts.append("id=" + "".join(f"%{byte:02X}" for byte in self.key_id))
        return f"{_SCHEME}{';'.join(parts)}?module-path={quote(self.module, safe='/')}"

    @classmethod
    def parse(cls, text: str) -> TokenKey:
        """Read what `str` wrote, or what another program gives as the URI of a private key.

        Raises:
            ValueError: It isn't such a line, or a PIN is in it.
        """
        if not text.startswith(_SCHEME):
            raise ValueError("không phải địa chỉ pkcs11:")
        path, _, query = text.removeprefix(_SCHEME).partition("?")
        pairs = [part.partition("=") for part in (*path.split(";"), *query.split("&")) if part]
        found = {name: unquote_to_bytes(value) for name, _, value in pairs}
        if any(name in found for name in _SECRETS):
            raise ValueError("mã PIN không được nằm trong địa chỉ của khóa")
        try:
            return cls(
                module=found.get("module-path", b"").decode(),
                token=found.get("token", b"").decode(),
                key_label=found.get("object", b"").decode(),
                key_id=found.get("id", b""),
            )
        except UnicodeDecodeError as error:
            raise ValueError("địa chỉ pkcs11: không phải UTF-8") from error


@dataclass(frozen=True)
class RemoteKey:
    """A credential of a signing service, written as the service's address with "#credential=…".

    Attributes:
        service: Address before "/csc/v1/…", without a slash at its end. https; http only on this very machine.
        credential: As the service names it.
    """

    service: str
    credential: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.service)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("địa chỉ dịch vụ ký từ xa phải bắt đầu bằng https://")
        if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("địa chỉ dịch vụ ký từ xa không đúng, hoặc có tên và mật khẩu ở trong")
        if not self.credential:
            raise ValueError("thiếu mã chứng thư (credential) ở dịch vụ ký từ xa")

    def __str__(self) -> str:
        return f"{self.service.rstrip('/')}#credential={quote(self.credential, safe='')}"

    @classmethod
    def parse(cls, text: str) -> RemoteKey:
        """Read what `str` wrote.

        Raises:
            ValueError: It isn't such a line.
        """
        service, _, fragment = text.partition("#")
        return cls(service.rstrip("/"), dict(parse_qsl(fragment)).get("credential", ""))
