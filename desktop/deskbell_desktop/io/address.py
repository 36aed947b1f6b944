"""A server's address as a person types it, and what follows from it: API, socket, and whether it is safe."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from deskbell_desktop.core.hosts import host_of, is_loopback
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.problems import AddressError


@dataclass(frozen=True)
class Address:
    """`scheme://host[:port][/path]`, without a slash at the end."""

    scheme: str
    host: str
    """With its port where that was given; IPv6 in brackets."""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"

    @property
    def name(self) -> str:
        """The host without its port."""
        return self.host if self.host.endswith("]") else self.host.rsplit(":", 1)[0]

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def api(self) -> str:
        return f"{self}/api/v1"

    @property
    def socketio_path(self) -> str:
        """Relative to `origin`: a server behind a sub-path has its socket there too."""
        return f"{self.path}/socket.io".lstrip("/")


def parse_address(typed: str, words: Words, *, allow_plain_http: bool) -> Address:
    """Raises `AddressError`. Without a scheme it is https, and http on this computer, which plain http leaves only by
    choice."""
    typed = typed.strip()
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
        name = _name(parts)
        host = name if parts.port is None else f"{name}:{parts.port}"
    except ValueError:
        raise AddressError(words.no_address(typed)) from None
    scheme = "http" if "://" not in typed and is_loopback(name) else parts.scheme
    if scheme == "http" and not (allow_plain_http or is_loopback(name)):
        raise AddressError(words.plain_http(host))
    return Address(scheme, host, parts.path.rstrip("/"))


def _name(parts: SplitResult) -> str:
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError(parts.scheme)
    if parts.query or parts.fragment or any(char.isspace() for char in parts.geturl()):
        raise ValueError(parts.query)
    return host_of(parts.hostname)
