"""A stock Socket.IO client that keeps what it receives, and asks questions."""

import threading
from types import TracebackType
from typing import Any, Self

import engineio
import socketio

from deskbell_protocol import PROTOCOL_VERSION
from tests.desk.processes import wait_for


class StockClient(socketio.Client):  # type: ignore[misc]
    """The stock client; but a connection that was reset is closed, which it leaves to the garbage collector."""

    def __init__(self) -> None:
        super().__init__(reconnection=False, handle_sigint=False)

    def _engineio_client_class(self) -> type[engineio.Client]:
        return _EngineClient


class _EngineClient(engineio.Client):  # type: ignore[misc]
    def _reset(self) -> None:
        super()._reset()
        if self.ws is not None:
            self.ws.shutdown()


def _place(frame: Any) -> int:
    return int(frame["seq"])


class Wire:
    """`auth` replaces the usual one; then the connection may be refused, and `refusal` says how."""

    def __init__(self, url: str, token: str = "", auth: Any = None) -> None:
        self.received: list[tuple[str, Any]] = []
        self.since = ("", 0)
        """Events up to there were committed before, and may come late: a publish is answered before it is pushed."""
        self.refusal: Any = None
        self.ended = threading.Event()
        self._client = StockClient()
        self._client.on("*", self._on_any)
        self._client.on("connect_error", self._on_refused)
        self._client.on("disconnect", self._on_end)
        usual = {"v": PROTOCOL_VERSION, "token": token, "client": "tests/1"}
        try:
            self._client.connect(url, auth=usual if auth is None else auth, transports=["websocket"], wait_timeout=10)
        except socketio.exceptions.ConnectionError:
            if self.refusal is None:
                raise

    @property
    def connected(self) -> bool:
        return bool(self._client.connected)

    def ask(self, event: str, data: Any = None) -> Any:
        """The answer to an event."""
        return self._client.call(event, data, timeout=10)

    def emit(self, event: str, data: Any = None) -> None:
        self._client.emit(event, data)

    def sync(self, epoch: str | None = None, after: int = 0, **more: Any) -> Any:
        return self.ask("sync", {"epoch": epoch, "after": after, **more})

    def of(self, event: str) -> list[Any]:
        """In the order of the log: the client has a thread for each."""
        found = [data for name, data in self.received if name == event]
        if event != "event":
            return found
        epoch, seq = self.since
        return sorted((data for data in found if data["epoch"] != epoch or data["seq"] > seq), key=_place)

    def wait_for(self, event: str, count: int = 1, timeout: float = 10.0) -> list[Any]:
        """The first `count` payloads of that event."""
        wait_for(lambda: len(self.of(event)) >= count, f"{count} × {event}, have {self.received}", timeout)
        return self.of(event)[:count]

    def _on_any(self, event: str, data: Any = None) -> None:
        self.received.append((event, data))

    def _on_refused(self, data: Any = None) -> None:
        self.refusal = data

    def _on_end(self, *_reason: Any) -> None:
        self.ended.set()

    def close(self) -> None:
        self._client.disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
