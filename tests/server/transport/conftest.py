"""Fixtures of the transport's tests: a server in a thread, a server in a process, and what the stock kind cannot do."""

import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from deskbell_server.transport import Transport
from tests.server.transport.raw import Raw
from tests.server.transport.shortfalls import STOCK_CAN, STOCK_CANNOT

HERE = Path(__file__).parent


class Server:
    """A server of its own process, and what can be seen of it from outside."""

    def __init__(self, kind: str, options: dict[str, Any]) -> None:
        command = [sys.executable, str(HERE / "served.py"), kind, json.dumps(options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self._ready = threading.Event()
        self.port = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(20), self.lines
        self.watched = psutil.Process(self.process.pid)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line.startswith("port "):
                self.port = int(line.split()[1])
                self._ready.set()

    @property
    def rss(self) -> int:
        return int(self.watched.memory_info().rss)

    @property
    def worked_s(self) -> float:
        """Seconds of a processor that it used so far: a clock that does not run for what runs beside it."""
        times = self.watched.cpu_times()
        return float(times.user + times.system)

    @property
    def fds(self) -> int:
        return int(self.watched.num_fds())

    def logged(self, word: str) -> list[str]:
        return [line for line in self.lines if word in line]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


def eventually(check: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until `check()` is true."""
    until = time.monotonic() + min(seconds, Raw.patience)
    while not check():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.02)


@contextmanager
def serving(transport: Transport, *, tls: ssl.SSLContext | None = None) -> Iterator[Transport]:
    """Serve in a thread for as long as the block lasts."""
    ready = threading.Event()
    thread = threading.Thread(
        target=transport.serve, args=("127.0.0.1", 0), kwargs={"on_ready": ready.set, "ssl_context": tls}, daemon=True
    )
    thread.start()
    try:
        assert ready.wait(10)
        yield transport
    finally:
        transport.stop(2.0)
        thread.join(10)
        assert not thread.is_alive(), "serve did not return"


@pytest.fixture(params=["native", "stock"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    why = STOCK_CANNOT.get(request.node.originalname)
    if request.param == "stock" and why is not None and request.node.name not in STOCK_CAN:
        request.applymarker(pytest.mark.xfail(strict=True, reason=why))
        monkeypatch.setattr(Raw, "patience", 1.5)  # enough to see it fail
    return str(request.param)


@pytest.fixture(scope="module")
def shared_servers() -> Iterator[dict[str, Server]]:
    servers: dict[str, Server] = {}
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture
def spawn(shared_servers: dict[str, Server]) -> Iterator[Callable[..., Server]]:
    """A server process of a kind; an own one when it has options, or when its counts and memory are looked at."""
    servers: list[Server] = []

    def start(kind: str, *, fresh: bool = False, **options: Any) -> Server:
        if fresh or options:
            servers.append(Server(kind, options))
            return servers[-1]
        if kind not in shared_servers:
            shared_servers[kind] = Server(kind, {})
        shared_servers[kind].lines.clear()
        return shared_servers[kind]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(autouse=True)
def sockets_closed() -> Iterator[None]:
    yield
    while Raw.live:
        Raw.live.pop().socket.close()
