"""Programs that a test, the demo or a benchmark starts: each has its log, one owner, and is ended by its process id."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

T = TypeVar("T")

TAIL_LINES = 25
PATIENCE_S = 20.0
"""How long is waited for what should come at once: a busy machine may take its time, a passing test never waits."""


class NotInTimeError(AssertionError):
    """Something that was waited for did not come; the text says what, and what the program concerned said last."""


def wait_for(condition: Callable[[], T], what: str, timeout: float = PATIENCE_S, every: float = 0.02) -> T:
    """The first true value of `condition`, asked again every `every` seconds. Raises NotInTimeError after `timeout`."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise NotInTimeError(f"waited {timeout:g} s for {what}")
        time.sleep(every)


def _ports() -> Iterator[int]:
    """A part of the ports for each worker of the tests, below those that the system gives to connections by itself."""
    part = 2_000
    first = 10_000 + part * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 11)
    return itertools.cycle(first + (os.getpid() + number) % part for number in range(part))


PORTS = _ports()


def free_port() -> int:
    """A loopback TCP port that nothing listens on, and that nobody else is given soon."""
    return next(port for port in PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def can_connect(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    if not log.exists():
        return f"({log.name} was never written)"
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(text) or f"({log.name} is empty)"


class Child:
    """One running program, its output in `log`. Dies with us even where we are killed; our Ctrl-C does not reach it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
        stdin: bytes | None = None,
        pass_fds: Sequence[int] = (),
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.log = log
        self.name = Path(command[0]).name
        self._stop_signal = stop_signal
        with log.open("ab") as out:
            self._process = self._start(command, out, env, user, cwd, stdin, pass_fds)

    @staticmethod
    def _start(
        command: Sequence[str | Path],
        out: BinaryIO,
        env: Mapping[str, str] | None,
        user: str | None,
        cwd: Path | None,
        stdin: bytes | None,
        pass_fds: Sequence[int],
    ) -> subprocess.Popen[bytes]:
        assert threading.current_thread() is threading.main_thread(), "it would be killed when this thread ends"
        # setpriv becomes the program, so that the process id is still the program's own
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        process = subprocess.Popen(
            [*guard, *map(str, command)],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            user=user,
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        if stdin is not None:
            assert process.stdin
            process.stdin.write(stdin)
            process.stdin.close()
        return process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """The exit code, once it has ended."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise NotInTimeError(f"{self.name} did not end within {timeout:g} s\n{tail(self.log)}") from None

    def wait_until(self, condition: Callable[[], T], what: str, timeout: float = PATIENCE_S) -> T:
        """`condition`'s first true value; fails at once when the program ends before, and shows its log."""

        def alive() -> T:
            value = condition()
            if not value and self.exit_code is not None:
                raise NotInTimeError(f"{self.name} ended with {self.exit_code} before {what}\n{tail(self.log)}")
            return value

        try:
            return wait_for(alive, what, timeout)
        except NotInTimeError as missed:
            if tail(self.log) in str(missed):
                raise
            raise NotInTimeError(f"{missed}\n--- {self.log.name}\n{tail(self.log)}") from None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self, patience: float = 10.0) -> int:
        """Ask it to end, insist after `patience` seconds; the exit code."""
        if self.exit_code is None:
            self._process.send_signal(self._stop_signal)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait(patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def leftovers(mark: str) -> list[int]:
    """Ids of processes that carry `mark` in their environment: what a desktop's own programs started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if mark.encode() in environment and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def end_leftovers(mark: str, patience: float = 3.0) -> None:
    """Give them `patience` seconds to notice that their session is over, then end them one by one."""
    end = time.monotonic() + patience
    while (still := leftovers(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    for pid in still:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
