"""Real PostgreSQL and Redis for a test run: found on the machine, each in a folder of its own, ended by its id."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.desk.processes import Child, can_connect, free_port

REDIS = "redis-server"


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs. Debian keeps them off the search path, one folder a version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """The URL of an empty Redis that lives until the block ends."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with Child([REDIS, *options], folder / "redis.log") as server:
        server.wait_until(lambda: can_connect(port), "Redis")
        yield f"redis://127.0.0.1:{port}/0"


class OwnRedis:
    """A Redis that may be stopped, killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: redis.Redis = redis.Redis(port=self.port, socket_timeout=5)
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self.process = Child([REDIS, *options, "--appendonly", "no"], self._folder / "redis.log")
        self.process.wait_until(lambda: can_connect(self.port), "Redis")

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.wait()

    def pause(self, paused: bool) -> None:
        self.process.signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def dead(self) -> list[dict[bytes, bytes]]:
        found: Any = self.client.xrange("deskbell:dead")
        return [fields for _, fields in found]

    def pending(self) -> int:
        found: Any = self.client.xpending("deskbell:publish", "deskbell")
        return int(found["pending"])

    def listeners(self) -> int:
        """How many processes hear the channel."""
        found: Any = self.client.pubsub_numsub("deskbell:publish")
        return int(found[0][1])

    def stop(self) -> None:
        self.client.close()
        self.process.signal(signal.SIGCONT)
        self.process.stop()


class Postgres:
    """A PostgreSQL of its own, on TCP and with its durability on, as a server would have it; it may be restarted."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if self._user:
            shutil.chown(folder, self._user)
        self._port = free_port()
        self._child: Child | None = None
        make = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "deskbell", "-A", "trust", "-E", "UTF8"]
        make += ["--locale=C", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, user=self._user, cwd=folder)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://deskbell@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = ["-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self._port)]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"]
        # SIGTERM would wait for every client to leave
        self._child = Child(
            [str(self._programs / "postgres"), *options, *settings],
            self._folder / "postgres.log",
            user=self._user,
            cwd=self._folder,
            stop_signal=signal.SIGINT,
        )
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        self._child.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL", 20)

    def pause(self, paused: bool) -> None:
        """All of it hangs: connections stand, and nothing is answered."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def kill_session(self) -> bool:
        """`kill -9` of a process that serves a server: all sessions end, and the rest recovers by itself."""
        for process in self._processes()[1:]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if "127.0.0.1" in " ".join(process.cmdline()):
                    process.kill()
                    return True
        return False

    def _processes(self) -> list[psutil.Process]:
        """The first is the one that starts the others."""
        if self._child is None or self._child.exit_code is not None:
            return []
        first = psutil.Process(self._child.pid)
        return [first, *first.children()]

    def stop(self) -> None:
        if self._child is not None:
            self.pause(False)
            self._child.stop()


@contextmanager
def running_postgres(folder: Path, programs: Path) -> Iterator[str]:
    """The URL of a PostgreSQL with one empty database, until the block ends."""
    server = Postgres(folder, programs)
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
