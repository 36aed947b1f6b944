"""`serve --workers N`: a small parent of N processes that serve one port, each with a socket of its own (SO_REUSEPORT).

The parent opens no database and answers nothing. A worker that ends is said so and started again; signals are passed
on; when the parent is told to end, or is gone, the workers drain as a single server does.
"""

import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deskbell_server.errors import SetupError, cannot_listen
from deskbell_server.process.config import Settings, Worker

log = logging.getLogger(__name__)

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
STARTING_S = 10.0
"""A worker that ends with an error within this time of the first start says that the settings are wrong."""
PAUSE_MAX_S = 10.0
STEADY_S = 30.0


@dataclass(slots=True)
class _Child:
    number: int
    pid: int
    began: float


@dataclass(slots=True)
class Supervisor:
    """`serve` is called in each worker, and returns when that worker has drained."""

    settings: Settings
    serve: Callable[[Settings], None]
    _children: dict[int, _Child] = field(default_factory=dict)
    _restarts: dict[int, float] = field(default_factory=dict)
    """When a worker that ended is to be started again, by its number."""
    _pauses: dict[int, float] = field(default_factory=dict)
    _ending: bool = False
    _failed: bool = False

    def run(self) -> int:
        """Until it is told to end: 0 when all workers drained, else 1. Returns in the parent only."""
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s")
        with _reserved(self.settings.host, self.settings.port) as place:
            reader, writer = os.pipe()
            worker = Worker(0, self.settings.workers, place.getsockname()[1], reader, writer, secrets.token_urlsafe(24))
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            began = time.monotonic()
            for number in range(1, self.settings.workers + 1):
                self._start(worker, number)
            while self._children or self._restarts:
                self._wait(began)
                self._start_due(worker)
        return 1 if self._failed else 0

    def _start(self, worker: Worker, number: int) -> None:
        pid = os.fork()
        if not pid:
            self._become(worker.numbered(number))
        self._children[pid] = _Child(number, pid, time.monotonic())
        log.info("worker %d is process %d", number, pid)

    def _become(self, worker: Worker) -> None:
        """In the child: serves, and never comes back."""
        code = 1
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.close(worker.parent_end)
            self.serve(self.settings.of_worker(worker))
            code = 0
        except SetupError as problem:
            sys.stderr.write(f"Error: {problem}\n")
        except BaseException:
            log.exception("worker %d failed", worker.number)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _wait(self, began: float) -> None:
        found = signal.sigtimedwait(SIGNALS, 0.5 if self._restarts else 3600.0)
        if found is not None and found.si_signo != signal.SIGCHLD:
            self._end()
        while (ended := _ended_child()) is not None:
            pid, code = ended
            child = self._children.pop(pid, None)
            if child is not None:
                self._one_ended(child, code, began)

    def _one_ended(self, child: _Child, code: int, began: float) -> None:
        if self._ending:
            # One that was still starting has not yet taken the signal as a word to drain; it had nothing to lose.
            self._failed = self._failed or code not in (0, -signal.SIGTERM)
            return
        now = time.monotonic()
        if code == 1 and now - began < STARTING_S:
            log.error("worker %d cannot start", child.number)
            self._failed = True
            self._end()
            return
        steady = now - child.began > STEADY_S
        pause = 0.0 if steady else self._pauses.get(child.number, 0.0)
        self._pauses[child.number] = min(PAUSE_MAX_S, max(0.5, pause * 2))
        self._restarts[child.number] = now + pause
        log.error(
            "worker %d (process %d) ended with %d; it starts again in %.1f s", child.number, child.pid, code, pause
        )

    def _start_due(self, worker: Worker) -> None:
        now = time.monotonic()
        for number in [number for number, at in self._restarts.items() if at <= now]:
            del self._restarts[number]
            self._start(worker, number)

    def _end(self) -> None:
        self._ending = True
        self._restarts.clear()
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)


def _ended_child() -> tuple[int, int] | None:
    """Process id and exit code (negative: the signal) of one that ended."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None


def _reserved(host: str, port: int) -> socket.socket:
    """The port, bound and never listened on: it stays ours while no worker lives, and 0 becomes one number for all."""
    family, kind, number, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    place = socket.socket(family, kind, number)
    try:
        if _is_taken(family, kind, address):
            raise OSError("the address is in use")
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        place.bind(address)
    except OSError as problem:
        place.close()
        raise cannot_listen(host, port, problem) from problem
    return place


def _is_taken(family: int, kind: int, address: tuple[object, ...]) -> bool:
    """Another server's workers would share their port with us: so ask for it alone first."""
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
    return False
