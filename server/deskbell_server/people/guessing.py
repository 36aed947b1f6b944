"""Guessing at passwords: how often somebody may be wrong, reckoned before it is known whether they are."""

import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deskbell_protocol.errors import Code
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.people import addresses

FAILURES = Rate(per_s=20 / 60, burst=20)
"""Wrong passwords of one place: 20, then 20 a minute. Right ones cost nothing."""


def place(address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 customer has.

    "" for this machine itself: a proxy here may speak for everybody, and must not be shut out for one of them.
    """
    parsed = addresses.parsed(address)
    if parsed is None:
        return address
    if parsed.is_loopback:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Guessing:
    """A bucket for each place that guesses may come from: an address, an account, a known device, a session."""

    def __init__(self) -> None:
        self._limiter = Limiter(FAILURES)

    @contextmanager
    def attempt(self, *places: str) -> Iterator[None]:
        """One try at a secret. It is paid before, or many at once would all be free; unless the block refuses it as
        `unauthorized` it is paid back.
        """
        self._pay(places)
        try:
            yield
        except RefusedError as refused:
            if refused.code is not Code.UNAUTHORIZED:
                self._pay_back(places)
            raise
        except BaseException:
            self._pay_back(places)
            raise
        self._pay_back(places)

    def _pay(self, places: tuple[str, ...]) -> None:
        now = time.monotonic()
        wait = max(self._limiter.wait(place, now) for place in places)
        if wait:
            raise LimitedError("too many failed attempts to sign in: wait a little", wait)
        for paying in places:
            self._limiter.take(paying, now)

    def _pay_back(self, places: tuple[str, ...]) -> None:
        now = time.monotonic()
        for paid in places:
            self._limiter.give_back(paid, now)
