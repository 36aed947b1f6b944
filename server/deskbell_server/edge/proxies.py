"""Who is behind a proxy: the address and the scheme of a client, as the proxies in front of us tell them."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Self

from flask import Flask

from deskbell_server.errors import SetupError
from deskbell_server.people import addresses

PREFIX = re.compile(r"(?:/[\w.~%-]+)+", re.ASCII)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """Only a request that comes from one of them has its `X-Forwarded-For`, `-Proto` and `-Prefix` looked at."""

    trusted: tuple[Network, ...]

    @classmethod
    def named(cls, names: tuple[str, ...]) -> Self:
        try:
            return cls(tuple(ipaddress.ip_network(name) for name in names))
        except ValueError as problem:
            raise SetupError(f"--trusted-proxy: {problem}") from problem

    def install(self, app: Flask) -> None:
        """Every request by HTTP is seen so; a WebSocket's is handed to `see_through` by the transport."""
        inner = app.wsgi_app

        def outer(environ: dict[str, Any], start_response: Any) -> Any:
            self.see_through(environ)
            return inner(environ, start_response)

        app.wsgi_app = outer  # type: ignore[method-assign]

    def see_through(self, environ: dict[str, Any]) -> None:
        """Puts the client's own address and scheme, and where the proxy serves us, into a WSGI environment.

        Each proxy adds to the end whom it heard from, so the client is the last who is no proxy of ours; whatever
        stands before that, anybody may have written.
        """
        if not self.trusted or not self.trusts(environ.get("REMOTE_ADDR", "")):
            return
        for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = _address(hop.strip())
            if address is None:
                break
            environ["REMOTE_ADDR"] = str(address)
            if not self.trusts(str(address)):
                break
        if environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower() == "https":
            environ["wsgi.url_scheme"] = "https"
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "").rstrip("/")
        if PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix

    def trusts(self, written: str) -> bool:
        """Whether that address is a proxy's, which speaks for many."""
        address = _address(written)
        return address is not None and any(address in network for network in self.trusted)


def _address(written: str) -> addresses.Address | None:
    """Also as `192.0.2.7:5123` or `[2001:db8::7]:443`, as some proxies write it."""
    if written.startswith("["):
        written = written[1:].partition("]")[0]
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    return addresses.parsed(written)
