"""Policies of the doors: every route says what it needs, and an error inside lets nobody in."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from deskbell_protocol import names
from deskbell_protocol.errors import HTTP_STATUS, Code
from deskbell_server.edge.gate import Gate, Needs
from deskbell_server.errors import UnavailableError
from deskbell_server.ingest.socket import SocketDoor
from deskbell_server.people.devices import Devices
from deskbell_server.people.people import People
from deskbell_server.people.tickets import KEY_BYTES, Tickets
from deskbell_server.process.app import Server
from deskbell_server.process.config import Settings, Storage

PAGES = {"web_files.inbox", "web_files.admin", "web_files.password", "web_files.setup", "web_files.file"} | {
    "web_files.diagnostics"
}
SIGN_IN = {"web_session.session", "web_session.login", "web_session.check_link", "web_session.choose_password"}
BY_COOKIE = {"web_session.logout", "web_session.ticket", "web_admin.confirm"}
OPEN = {"api.login", "health.healthz", "setup.check", "setup.make", "web_admin.session", "web_diagnostics.facts"}


@pytest.fixture
def built(people: People, folder: Path) -> Server:
    storage = Storage(folder / "data", folder / "data" / "deskbell.db")
    return Server(
        Settings(
            storage=storage,
            host="127.0.0.1",
            port=0,
            workers=1,
            polling=False,
            transport="native",
            publish_rate=20.0,
            diagnostics="admin",
            allowed_origin=(),
            trusted_proxy=(),
            tls_cert=None,
            tls_key=None,
            database_sync="full",
            commit_jobs=512,
            retention_days=0.0,
            retention_events=0,
            i_accept_loss=False,
            log_level="info",
        ),
        people,
    )


def test_every_route_declares_what_it_needs_and_only_these_are_open(built: Server) -> None:
    declared = {endpoint: getattr(view, "needs", None) for endpoint, view in built.flask.view_functions.items()}
    assert None not in declared.values()
    assert {name for name, need in declared.items() if need is Needs.NOTHING} == OPEN | PAGES | SIGN_IN
    assert {name for name, need in declared.items() if need is Needs.SESSION} == BY_COOKIE
    administration = {name for name in declared if name.startswith("web_admin.")} - BY_COOKIE - OPEN
    assert {name for name, need in declared.items() if need is Needs.ADMIN} == administration
    assert len(declared) > 30


def test_a_route_that_forgot_to_declare_is_closed(people: People) -> None:
    app = Flask("forgetful")
    Gate(people.devices).install(app)
    app.add_url_rule("/oops", "oops", lambda: Response("secret"))
    answer = app.test_client().get("/oops")
    assert answer.status_code == 403
    assert b"secret" not in answer.data


class BrokenDevices(Devices):
    """The database fails while a token is looked up."""

    def __init__(self, database: Any, problem: Exception) -> None:
        super().__init__(database, Tickets(bytes(KEY_BYTES)))
        self._problem = problem

    def identify(self, token: str) -> Any:  # noqa: ARG002 - it fails before
        raise self._problem


@pytest.mark.parametrize(
    ("problem", "status"), [(UnavailableError(), 503), (RuntimeError("x"), 500), (KeyError("user"), 500)]
)
def test_an_error_while_a_token_is_looked_up_lets_nobody_in(people: People, problem: Exception, status: int) -> None:
    app = Flask("broken")
    Gate(BrokenDevices(people.database, problem)).install(app)

    def view() -> Response:
        return Response("secret")

    view.needs = Needs.TOKEN  # type: ignore[attr-defined]
    app.add_url_rule("/x", "x", view)
    answer = app.test_client().get("/x", headers={"Authorization": "Bearer t"})
    assert answer.status_code == status
    assert b"secret" not in answer.data
    if status == 503:
        assert answer.headers["Retry-After"] == "1"


def test_every_client_event_has_a_handler() -> None:
    for event in names.CLIENT_EVENTS:
        assert callable(getattr(SocketDoor, f"on_{event}"))


def test_every_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(Code)
