"""The cases of the Socket.IO project's own protocol tests, each with the test that has it here; those that no other
module has stand below. Where we differ on purpose, and why, is said in docs/protocol.md.
"""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.server.transport.conftest import Server
from tests.server.transport.raw import Raw
from tests.server.transport.test_polling import POLL, Poller, upgraded

HERE = "test_socketio_protocol"
CASES = {
    "polling: a session is opened": (HERE, "test_the_opening_packet_has_the_terms"),
    "polling: an invalid EIO is refused": (HERE, "test_who_names_no_version_or_no_transport_is_refused"),
    "polling: an invalid transport is refused": (HERE, "test_who_names_no_version_or_no_transport_is_refused"),
    "polling: an invalid method is refused": (HERE, "test_a_session_begins_with_get"),
    "WebSocket: a session is opened": (HERE, "test_the_opening_packet_has_the_terms"),
    "WebSocket: an invalid EIO is refused": (HERE, "test_who_names_no_version_or_no_transport_is_refused"),
    "WebSocket: an invalid transport is refused": (HERE, "test_who_names_no_version_or_no_transport_is_refused"),
    "polling: ping and pong": ("test_polling", "test_pings_tell_who_is_there"),
    "polling: without a pong it is closed": ("test_polling", "test_pings_tell_who_is_there"),
    "WebSocket: ping and pong": ("test_bounds", "test_a_client_that_answers_stays"),
    "WebSocket: without a pong it is closed": ("test_bounds", "test_a_client_that_answers_no_ping_is_closed"),
    "polling: the client closes": (HERE, "test_a_client_closes_its_session"),
    "polling: two polls at a time": (HERE, "test_two_polls_at_a_time_end_the_session"),
    "WebSocket: the client closes": (HERE, "test_a_client_closes_its_session"),
    "upgrade": ("test_conformance", "test_long_polling_and_upgrade"),
    "upgrade: requests of that sid are refused": (HERE, "test_after_an_upgrade_the_session_is_the_sockets"),
    "upgrade: a second WebSocket of that sid is refused": (HERE, "test_after_an_upgrade_the_session_is_the_sockets"),
    "connect to /": (HERE, "test_who_connects_without_a_word_is_refused"),
    "connect to / with a payload": ("test_conformance", "test_context_of_a_handler"),
    "connect to another namespace": (HERE, "test_a_namespace_is_left_and_the_other_stays"),
    "connect to another namespace with a payload": ("test_conformance", "test_a_second_namespace"),
    "connect to an unknown namespace": ("test_conformance", "test_an_unknown_namespace_is_refused"),
    "connect with an invalid handshake": ("test_bounds", "test_three_strikes"),
    "connect not at all": ("test_bounds", "test_without_a_login_it_is_closed_in_time"),
    "disconnect from /": ("test_bounds", "test_after_the_last_namespace_is_left_it_must_log_in_again"),
    "disconnect from another namespace": (HERE, "test_a_namespace_is_left_and_the_other_stays"),
    "an event": ("test_conformance", "test_several_arguments_send_and_json"),
    "an event with an acknowledgement": ("test_conformance", "test_acknowledgements_and_tuples"),
    "a binary event": ("test_bounds", "test_binary_events_end_the_connection"),
    "a binary event with an acknowledgement": ("test_bounds", "test_binary_events_end_the_connection"),
    "an unknown packet": ("test_bounds", "test_three_strikes"),
    "an invalid payload": ("test_bounds", "test_three_strikes"),
    "an invalid number of an acknowledgement": (HERE, "test_what_is_no_acknowledgements_number_is_a_strike"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_test(case: str) -> None:
    module, test = CASES[case]
    assert f"\ndef {test}(" in Path(__file__).with_name(f"{module}.py").read_text()


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


def test_two_polls_at_a_time_end_the_session(server: Server) -> None:
    poller = Poller(server.port)
    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(lambda _: ask(server, "GET", f"{POLL}&sid={poller.sid}"), range(2)))
    assert answers[0] == (200, "1")
    assert answers[1][0] == 400
    assert poller.poll()[0] == 400


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
