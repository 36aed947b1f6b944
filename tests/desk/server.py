"""A Deskbell server as its own process, used as its administrator and a sender would."""

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deskbell_server.process.config import DATABASE_NAME
from tests.desk.processes import Child, free_port
from tests.desk.seen import with_views

PROGRAM = Path(sys.executable).with_name("deskbell-server")
ALL_IN_ONE = """
import json, sys
from deskbell_server.cli import command
for arguments in json.loads(sys.argv[1]):
    command(arguments, standalone_mode=False)
"""


@dataclass(frozen=True)
class Login:
    """A device's token and whom it belongs to."""

    token: str
    user: Mapping[str, Any]
    device: Mapping[str, Any]
    server: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.user["name"])


@dataclass(frozen=True)
class Answer:
    """What an HTTP request came back with."""

    status: int
    body: Any


class Server:
    """`data` outlives a stop, so that the server can come back where it was, on the same port."""

    def __init__(self, folder: Path, *serve_options: str) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._options = serve_options
        self.program = [str(PROGRAM)]
        """What is started to serve."""
        self.database = ""
        """The URL of its database, where it is not a file in `data`."""
        self._env = {key: value for key, value in os.environ.items() if not key.startswith("DESKBELL_")}
        self._child: Child | None = None

    # -- as its administrator --------------------------------------------------------------------------------------

    def command(self, *args: str, stdin: str = "") -> str:
        """What `deskbell-server --data … ARGS` prints. Raises RuntimeError with its words when it fails."""
        done = subprocess.run(
            [str(PROGRAM), *self._common, *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._env,
            timeout=30,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"deskbell-server {' '.join(args)}: {done.stderr or done.stdout}")
        return done.stdout

    def add_users(self, people: Mapping[str, str], password: str) -> None:
        """Several accounts, name to display, by as many commands in one process: starting it is what takes the time."""
        commands = [[*self._common, "user", "add", name, "--display", shown] for name, shown in people.items()]
        done = subprocess.run(
            [sys.executable, "-c", ALL_IN_ONE, json.dumps(commands)],
            input=f"{password}\n" * len(commands),
            capture_output=True,
            text=True,
            env=self._env,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"user add: {done.stderr or done.stdout}")

    @property
    def _common(self) -> list[str]:
        """The options before the command."""
        return ["--data", str(self.data), *(["--database", self.database] if self.database else [])]

    def add_user(self, name: str, password: str, *options: str) -> None:
        self.command("user", "add", name, *options, stdin=password + "\n")

    @property
    def process(self) -> Child:
        assert self._child, "the server was not started"
        return self._child

    def start(self, *, wait: bool = True) -> Self:
        self.stop()
        command = [*self.program, *self._common, "serve", "--port", str(self.port), *self._options]
        self._child = Child(command, self._log, env=self._env)
        if wait:
            self.wait_until_up()
        return self

    def wait_until_up(self) -> None:
        self.process.wait_until(self.is_up, "the server to answer", 20)

    def is_up(self) -> bool:
        try:
            return self.ask("GET", "/healthz").status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    # -- as one who uses it ----------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, token: str = "", **headers: str) -> Answer:
        """One HTTP request. An error status is an answer, no connection an OSError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"))

    def login(self, name: str, password: str, device: str = "test") -> Login:
        answer = self.ask("POST", "/api/v1/login", {"username": name, "password": password, "device": device})
        if answer.status != 200:
            raise RuntimeError(f"login of {name}: {answer}")
        return Login(answer.body["token"], answer.body["user"], answer.body["device"], answer.body["server"])

    def publish(self, sender: Login, *to: str, body: str, **more: object) -> str:
        """Send a message; its id."""
        answer = self.ask("POST", "/api/v1/messages", {"to": list(to), "body": body, **more}, sender.token)
        if answer.status != 201:
            raise RuntimeError(f"publish: {answer}")
        return str(answer.body["id"])

    def publish_at_once(self, sender: Login, messages: list[dict[str, Any]], beside: int = 16) -> list[str]:
        """Send over several connections beside each other; the ids. (On one connection each waits for the last.)"""
        shares = [messages[number::beside] for number in range(beside)]
        with ThreadPoolExecutor(beside) as pool:
            return [id_ for ids in pool.map(lambda share: self._publish_all(sender, share), shares) for id_ in ids]

    def _publish_all(self, sender: Login, messages: list[dict[str, Any]]) -> list[str]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sender.token}"}
        ids = []
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            for message in messages:
                connection.request("POST", "/api/v1/messages", json.dumps(message), headers)
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status != 201:
                    raise RuntimeError(f"publish: {answer.status} {body}")
                ids.append(body["id"])
        return ids

    # -- as one who looks into its file ----------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What its database holds, read beside it; with `messages` and `views` as in `seen.py`."""
        sql = with_views(sql)
        if self.database:
            return self._rows_of_postgres(sql, values)
        with closing(
            sqlite3.connect(f"{(self.data / DATABASE_NAME).absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            return connection.execute(sql, values).fetchall()

    def _rows_of_postgres(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.database.replace("+psycopg", "")) as connection:
            return connection.execute(sql.replace("?", "%s").encode(), values).fetchall()

    def bodies_from(self, sender: Login) -> list[str]:
        """Bodies of all that this user wrote, oldest first."""
        rows = self.rows("SELECT content ->> 'body' FROM messages WHERE sender_id = ? ORDER BY seq", sender.user["id"])
        return [body for (body,) in rows]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
