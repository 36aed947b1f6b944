"""The small client in the docs: what it says of the wire is enough to lose and repeat nothing."""

import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.desk.processes import Child, wait_for
from tests.desk.server import Login, Server

LogIn = Callable[[Server, str], Login]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "client.py"


@pytest.fixture
def bob(server: Server, log_in: LogIn) -> Login:
    server._options = ("--publish-rate", "0")
    server.start()
    return log_in(server, "bob")


@pytest.fixture
def start(server: Server, bob: Login, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    with ExitStack() as stack:

        def one_more(*message: str) -> Child:
            command = [sys.executable, str(EXAMPLE), server.url, bob.token, str(tmp_path / "messages.db"), *message]
            child = Child(command, tmp_path / "client.log")
            stack.callback(child.stop)
            return child

        yield one_more


def bodies(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "messages.db")) as file:
        return [row[0] for row in file.execute("SELECT data ->> 'body' FROM messages ORDER BY rowid")]


def test_it_has_everything_once_whatever_ends_in_between(
    server: Server, log_in: LogIn, tmp_path: Path, start: Callable[..., Child]
) -> None:
    alice = log_in(server, "alice")
    server.publish(alice, "bob", body="0")
    client = start()
    wait_for(lambda: "alice: 0" in client.log.read_text(), "the first message")
    server.publish(alice, "bob", "carol", body="1")
    wait_for(lambda: "alice: 1" in client.log.read_text(), "one that is pushed")
    client.signal(signal.SIGKILL)
    client.wait()
    for number in range(2, 250):
        server.publish(alice, "bob" if number % 2 else "carol", body=str(number))
    client = start()
    wait_for(lambda: bodies(tmp_path)[-1] == "249", "what came meanwhile, in more than one answer")
    server.stop()
    server.start()
    server.publish(alice, "bob", body="250")
    wait_for(lambda: bodies(tmp_path)[-1] == "250", "what came after a restart", 60)
    assert bodies(tmp_path) == ["0", "1", *map(str, range(3, 250, 2)), "250"]


def test_what_it_is_to_send_is_sent_once(server: Server, log_in: LogIn, start: Callable[..., Child]) -> None:
    alice = log_in(server, "alice")
    server.stop()
    client = start("alice", "hello")
    server.start()
    said = "SELECT count(*) FROM messages WHERE content ->> 'body' = 'hello'"
    wait_for(lambda: server.rows(said) == [(1,)], "it to be sent", 60)
    client.signal(signal.SIGKILL)
    client.wait()
    start()
    server.publish(alice, "bob", body="after")
    assert server.rows(said) == [(1,)]
