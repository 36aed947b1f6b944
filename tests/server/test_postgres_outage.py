"""A server whose PostgreSQL restarts, cuts its sessions, or is slow: 503 meanwhile, nothing lost, back by itself."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import absent
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.desk.services import Postgres, find_postgres
from tests.server.conftest import PASSWORDS
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
MESSAGES = "/api/v1/messages"


@pytest.fixture
def postgres(session_folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL of the test's own."""
    programs = find_postgres()
    if programs is None:
        absent("PostgreSQL")
    place = session_folder / "own-postgres"
    place.mkdir()
    own = Postgres(place, programs)
    try:
        own.start()
        yield own
    finally:
        own.stop()
        shutil.rmtree(place)


@pytest.fixture
def server(folder: Path, postgres: Postgres) -> Iterator[Server]:
    with Server(folder) as own:
        own.database = postgres.url
        for name, password in list(PASSWORDS.items())[:2]:
            own.add_user(name, password)
        yield own


def test_a_restart_is_503_meanwhile_and_heals_within_five_seconds(
    server: Server, postgres: Postgres, log_in: LogIn, connect: Connect
) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, bob.token)
    kept = [server.publish(alice, "bob", body="before")]
    pid = server.process.pid
    postgres.stop()
    body = {"to": ["bob"], "body": "meanwhile"}
    answer = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    on_socket = wire.ask("send", {"cid": "c", "to": ["alice"], "body": "x"})
    assert (on_socket["ok"], on_socket["code"]) == (False, "unavailable")
    wait_for(lambda: server.ask("GET", "/healthz").status == 503, "healthz to say so")
    postgres.start()
    wait_for(
        lambda: server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k").status in (200, 201),
        "it to heal",
        15,  # for a slow machine
    )
    again = server.ask("POST", MESSAGES, body, alice.token, Idempotency_Key="k")
    assert again.body["duplicate"]
    kept.append(again.body["id"])
    wait_for(server.is_up, "healthz to say so")
    assert [event["id"] for event in wire.sync()["events"]] == kept
    assert wire.connected
    assert (server.process.pid, server.process.exit_code) == (pid, None)


def test_cut_sessions_are_nobodys_business(server: Server, postgres: Postgres, log_in: LogIn, connect: Connect) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    wire = connect(server, bob.token)
    for number in range(3):
        with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'deskbell%'"
            )
        server.publish(alice, "bob", body=str(number))
        assert len(wire.sync()["events"]) == number + 1


def test_it_does_not_start_where_commits_do_not_wait_for_the_disk(server: Server, postgres: Postgres) -> None:
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("ALTER SYSTEM SET synchronous_commit = off")
        other.execute("SELECT pg_reload_conf()")
    server.start(wait=False)
    assert server.process.wait(20) == 1
    assert "--i-accept-loss" in server._log.read_text()
    server._options = ("--i-accept-loss",)
    server.start()
