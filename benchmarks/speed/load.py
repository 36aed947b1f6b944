"""The load generator as a child process: its phases go in, one JSON object a line comes out."""

import json
import os
import secrets
import select
import subprocess
import time
from pathlib import Path
from typing import Any, Self

GRACE_S = 90.0
"""How long a phase may last beyond what it was asked for."""


class LoadFailed(Exception):  # noqa: N818 - it reads as what happened
    """Something was lost, doubled, out of order, or did not come in time."""


class Load:
    """One generator process, as a context manager; counts what was settled, to be compared with the store."""

    def __init__(
        self, program: Path, *, port: int, dialect: str, accounts: Path, phases: str, count: int, first: int = 0,
        concurrency: int = 64,
    ) -> None:  # fmt: skip
        command = [program, "--port", port, "--dialect", dialect, "--accounts", accounts, "--phases", phases]
        command += ["--count", count, "--first", first, "--concurrency", concurrency, "--tag", secrets.token_hex(4)]
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._pending = b""
        self.messages = 0
        self.announcements = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def release(self) -> None:
        """Ends the phase that waits for a line."""
        assert self._process.stdin
        try:
            self._process.stdin.write(b"\n")
        except BrokenPipeError as problem:  # its last words say why
            self.wait("nothing more")
            raise LoadFailed("the load generator ended") from problem

    def wait(self, event: str, *, within_s: float = 0.0) -> dict[str, Any]:
        """The next report of this name; `begin` lines of other phases are skipped."""
        deadline = time.monotonic() + within_s + GRACE_S
        while True:
            report = self._next(deadline)
            self._count(report)
            if report["event"] == event:
                return report

    def begin(self, phase: str) -> None:
        """Returns when this phase starts."""
        while self.wait("begin")["phase"] != phase:
            pass

    def finish(self) -> None:
        """Waits for the last phase; the generator has then settled all it sent."""
        self.wait("done")

    def _count(self, report: dict[str, Any]) -> None:
        if report["event"] in ("closed", "rate", "http"):
            self.messages += report["acked"]
        elif report["event"] in ("announce", "pipe", "jitter", "avalanche"):
            self.announcements += report["rounds"]

    def _next(self, deadline: float) -> dict[str, Any]:
        assert self._process.stdout
        while b"\n" not in self._pending:
            if not select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise LoadFailed("the load generator did not report in time")
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise LoadFailed(f"the load generator ended with code {self._process.wait()}")
            self._pending += chunk
        line, self._pending = self._pending.split(b"\n", 1)
        report: dict[str, Any] = json.loads(line)
        if report["event"] == "failed":
            raise LoadFailed(report["why"])
        return report
