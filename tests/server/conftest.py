"""A running server, a database with people in it, and Socket.IO clients: what the server's tests begin with."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import LiteralString

import pytest
from gevent import get_hub

from deskbell_server.people.people import People
from deskbell_server.process.config import make_storage
from deskbell_server.process.services import open_people
from tests.desk.processes import free_port
from tests.desk.server import Login, Server
from tests.server.wires import Wire

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.real))
FURNISHED = "furnished"
PASSWORDS = {"alice": "correct horse 1", "bob": "battery staple 2", "carol": "third password 3"}


@pytest.fixture(autouse=True)
def loop_time() -> None:
    """The loop's time is brought up: it stood since a test last ran the loop, and gevent's timers count from it."""
    get_hub().loop.update_now()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind: "" for a file in the data folder, else the URL of a PostgreSQL."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def people(folder: Path, database_url: str) -> Iterator[People]:
    """The services about people on a fresh database, in this process."""
    with open_people(make_storage(folder / "data", database_url), make=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has alice (an admin), bob and carol, and never ran."""
    server = Server(tmp_path_factory.mktemp("furnished"))
    for name, password in PASSWORDS.items():
        server.add_user(name, password, *(["--admin"] if name == "alice" else []))
    return server.data


@pytest.fixture(scope="session")
def furnished_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database with these three, to be copied."""
    server = Server(tmp_path_factory.mktemp("furnished-postgres"))
    server.database = f"{postgres_server.removesuffix('/postgres')}/{FURNISHED}"
    on_postgres(postgres_server, "CREATE DATABASE {}", FURNISHED)
    for name, password in PASSWORDS.items():
        server.add_user(name, password, *(["--admin"] if name == "alice" else []))
    return server.database


@pytest.fixture(scope="module", params=KINDS)
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, furnished: Path
) -> Iterator[Server]:
    """A running server with these three, shared by the tests of one module that leave it alive; once on each kind."""
    with Server(tmp_path_factory.mktemp("office"), "--log-level", "debug") as server, ExitStack() as stack:
        shutil.copytree(furnished, server.data)
        if request.param == "postgres":
            server.database = stack.enter_context(copied(request.getfixturevalue("furnished_postgres")))
            stack.callback(server.stop)
        yield server.start()


@pytest.fixture
def postgres_office(furnished_postgres: str) -> Iterator[str]:
    """The URL of a database of the test's own with these three."""
    with copied(furnished_postgres) as url:
        yield url


@contextmanager
def copied(url: str) -> Iterator[str]:
    name = f"{FURNISHED}_{free_port()}"
    on_postgres(url, "CREATE DATABASE {} TEMPLATE {}", name, FURNISHED)
    yield url.removesuffix(FURNISHED) + name
    on_postgres(url, "DROP DATABASE {} WITH (FORCE)", name)


def on_postgres(url: str, statement: LiteralString, *names: str) -> None:
    """Runs a statement about whole databases."""
    import psycopg
    from psycopg import sql

    admin = url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def server(folder: Path, furnished: Path) -> Iterator[Server]:
    """A server of the test's own with these three, not yet started."""
    with Server(folder, "--log-level", "debug") as own:
        shutil.copytree(furnished, own.data)
        yield own


@contextmanager
def pair(folder: Path, furnished: Path, postgres: str, *options: str) -> Iterator[tuple[Server, Server]]:
    """Two servers, not yet started, on one database; with the URL of a `postgres`, each has its own data folder."""
    servers = []
    for name in ("first", "second"):
        place = folder / name
        place.mkdir()
        servers.append(Server(place, "--publish-rate", "0", "--log-level", "debug", *options))
    first, second = servers
    shutil.copytree(furnished, first.data)
    if postgres:
        shutil.copytree(furnished, second.data)
        first.database = second.database = postgres
    else:
        second.data = first.data
    with first, second:
        yield first, second


@pytest.fixture(params=KINDS)
def shared_url(request: pytest.FixtureRequest) -> str:
    """A database with these three for a `pair` of servers: "" for a file, else the URL of a PostgreSQL."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_office"))


@pytest.fixture
def log_in() -> Iterator[Callable[[Server, str], Login]]:
    """A new device of one of the people above, signed out afterwards: a person may have twenty."""
    with ExitStack() as stack:

        def one_more(server: Server, name: str) -> Login:
            login = server.login(name, PASSWORDS[name], f"{name}'s device")
            stack.callback(log_out, server, login)
            return login

        yield one_more


def log_out(server: Server, login: Login) -> None:
    with suppress(OSError):
        server.ask("POST", "/api/v1/logout", token=login.token)


@pytest.fixture
def connect() -> Iterator[Callable[[Server, str], Wire]]:
    """A stock Socket.IO client, signed in with a token, whatever it receives kept in order."""
    with ExitStack() as stack:

        def one_more(server: Server, token: str) -> Wire:
            wire = stack.enter_context(Wire(server.url, token))
            if wire.connected:
                answer = wire.sync(limit=1)
                wire.since = answer.get("epoch", ""), answer.get("head", 0)
            return wire

        yield one_more
