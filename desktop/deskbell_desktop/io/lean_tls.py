"""aiohttp without the certificates that it loads with itself: a MiB, and some of the start's time.

Its own context is never asked: `Connection` makes one, when there is something to encrypt.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def trusting_nobody() -> Iterator[None]:
    """Contexts made in this block refuse every certificate."""
    usual = ssl.create_default_context
    ssl.create_default_context = _trusts_nobody
    try:
        yield
    finally:
        ssl.create_default_context = usual


def _trusts_nobody(*_args: Any, **_options: Any) -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
