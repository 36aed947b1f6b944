"""A disk that hangs, and one that is full, below SQLite: everybody is answered in time, and who watches is told."""

import resource
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.server.conftest import PASSWORDS
from tests.server.wires import Wire

IN_TIME_S = 9.0
"""Five, and more for a machine that is busy; one wait after the other would be ten."""


@pytest.fixture
def hang(folder: Path) -> Path:
    """While this file is there, the disk hangs."""
    return folder / "the disk hangs"


@pytest.fixture
def house(
    folder: Path, furnished: Path, hang: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Server]:
    monkeypatch.setenv("TORTURE_HANG", str(hang))
    with Server(folder, *getattr(request, "param", ())) as server:
        shutil.copytree(furnished, server.data)
        server.program = [sys.executable, "-m", "tests.torture.launch"]
        yield server.start()
        hang.unlink(missing_ok=True)


@pytest.fixture
def alice(house: Server) -> Login:
    return house.login("alice", PASSWORDS["alice"])


def publish(house: Server, alice: Login, key: str) -> int:
    body = {"to": ["bob"], "body": key}
    return house.ask("POST", "/api/v1/messages", body, alice.token, Idempotency_Key=key).status


def test_a_disk_that_hangs_keeps_nobody_waiting(house: Server, alice: Login, hang: Path) -> None:
    assert publish(house, alice, "before") == 201
    with Wire(house.url, alice.token) as wire, ThreadPoolExecutor(4) as pool:
        hang.touch()
        began = time.monotonic()
        said = pool.submit(wait_for, lambda: house.ask("GET", "/healthz").status == 503, "it to be said", IN_TIME_S)
        sent = pool.submit(wire.ask, "send", {"cid": "wire", "to": ["bob"], "body": "b"})
        published = pool.submit(publish, house, alice, "during")
        log_in = {"username": "bob", "password": PASSWORDS["bob"], "device": "d"}
        login = pool.submit(house.ask, "POST", "/api/v1/login", log_in)
        assert sent.result()["ok"] is False
        assert published.result() in (500, 503)
        assert login.result().status in (500, 503)
        assert time.monotonic() - began < IN_TIME_S
        said.result()
    hang.unlink()
    wait_for(lambda: publish(house, alice, "during") in (200, 201), "it to go on", IN_TIME_S)
    wait_for(lambda: house.ask("GET", "/healthz").status == 200, "that to be said", IN_TIME_S)
    bodies = [row[0] for row in house.rows("SELECT content ->> 'body' FROM messages")]
    assert sorted(set(bodies) - {"b"}) == ["before", "during"]
    assert len(bodies) == len(set(bodies))


def test_a_server_ends_though_its_disk_hangs(house: Server, alice: Login, hang: Path) -> None:
    hang.touch()
    assert publish(house, alice, "lost or not") in (500, 503)
    assert house.process.stop(20) == 0


@pytest.mark.parametrize("house", [("--workers", "2")], indirect=True)
def test_processes_end_in_order_though_their_disk_hangs(house: Server, hang: Path) -> None:
    """Each says goodbye to the others in the database, and learns there that it cannot."""
    wait_for(
        lambda: len(house.rows("SELECT key FROM meta WHERE key LIKE 'online:%'")) == 2, "both to know of each other"
    )
    hang.touch()
    assert house.process.stop(15) == 0


def test_a_full_disk_is_said_and_heals(house: Server, alice: Login) -> None:
    assert publish(house, alice, "before") == 201
    process, log = house.process.pid, house.data / "deskbell.db-wal"
    _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (log.stat().st_size + 8_192, most))
    wait_for(lambda: house.ask("GET", "/healthz").status == 503, "it to be said though nobody writes", 15)
    assert publish(house, alice, "during") in (500, 503)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
    wait_for(lambda: house.ask("GET", "/healthz").status == 200, "it to be well again", IN_TIME_S)
    assert publish(house, alice, "during") in (200, 201)
    assert [row[0] for row in house.rows("SELECT content ->> 'body' FROM messages")] == ["before", "during"]
