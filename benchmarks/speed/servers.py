"""The servers that are measured: how each is prepared, started, asked what it uses, and ended."""

import hashlib
import hmac
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.build import Tools
from benchmarks.speed.names import account_name
from benchmarks.speed.usage import Usage, usage

START_S = 60.0
STOP_S = 60.0
SECRET = "benchmark"
PORTS = (21000, 29999)
"""Below the ephemeral ports, which the clients use up by the ten thousand."""
DATABASE = "deskbell.db"
LOG = "server.log"


@dataclass(frozen=True)
class Variant:
    """`key` names it in the results. For Deskbell, `options` go behind `serve`; for the peers they are their own."""

    key: str
    label: str
    kind: str
    options: tuple[str, ...] = ()
    entry: tuple[str, ...] = ("-m", "deskbell_server")
    """How Python is told to run it."""

    @property
    def dialect(self) -> str:
        return "deskbell" if self.kind == "deskbell" else "peer"


VARIANTS = {
    variant.key: variant
    for variant in (
        Variant("deskbell", "Deskbell", "deskbell"),
        Variant("baseline", "the baseline", "deskbell"),
        Variant("relaxed", "Deskbell, relaxed durability", "deskbell", ("--database-sync", "normal")),
        Variant("single", "Deskbell, one commit per request", "deskbell", ("--commit-jobs", "1")),
        Variant("stock", "stock Flask-SocketIO", "deskbell", ("--transport", "stock")),
        Variant("node", "Node", "node"),
        Variant("node_sql", "Node + better-sqlite3", "node", (DATABASE,)),
        Variant("node-recovery", "Node, recovery", "node", ("recovery",)),
        Variant("bun", "Bun", "bun"),
        Variant("ceiling", "C epoll", "ceiling"),
    )
}


class Running:
    """One started server with a folder of its own; `restart` keeps folder and port."""

    def __init__(
        self, command: list[str], folder: Path, port: int, environment: dict[str, str], accounts: Path
    ) -> None:
        self.folder = folder
        self.port = port
        self.accounts = accounts
        self._command = command
        self._environment = environment
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> Usage:
        if self._process.poll() is not None:
            raise RuntimeError(f"the server ended with code {self._process.returncode}: {self.last_words()}")
        return usage(self.pid)

    def kill(self) -> None:
        """kill -9: what a power cut leaves behind, as far as a process can show it."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """SIGTERM: what an administrator's restart sends first."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the server does not end: {self.last_words()}") from None

    def restart(self) -> None:
        """Returns at once: whoever measures waits for the port."""
        self._process = self._spawn()

    def stored(self, sql: str) -> int:
        """One number out of the server's database."""
        file = self.folder / DATABASE
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return int(connection.execute(sql).fetchone()[0])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self.folder / LOG).open("ab") as log:
            return subprocess.Popen(self._command, cwd=self.folder, env=self._environment, stdout=log, stderr=log)

    def _start(self) -> subprocess.Popen[bytes]:
        process = self._spawn()
        deadline = time.monotonic() + START_S
        while not _answers(self.port):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RuntimeError(f"the server did not start: {self.last_words()}")
            time.sleep(0.02)
        return process

    def last_words(self) -> str:
        """The end of what the server printed, on one line."""
        return " | ".join((self.folder / LOG).read_text(errors="replace").split("\n")[-8:]).strip(" |")


class Servers:
    """Prepares accounts once for each number of them, and starts variants on copies."""

    def __init__(self, tools: Tools, work: Path, python: str | None) -> None:
        self.tools = tools
        self._work = work
        self._python = python
        self._started = 0

    def available(self, variant: Variant) -> bool:
        if variant.kind == "deskbell":
            return self._python is not None
        programs = {"node": self.tools.node, "bun": self.tools.bun, "ceiling": self.tools.ceiling}
        return programs[variant.kind] is not None

    def start(self, variant: Variant, accounts: int) -> Running:
        self._started += 1
        folder = self._work / f"{self._started:03}-{variant.key}"
        folder.mkdir(mode=0o700)
        port = _free_port()
        tokens = self._prepare(variant, accounts, folder)
        environment = {**os.environ, "BENCHMARK_SECRET": SECRET}
        running = Running(self._command(variant, folder, port), folder, port, environment, tokens)
        time.sleep(0.3)  # let start-up work end; nothing waits for it
        return running

    def stop(self, running: Running) -> None:
        """Ends the server and throws its folder away."""
        running.kill()
        shutil.rmtree(running.folder)

    def _command(self, variant: Variant, folder: Path, port: int) -> list[str]:
        if variant.kind == "ceiling":
            return [str(self.tools.ceiling), str(port)]
        if variant.kind in ("node", "bun"):
            assert self.tools.node
            runtime = str(self.tools.bun) if variant.kind == "bun" else "node"
            return [runtime, str(self.tools.node / "node_server.js"), str(port), *variant.options]
        assert self._python
        serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--publish-rate", "0", *variant.options]
        return [self._python, *variant.entry, "--data", str(folder), *serve]

    def _prepare(self, variant: Variant, accounts: int, folder: Path) -> Path:
        if variant.kind != "deskbell":
            return self._signed_tokens(accounts)
        tokens = self._work / f"tokens-{accounts}"
        template = self._work / f"accounts-{accounts}.db"
        if not template.exists():
            assert self._python
            made = [self._python, "-m", "benchmarks.speed.accounts", str(template), str(tokens), str(accounts)]
            subprocess.run(made, cwd=Path(__file__).resolve().parents[2], check=True)
        shutil.copy(template, folder / DATABASE)
        os.sync()  # so that writing the copy back does not disturb the first commits
        return tokens

    def _signed_tokens(self, accounts: int) -> Path:
        file = self._work / f"signed-{accounts}"
        if not file.exists():
            names = [account_name(number) for number in range(accounts)]
            signed = [(name, hmac.new(SECRET.encode(), name.encode(), hashlib.sha256).hexdigest()) for name in names]
            file.write_text("".join(f"{name} {name}.{signature}\n" for name, signature in signed))
        return file


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    for port in random.sample(range(*PORTS), 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
