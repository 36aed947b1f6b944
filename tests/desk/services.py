"""Real PostgreSQL and Redis for a test run: found on the machine, each in a folder of its own, ended by its id."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def running_postgres(folder: Path, programs: Path) -> Iterator[str]:
    """The URL of a PostgreSQL with one empty database, on TCP and with its durability on, as a server would have it."""
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = str(folder / "data")
    make = [
        str(programs / "initdb"),
        "-D",
        data,
        "-U",
        "deskbell",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(make, check=True, capture_output=True, user=user, cwd=folder)
    port = free_port()
    options = ["-D", data, "-k", str(folder), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    # SIGTERM would wait for every client to leave
    command = [str(programs / "postgres"), *options, "-c", "max_connections=60"]
    with Child(command, folder / "postgres.log", user=user, cwd=folder, stop_signal=signal.SIGINT) as server:
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        server.wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL", 20)
        yield f"postgresql+psycopg://deskbell@127.0.0.1:{port}/postgres"
