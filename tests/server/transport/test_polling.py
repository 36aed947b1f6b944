"""Clients by long polling: beside WebSockets, and within the same bounds."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.server.transport.conftest import Server, eventually
from tests.server.transport.raw import Raw, frame

Spawn = Callable[..., Server]
POLL = "/socket.io/?EIO=4&transport=polling"
BETWEEN = "\x1e"


class Poller:
    """A client that polls when a test says so, and only then."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._path = POLL
        status, text = self.poll()
        self.status = status
        self.sid = json.loads(text[1:])["sid"] if status == 200 else ""
        self._path = f"{POLL}&sid={self.sid}"

    def _ask(self, method: str, body: str | None = None) -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=Raw.patience)) as connection:
            connection.request(method, self._path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def poll(self) -> tuple[int, str]:
        return self._ask("GET")

    def post(self, *texts: str) -> int:
        return self._ask("POST", BETWEEN.join(texts))[0]

    def login(self) -> "Poller":
        assert self.post('40{"token":"good"}') == 200
        assert '40{"sid"' in self.poll()[1]
        return self


def answers(server: Server) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=Raw.patience)) as connection:
        connection.request("GET", "/address")
        return connection.getresponse().status == 200


def test_a_poll_beside_a_websocket_hinders_nobody(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, polling=True, ping_interval_s=0.3, ping_timeout_s=0.4)
    one = Raw(server.port).login()
    assert Poller(server.port).status == 200
    for _ in range(4):
        time.sleep(0.25)
        assert answers(server)
        assert one.call("echo", 1) == [1]
    assert server.logged("Traceback") == []


def test_who_polls_and_does_not_log_in_is_ended(spawn: Spawn) -> None:
    server = spawn("native", polling=True, login_s=1.5)
    poller = Poller(server.port)
    assert poller.poll() == (200, "1")
    assert poller.poll()[0] == 400


def test_only_so_many_wait_for_their_login(spawn: Spawn) -> None:
    server = spawn("native", polling=True, waiting_max=3, login_s=3.0)
    assert [Poller(server.port).status for _ in range(4)] == [200, 200, 200, 503]
    assert Raw(server.port).upgrade() == 503
    eventually(lambda: Poller(server.port).status == 200)


def test_logins_make_room_for_others(spawn: Spawn) -> None:
    server = spawn("native", polling=True, waiting_max=2)
    for _ in range(4):
        Poller(server.port).login()
    assert Poller(server.port).status == 200


def test_who_does_not_fetch_is_closed(spawn: Spawn) -> None:
    server = spawn("native", polling=True, out_frames=16)
    slow, other = Poller(server.port).login(), Raw(server.port).login()
    assert slow.post('421["join","crowd"]') == 200
    assert other.call("flood", {"to": "crowd", "count": 12, "size": 10}) == [1]
    assert slow.poll()[1].count('42["bulk"') == 12
    assert other.call("flood", {"to": "crowd", "count": 40, "size": 10}) == [1]
    eventually(lambda: counts(other).get("disconnects") == 1)
    assert slow.poll()[0] == 400


def test_too_many_bytes_close_too(spawn: Spawn) -> None:
    server = spawn("native", polling=True, out_bytes=100_000)
    slow, other = Poller(server.port).login(), Raw(server.port).login()
    assert slow.post('421["join","crowd"]') == 200
    assert other.call("flood", {"to": "crowd", "count": 9, "size": 20_000}) == [1]
    eventually(lambda: counts(other).get("disconnects") == 1)


def test_pings_tell_who_is_there(spawn: Spawn) -> None:
    server = spawn("native", polling=True, ping_interval_s=0.3, ping_timeout_s=2.0)
    there, gone = Poller(server.port).login(), Poller(server.port).login()
    for _ in range(10):  # longer than the timeout
        assert there.poll() == (200, "2")
        assert there.post("3") == 200
    assert gone.poll()[0] == 400
    assert there.post('422["echo",5]') == 200
    assert "432[5]" in there.poll()[1]
    eventually(lambda: len(server.logged("disconnected ping timeout")) == 1)


def upgrading(poller: Poller) -> Raw:
    client = Raw(poller.port)
    assert client.upgrade(f"/socket.io/?EIO=4&transport=websocket&sid={poller.sid}") == 101
    return client


def upgraded(poller: Poller) -> Raw:
    client = upgrading(poller)
    client.text("2probe")
    assert client.receive() == "3probe"
    client.text("5")
    return client


def test_an_upgrade_that_stops_halfway_is_ended(spawn: Spawn) -> None:
    server = spawn("native", polling=True, login_s=0.5)
    assert upgrading(Poller(server.port)).ended_within(5)


def test_only_one_upgrade_at_a_time(spawn: Spawn) -> None:
    poller = Poller(spawn("native", polling=True).port)
    upgrading(poller)
    assert Raw(poller.port).upgrade(f"/socket.io/?EIO=4&transport=websocket&sid={poller.sid}") == 400


def test_who_was_upgraded_and_does_not_log_in_is_ended_whatever_is_sent(spawn: Spawn) -> None:
    server = spawn("native", polling=True, login_s=0.5)
    client = upgraded(Poller(server.port))

    def goes_on() -> None:
        for _ in range(100):
            client.text("2")
            time.sleep(0.05)

    with pytest.raises(OSError, match=r"reset|[Pp]ipe"):
        goes_on()


def test_what_is_too_long_for_one_message_is_not_kept(spawn: Spawn) -> None:
    server = spawn("native", polling=True, max_message=100_000)
    client = upgrading(Poller(server.port))
    client.send(frame(b"x" * 300_000))
    assert client.closed_within(5)


def test_nonsense_ends_who_was_upgraded(spawn: Spawn) -> None:
    server = spawn("native", polling=True)
    client = upgraded(Poller(server.port))
    client.text("zz")
    assert client.ended_within(5)
    assert server.logged("Traceback") == []


def test_nonsense_ends_who_polls(spawn: Spawn) -> None:
    server = spawn("native", polling=True)
    poller = Poller(server.port).login()
    assert poller.post("abc") == 400
    assert poller.poll()[0] == 400
    assert server.logged("Traceback") == []


def counts(client: Raw) -> Any:
    return client.call("counts")[0]
