"""A running server, a database with people in it, and Socket.IO clients: what the server's tests begin with."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from deskbell_server.config import Place
from deskbell_server.services import People, open_people
from tests.desk.server import Login, Server
from tests.server.wires import Wire

PASSWORDS = {"alice": "correct horse 1", "bob": "battery staple 2", "carol": "third password 3"}


@pytest.fixture
def people(folder: Path) -> Iterator[People]:
    """The services about people on a fresh database, in this process."""
    place = Place(folder / "data", folder / "data" / "deskbell.db")
    with open_people(place) as opened:
        yield opened


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has alice (an admin), bob and carol, and never ran."""
    server = Server(tmp_path_factory.mktemp("furnished"))
    for name, password in PASSWORDS.items():
        server.add_user(name, password, *(["--admin"] if name == "alice" else []))
    return server.data


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, furnished: Path) -> Iterator[Server]:
    """A running server with these three, shared by the tests of one module that leave it alive."""
    with Server(tmp_path_factory.mktemp("office"), "--log-level", "debug") as server:
        shutil.copytree(furnished, server.data)
        yield server.start()


@pytest.fixture
def server(folder: Path, furnished: Path) -> Iterator[Server]:
    """A server of the test's own with these three, not yet started."""
    with Server(folder, "--log-level", "debug") as own:
        shutil.copytree(furnished, own.data)
        yield own


@pytest.fixture
def log_in() -> Iterator[Callable[[Server, str], Login]]:
    """A new device of one of the people above, logged out afterwards: a person may have twenty."""
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
    """A stock Socket.IO client, logged in with a token, whatever it receives kept in order."""
    with ExitStack() as stack:
        yield lambda server, token: stack.enter_context(Wire(server.url, token))
