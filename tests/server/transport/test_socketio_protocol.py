"""Cases of the Socket.IO project's own protocol tests that no other test here has; protocol.md says where we differ."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.server.transport.conftest import Server
from tests.server.transport.raw import Raw
from tests.server.transport.test_polling import POLL, Poller, upgraded


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server("native", {"polling": True})
    yield server
    server.stop()


def ask(server: Server, method: str, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=Raw.patience)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_the_opening_packet_has_the_terms(server: Server) -> None:
    one = Raw(server.port)
    assert one.upgrade() == 101
    for opening, upgrades in ((ask(server, "GET", POLL)[1], ["websocket"]), (one.receive(), [])):
        assert opening[0] == "0"
        terms = json.loads(opening[1:])
        assert terms.keys() == {"sid", "upgrades", "pingTimeout", "pingInterval", "maxPayload"}
        assert terms["upgrades"] == upgrades


@pytest.mark.parametrize("query", ["transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc",
                                   "EIO=4&transport=", "EIO=4&t=transport="])  # fmt: skip
def test_who_names_no_version_or_no_transport_is_refused(server: Server, query: str) -> None:
    assert ask(server, "GET", f"/socket.io/?{query}")[0] == 400
    assert Raw(server.port).upgrade(f"/socket.io/?{query.replace('polling', 'websocket')}") == 400


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_session_begins_with_get(server: Server, method: str) -> None:
    assert ask(server, method, POLL)[0] in (400, 405)


def test_a_client_closes_its_session(server: Server) -> None:
    poller, one = Poller(server.port), Raw(server.port).opened()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=Raw.patience)) as hanging:
        hanging.request("GET", f"{POLL}&sid={poller.sid}")  # sent before the packet that ends it
        assert poller.post("1") == 200
        answer = hanging.getresponse()
        assert (answer.status, answer.read()) == (200, b"6")
    assert poller.poll()[0] == 400
    one.text("1")
    assert one.ended_within(5)


def test_after_an_upgrade_the_session_is_the_sockets(server: Server) -> None:
    poller = Poller(server.port)
    one = upgraded(poller)
    one.text('40{"token":"good"}')
    assert one.receive() == "6", "for a poll that could have hung"
    assert one.receive().startswith('40{"sid"')
    assert poller.poll()[0] == 400
    assert Raw(server.port).upgrade(f"/socket.io/?EIO=4&transport=websocket&sid={poller.sid}") == 400
    assert one.call("echo", "still here") == ["still here"]


def test_a_namespace_is_left_and_the_other_stays(server: Server) -> None:
    one = Raw(server.port).login()
    one.text('40/second,{"token":"good"}')
    assert one.receive().startswith('40/second,{"sid"')
    one.text("41/second,", '42/second,1["echo","gone"]', '422["echo","still here"]')
    assert one.receive() == '432["still here"]'


def test_who_connects_without_a_word_is_refused(server: Server) -> None:
    one = Raw(server.port).opened()
    one.text("40")
    assert json.loads(one.receive().removeprefix("44"))["data"]["code"] == "unauthorized"


def test_what_is_no_acknowledgements_number_is_a_strike(server: Server) -> None:
    one = Raw(server.port).login()
    one.text(*['42abc["echo",1]'] * 3)
    assert one.ended_within(5)
