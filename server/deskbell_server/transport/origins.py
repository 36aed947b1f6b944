"""Which web pages may open a connection: the server's own, and those that were named."""

from collections.abc import Callable, Mapping
from typing import Any


def allowed(origin: str | None, host: str | None, named: tuple[str, ...]) -> bool:
    """Whether a request with these `Origin` and `Host` headers may connect; what a proxy claims is not looked at."""
    if not origin or "*" in named or origin in named:
        return True
    scheme, _, where = origin.partition("://")
    return bool(host) and scheme in {"http", "https"} and where.lower() == host.lower()  # type: ignore[union-attr]


def origin_check(named: tuple[str, ...]) -> Callable[[str, Mapping[str, Any]], bool]:
    """The same as engineio's `cors_allowed_origins`."""

    def check(origin: str, environ: Mapping[str, Any]) -> bool:
        return allowed(origin, environ.get("HTTP_HOST"), named)

    return check
