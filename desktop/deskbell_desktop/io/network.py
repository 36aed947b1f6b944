"""The network's thread: starts it, hands it work, ends it. Everything heavy is loaded there, after the tray stands."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskbell_desktop.core.events import ProblemSeen
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.lean_tls import trusting_nobody

if TYPE_CHECKING:
    from deskbell_desktop.io.connection import Connection
    from deskbell_desktop.io.socket import Request

log = logging.getLogger(__name__)

STOP_S = 5.0


class Network:
    """Methods may be called from the owner's thread at any time; results arrive through `post`."""

    def __init__(
        self,
        post: Callable[[object], None],
        intake: Intake,
        words: Words,
        *,
        client: str,
        device: str,
        ca_file: Path | None,
    ) -> None:
        self._words = words
        self._post = post
        self._intake = intake
        self._client = client
        self._device = device
        self._ca_file = ca_file
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._closed = False

    def warm(self) -> None:
        """Load what will be needed, while the keyring is still being asked."""
        self._call(lambda _connection: None)

    def open(self, server: str, token: str) -> None:
        self._begin(lambda connection: connection.open(server, token))

    def shut(self) -> None:
        self._begin(lambda connection: connection.shut())

    def hurry(self) -> None:
        if self._loop is not None:
            self._call(lambda connection: connection.hurry())

    def request(self, effect: "Request") -> None:
        self._call(lambda connection: connection.request(effect))

    def login(
        self, server: str, name: str, password: str, *, allow_plain_http: bool, known: Mapping[str, str] | None = None
    ) -> None:
        """`known`: what servers, by their addresses, said at the last login."""
        self._call(
            lambda connection: connection.begin_login(
                server, name, password, allow_plain_http=allow_plain_http, known=known or {}
            )
        )

    def cancel_login(self) -> None:
        self._call(lambda connection: connection.cancel_login())

    def logout(self, server: str, token: str) -> None:
        self._begin(lambda connection: connection.logout(server, token))

    def search(self, server: str, token: str, query: str) -> None:
        self._begin(lambda connection: connection.search(server, token, query))

    def close(self) -> None:
        """Say goodbye and end the thread; what hangs is left after `STOP_S`."""
        self._closed = True
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_S)
        if thread.is_alive():
            log.warning("the network's thread does not end")

    # -- the crossing ---------------------------------------------------------------------------------------------

    def _begin(self, work: Callable[["Connection"], Coroutine[Any, Any, None]]) -> None:
        def begin(connection: "Connection") -> None:
            connection.begin(work(connection))

        self._call(begin)

    def _call(self, work: Callable[["Connection"], None]) -> None:
        if self._closed:
            return
        loop = self._loop or self._start()

        def act() -> None:
            if self._connection is not None:
                work(self._connection)

        loop.call_soon_threadsafe(act)

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="network", daemon=True)
        self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            # asyncio.Event needs no running loop, and what was asked for meanwhile waits in the loop
            self._connection = self._load()
            loop.run_forever()
            loop.run_until_complete(self._connection.close())
        except Exception:
            log.exception("the network's thread ended")
            self._post(ProblemSeen("program", self._words.network_stopped()))
        finally:
            _empty(loop)

    def _load(self) -> "Connection":
        with trusting_nobody():
            import aiohttp  # noqa: F401
        from deskbell_desktop.io.connection import Connection

        return Connection(
            self._post,
            self._intake,
            self._words,
            client=self._client,
            device=self._device,
            ca_file=self._ca_file,
        )


def _empty(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
