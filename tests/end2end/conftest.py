"""Two people and their server; desktops come from the fixtures above. A test has its own copy of everything."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import DESKS, require_desk
from tests.desk.client import Client
from tests.desk.desktop import WHOLE, Desk, Parts
from tests.desk.server import Login, Server

PASSWORD = "correct horse"
PEOPLE = {"maria": "Maria Garcia", "alex": "", "陈晓明": "陈晓明"}

MakeClient = Callable[..., Client]


@pytest.fixture(scope="session")
def founded(session_folder: Path) -> Path:
    """A data folder with all accounts, made once by the administrator's commands."""
    place = session_folder / "founded"
    place.mkdir()
    server = Server(place)
    server.add_users(PEOPLE, PASSWORD)
    return server.data


@pytest.fixture
def server(founded: Path, folder: Path) -> Iterator[Server]:
    with Server(folder, "--publish-rate", "0") as running:
        shutil.copytree(founded, running.data)
        yield running.start()


@pytest.fixture
def maria(server: Server) -> Login:
    return server.login("maria", PASSWORD, "phone")


@pytest.fixture
def alex(server: Server) -> Login:
    return server.login("alex", PASSWORD, "the desk")


@pytest.fixture
def make_desk(folder: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    """Further desktops, each with its name and parts."""
    require_desk()
    desks: list[Desk] = request.node.stash.setdefault(DESKS, [])
    with ExitStack() as stack:

        def make(name: str, parts: Parts = WHOLE) -> Desk:
            desks.append(stack.enter_context(Desk(folder / name, parts)))
            return desks[-1]

        yield make


@pytest.fixture
def make_client(server: Server, make_desk: object) -> Iterator[MakeClient]:
    """Clients on a desk, stopped before any desk is; none of them may have said anything on its standard error."""
    clients: list[Client] = []

    def make(desk: Desk, name: str = "client") -> Client:
        clients.append(Client(desk, server, name))
        return clients[-1]

    yield make
    for client in clients:
        client.stop()
    assert [client.complaints() for client in clients] == [""] * len(clients)


@pytest.fixture
def client(desk: Desk, make_client: MakeClient, alex: Login) -> Client:
    """Alex's, connected."""
    client = make_client(desk).sign_in_beforehand(alex).start()
    client.wait_for_log("connected")
    return client
