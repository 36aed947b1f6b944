"""Attacks on a running server of its own process: what it must refuse, and what it may not cost.

The bounds that the stock kind cannot keep are named in `shortfalls`: their tests run on it all the same and must fail.
"""

import contextlib
import json
import select
import socket
import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest

from tests.server.transport.conftest import Server, eventually
from tests.server.transport.raw import PATH, Raw, frame, request

Spawn = Callable[..., Server]
MIB = 1 << 20
ASK = b"GET /address HTTP/1.1\r\nHost: x\r\n\r\n"


# -- size of messages, before and after login: A3


@pytest.mark.parametrize("logged_in", [False, True])
def test_an_announced_length_is_refused_unread(spawn: Spawn, kind: str, logged_in: bool) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.login() if logged_in else one.opened()
        one.send(bytes((0x81, 0xFF)) + (300 * MIB).to_bytes(8, "big") + b"mask")
        assert one.ended_within(10)
        assert one.code == 1009


@pytest.mark.parametrize("logged_in", [False, True])
def test_fragments_count_together_and_cost_no_memory(spawn: Spawn, kind: str, logged_in: bool) -> None:
    server = spawn(kind, fresh=True)
    with Raw(server.port) as one:
        one.login() if logged_in else one.opened()
        before = server.rss
        one.send(frame(b"4" + b"x" * 60_000, final=False))
        part = frame(b"x" * 60_000, 0, final=False)
        try:
            for _ in range(500):  # 30 MB, never finished
                one.send(part)
        except OSError:
            pass
        grown = server.rss - before
        assert grown < 2 * MIB
        with Raw(server.port) as other:
            other.login()
            assert other.call("echo", 1) == [1]


def test_a_message_of_the_limit_passes_and_one_more_byte_does_not(spawn: Spawn, kind: str) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.login()
        text = '42["echo","' + "x" * (65536 - 14) + '"]'
        one.send(frame(text + " " * (65536 - len(text))))
        assert one.call("echo", 1) == [1]
        one.send(frame(text + " " * (65537 - len(text))))
        assert one.ended_within(10)
        assert one.code == 1009


def test_no_compression_is_negotiated(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.send(request(Sec_WebSocket_Extensions="permessage-deflate"))
        data = b""
        while b"\r\n\r\n" not in data:
            data += one.socket.recv(65536)
        assert b"101" in data.split(b"\r\n")[0]
        assert b"permessage-deflate" not in data


# -- logins: A1, A5, A6


def test_without_a_login_it_is_closed_in_time(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, login_s=1.0, ping_interval_s=0.3).port) as one:
        one.opened().send(frame("3"), frame(b"", 9))
        started = time.monotonic()
        assert one.ended_within(10)
        assert time.monotonic() - started > 0.6


def test_after_the_last_namespace_is_left_it_must_log_in_again(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, login_s=1.0).port) as one:
        one.login().text("41")
        assert one.ended_within(10)


@pytest.mark.parametrize("token", ["bad", "raise", "type", "false"])
def test_refused_means_told_and_not_let_in(spawn: Spawn, kind: str, token: str) -> None:
    server = spawn(kind, fresh=True)
    with Raw(server.port) as one:
        one.opened().text("40" + json.dumps({"token": token}))
        answer = one.receive()
        assert answer.startswith('44{"message":'), answer
        assert ("unavailable" in answer) == (token in {"raise", "type"})
        assert "database" not in answer
    with Raw(server.port) as other:
        counts = other.login().call("counts")[0]
        assert counts["connects"] == 1
        assert "disconnects" not in counts


def test_refused_means_closed(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.opened().text('40{"token":"bad"}', '421["echo",1]', '40{"token":"good"}')
        started = time.monotonic()
        answers = [text for text in one.rest() if text.startswith("4")]
        assert len(answers) == 1
        assert answers[0].startswith("44")
        assert time.monotonic() - started < 5, "not when its login is due"


def test_many_logins_on_one_socket_are_one(spawn: Spawn, kind: str) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.opened().send(frame('40{"token":"bad"}') * 300)
        answers = [text for text in one.rest() if text.startswith("44")]
        assert len(answers) == 1


def test_a_client_that_leaves_during_its_login_leaves_nothing(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, fresh=True)
    with Raw(server.port) as one:
        one.opened().text('40{"token":"slow"}')
        eventually(lambda: server.logged("asked"))
    with Raw(server.port) as other:
        other.login()
        eventually(lambda: other.call("counts")[0].get("connects") == 2)
        eventually(lambda: other.call("counts")[0].get("disconnects") == 1)


def test_only_so_many_wait_for_their_login(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, waiting_max=5, login_s=3.0)
    known = Raw(server.port).login()
    waiting = [Raw(server.port).opened() for _ in range(5)]
    with Raw(server.port) as late:
        assert late.upgrade() == 503
    assert known.call("echo", 1) == [1]
    waiting[0].text('40{"token":"good"}')
    assert waiting[0].receive().startswith("40")
    with Raw(server.port) as next_one:
        next_one.login()

    def free_again() -> bool:
        with Raw(server.port) as one:
            return one.upgrade() == 101

    eventually(free_again)
    for one in (known, *waiting):
        one.socket.close()


@pytest.mark.parametrize("opening", [b"", b"GET / HTTP/1.1\r\nHost:", ASK, request()])
def test_who_is_of_no_use_gives_way_to_who_comes(spawn: Spawn, opening: bytes) -> None:
    """Nothing, half a head, a kept connection, an upgrade without a login: each fills the room of its kind."""
    server = spawn("native", waiting_max=4, http_max=4, patience_s=0.3)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(Raw(server.port)) for _ in range(4)]
        for one in idle:
            one.send(opening)

        def let_in() -> bool:
            with Raw(server.port) as late:
                late.send(request() if opening == request() else ASK)
                return late.answered() in (101, 200)

        eventually(let_in, 5)
        assert any(one.closed_within(1) for one in idle), "on a busy machine another than the first may have come first"


# -- events: A2, A4, A7, A8


def test_reserved_events_are_ignored(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, fresh=True).port) as one:
        one.login().text('421["connect",{"token":"good"}]', '422["disconnect","x"]', '423["connect"]')
        assert one.call("counts", number=9)[0] == {"connects": 1}
        assert one.call("echo", 1, number=10) == [1]


def test_events_before_a_login_do_nothing(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.opened().text('421["echo",1]', '422["counts"]', '40{"token":"good"}')
        assert one.receive().startswith("40")
        assert one.call("echo", 2, number=3) == [2]


@pytest.mark.parametrize(
    "text", ['459999999-["a",{"_placeholder":true,"num":0}]', '451-["echo",{"_placeholder":true}]']
)
def test_binary_events_end_the_connection(spawn: Spawn, kind: str, text: str) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.login().text(text)
        assert one.ended_within(10)
    eventually(lambda: server.logged("disconnected"))


def test_binary_messages_end_the_connection(spawn: Spawn, kind: str) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.login().send(frame(b"\x04binary", 2))
        assert one.ended_within(10)
    eventually(lambda: server.logged("disconnected"))


GARBAGE = ["42", "42[]", '42{"a":1}', "42[{}]", "42[1]", "430[1]", "43", "zzz", "42" + "[" * 3000 + "]" * 3000,
           '42["a",NaN]', '42["a",1e400]', '42["a","\ud800"]', '42["a","\\ud800"]', '42["a\x00"]', "4", "49", "44{}",
           "0{}"]  # fmt: skip


# On the stock kind a few stand for all: each waits to see that the socket stays open.
STRIKES = [("native", text) for text in GARBAGE] + [("stock", text) for text in ("42", "430[1]", "zzz")]


@pytest.mark.parametrize(("kind", "text"), STRIKES, indirect=["kind"], ids=[f"{k}-{t[:9]!a}" for k, t in STRIKES])
def test_three_strikes(spawn: Spawn, kind: str, text: str) -> None:
    server = spawn(kind)
    data = text.encode("utf-8", "surrogatepass")
    with Raw(server.port) as one:
        one.login()
        if b"\xed\xa0" in data or text == "430[1]":
            one.send(frame(data) * 3)
        else:
            one.send(frame(data) * 2)
            assert one.call("echo", "still here") == ["still here"]
            one.send(frame(data))
        if text == "430[1]":  # well-formed: an answer that nobody asked for
            assert one.call("echo", "still here") == ["still here"]
            one.text("41")
        else:
            assert one.ended_within(10)
    eventually(lambda: server.logged("disconnected"))
    assert not server.logged("Traceback")
    assert len(server.logged("LOG deskbell")) <= 1


def test_duplicate_keys_are_one_value(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.login().text('421["echo",{"a":1,"a":2}]')
        assert one.receive() == '431[{"a":2}]'


@pytest.mark.parametrize(
    ("code", "data"),
    [(1007, frame(b'42["\xff"]')), (1002, frame("3", mask=False)), (1002, frame("3", rsv=4)), (1002, frame("3", 5)),
     (1002, frame("3", 0)), (1002, frame(b"\x03\xed", 8)), (1003, frame(b"x", 2))],
    ids=["not UTF-8", "unmasked", "reserved bit", "reserved opcode", "lone continuation", "close code", "binary"],
)  # fmt: skip
def test_broken_frames_end_with_their_code(spawn: Spawn, kind: str, code: int, data: bytes) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        one.login().send(data)
        assert one.ended_within(10)
        assert one.code == code
    eventually(lambda: server.logged("disconnected"))
    assert not server.logged("Traceback")


def test_a_close_frame_is_answered(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.login().send(frame(b"\x03\xe8bye", 8))
        assert one.ended_within(10)
        assert one.code == 1000


def test_pings_of_the_protocol_below_are_answered(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.login().send(frame(b"are you there", 9))
        assert one.read_frame() == (10, b"are you there")


def test_a_failing_handler_is_answered_and_the_log_knows_it(spawn: Spawn, kind: str) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        answer = one.login().call("hot_fail")[0]
        assert answer["code"] == "internal"
        eventually(lambda: server.logged(answer["ref"]))
        assert one.call("echo", 1) == [1]


def test_a_flood_is_read_as_fast_as_it_is_handled(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, fresh=True)
    with Raw(server.port) as flooder, Raw(server.port) as other:
        flooder.login()
        other.login()
        before = server.rss
        flooder.text('421["busy",2]')
        part = frame('42["echo","' + "x" * 2000 + '"]') * 20
        flooder.socket.settimeout(0.3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 80 * MIB:
                sent += flooder.socket.send(part)
        assert sent < 80 * MIB
        assert server.rss - before < 2 * MIB
        assert other.call("echo", 1) == [1]
        flooder.socket.settimeout(flooder.patience)
        assert flooder.receive() == "431[1]"


def test_what_waits_costs_what_it_was_sent_as(spawn: Spawn) -> None:
    """64 KiB of `{}` are 1.5 MiB when they are parsed, and a client may send many before the first is handled."""
    server = spawn("native", fresh=True)
    with contextlib.ExitStack() as stack:
        flooders = [stack.enter_context(Raw(server.port)).login() for _ in range(6)]
        before = server.rss
        packet = frame('42["echo",' + "{}," * 21_000 + "1]")
        for one in flooders:
            one.text('421["busy",3]')
            one.socket.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                for _ in range(64):
                    one.socket.sendall(packet)
        assert server.rss - before < 24 * MIB
        with Raw(server.port) as other:
            assert other.login().call("echo", 1) == [1]


def test_small_frames_by_the_thousand_hold_nobody_up(spawn: Spawn) -> None:
    server = spawn("native")
    with Raw(server.port) as flooder, Raw(server.port) as other:
        flooder.login()
        other.login()
        stop = threading.Event()
        blob = (frame('42["counts"]') + frame(b"", 10)) * 3000

        def flood() -> None:
            while not stop.is_set():
                flooder.send(blob)

        thread = threading.Thread(target=flood)
        thread.start()
        times = []
        for number in range(200):
            started = time.monotonic()
            assert other.call("echo", number) == [number]
            times.append(time.monotonic() - started)
        stop.set()
        thread.join()
        assert sorted(times)[100] < 0.05


def test_events_of_one_connection_are_handled_in_order(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.login()
        one.text(*(f'42{n}["{"busy" if n % 2 else "counts"}",0.002]' for n in range(1, 101)))
        got = [one.receive() for _ in range(100)]
        assert [int(text[2 : text.index("[")]) for text in got] == list(range(1, 101))


def test_what_is_pipelined_behind_the_request_counts(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind).port) as one:
        one.send(request(), frame('40{"token":"good"}'), frame('421["echo",5]'))
        assert one.answered() == 101
        assert one.receive().startswith("0{")
        assert one.receive().startswith("40{")
        assert one.receive() == "431[5]"


# -- before the upgrade


def test_slow_heads_are_given_up(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, header_s=1.0)
    with Raw(server.port) as one:

        def trickle() -> None:
            for byte in request()[:-4]:
                one.send(bytes((byte,)))
                time.sleep(0.05)

        with pytest.raises(ConnectionError):  # before the last one
            trickle()
        assert one.closed_within(10)


@pytest.mark.parametrize("kept", [False, True])
def test_large_heads_are_refused(spawn: Spawn, kind: str, kept: bool) -> None:
    server = spawn(kind)
    with Raw(server.port) as one:
        if kept:
            one.send(b"GET /address HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.answered() == 200
            one.buffer = b""
        try:
            one.send(b"GET /address HTTP/1.1\r\n", b"X-Long: " + b"x" * 60_000 + b"\r\n")
            status = one.answered()
        except ConnectionError:
            status = 0
        assert status in {0, 400, 431}


def test_slow_bodies_and_large_bodies_are_refused(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, body_s=1.0, body_bytes=1000)
    post = b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    with Raw(server.port) as one:
        one.send(post % 1000 + b"x" * 1000)
        assert one.answered() == 200
        one.buffer = one.buffer[4:]
        one.send(post % 1001)
        assert one.answered() == 413
        assert one.closed_within(10)
    with Raw(server.port) as one:
        one.send(post % 100 + b"x")
        assert one.answered() == 408
    with Raw(server.port) as one:
        one.send(b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024)
        assert one.answered() in {400, 413}


POST = b"POST /size HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("head", [POST + b"Content-Length: 9999999\r\n\r\n", b"nonsense\r\n\r\n", b"X: y\n",
                                  b"GET /"])  # fmt: skip
def test_who_is_refused_while_still_sending_can_read_why(spawn: Spawn, head: bytes) -> None:
    server = spawn("native")
    with Raw(server.port) as one:
        one.send(head + b"x" * 300_000)
        assert select.select([one.socket], [], [], 5)[0], "it is refused by now"
        one.send(b"x" * 300_000)
        broken = select.poll()
        broken.register(one.socket, 0)
        assert broken.poll(300) == []
        assert one.answered() in {400, 413, 431}


def test_an_empty_line_before_a_request_is_none(spawn: Spawn) -> None:
    with Raw(spawn("native").port) as one:
        one.send(b"\r\n" + ASK)
        assert one.answered() == 200


def test_who_speaks_http_1_0_is_not_told_to_go_on(spawn: Spawn) -> None:
    with Raw(spawn("native").port) as one:
        one.send(b"POST /size HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
        assert one.answered() == 200


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "too_large"),
        (b"GET /address HTTP/1.1\r\nX-Long: " + b"x" * 17_000 + b"\r\n\r\n", 431, "too_large"),
        (b"GET /address HTTP/1.1\r\nHost: x\r\n", 408, "bad_request"),
        (POST + b"Content-Length: 5\r\n\r\nx", 408, "bad_request"),
        (POST + b"Content-Length: 9999999\r\n\r\n", 413, "too_large"),
        (POST + b"Content-Length: minus\r\n\r\n", 400, "bad_request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n", 400, "bad_request"),
        (request(Origin="http://evil.example"), 403, "forbidden"),
    ],
)
def test_what_never_reaches_the_application_is_refused_like_everything_else(
    spawn: Spawn, sent: bytes, status: int, code: str
) -> None:
    server = spawn("native", header_s=1.0, body_s=1.0)
    with Raw(server.port) as one:
        one.send(sent)
        assert one.answered() == status
        head = one.head.lower()
        assert b"content-type: application/json" in head
        while more := one.socket.recv(65536):
            one.buffer += more
        assert f"content-length: {len(one.buffer)}".encode() in head
        said = json.loads(one.buffer)
        assert said["code"] == code
        assert said["message"].endswith(".")


def test_kept_connections_end_when_idle(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, idle_s=0.5).port) as one:
        one.send(b"GET /address HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.answered() == 200
        assert one.closed_within(10)


def test_only_so_many_requests_at_a_time(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, http_max=3)
    kept = [Raw(server.port) for _ in range(3)]
    for one in kept:
        one.send(b"GET /address HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.answered() == 200
    with Raw(server.port) as late:
        late.send(b"GET /address HTTP/1.1\r\nHost: x\r\n\r\n")
        assert late.answered() == 503
    with Raw(server.port) as upgraded:
        upgraded.login()
    for one in kept:
        one.socket.close()


@pytest.mark.parametrize("path", [PATH + "&sid=x", PATH.replace(".", "%2E")], ids=["with a sid", "encoded"])
def test_no_other_way_to_a_websocket(spawn: Spawn, kind: str, path: str) -> None:
    with Raw(spawn(kind).port) as one:
        assert one.upgrade(path) == 400


@pytest.mark.parametrize(
    ("origin", "status"), [("http://evil.example", {400, 403}), ("null", {400, 403}), ("http://here", {101})]
)
def test_foreign_pages_are_refused(spawn: Spawn, kind: str, origin: str, status: set[int]) -> None:
    with Raw(spawn(kind).port) as one:
        assert one.upgrade(PATH, Origin=origin, X_Forwarded_Host="evil.example", X_Forwarded_Proto="http") in status


# -- slow readers: F13


def measure(one: Raw, count: int) -> float:
    """The median of a round trip, in seconds."""
    times = []
    for number in range(count):
        started = time.monotonic()
        assert one.call("counts", number=number) is not None
        times.append(time.monotonic() - started)
    return median(times)


@pytest.mark.parametrize("pongs", [False, True])
def test_a_slow_reader_is_closed_and_costs_nobody_else(spawn: Spawn, kind: str, pongs: bool) -> None:
    server = spawn(kind, fresh=True)
    others = [Raw(server.port).login() for _ in range(2)]
    normal = max(measure(others[0], 200), 0.002)
    slow = Raw(server.port, receive_buffer=4096).login()
    fds, before = server.fds - 1, server.rss
    sid = slow.call("whoami")[0]
    flood: dict[str, Any] = {"to": sid, "size": 50_000, "count": 400, "pause": 0.001}
    others[1].text("421" + json.dumps(["flood", flood]))
    if pongs:
        slow.send(frame("3") * 50)
    during = measure(others[0], 500)
    eventually(lambda: server.logged("disconnected transport error"), 10)
    eventually(lambda: server.fds <= fds, 10)
    eventually(lambda: server.rss - before < 5 * MIB, 10)
    assert during < max(3 * normal, 0.05)
    for one in (slow, *others):
        one.socket.close()


def test_too_many_small_frames_close_a_slow_reader(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, out_frames=20, out_bytes=1 << 30)
    with Raw(server.port, receive_buffer=4096) as slow, Raw(server.port) as other:
        sid = slow.login().call("whoami")[0]
        other.login().text("421" + json.dumps(["flood", {"to": sid, "size": 60_000, "count": 300, "pause": 0.001}]))
        eventually(lambda: server.logged("disconnected transport error"), 10)


def test_a_reader_that_takes_nothing_is_closed(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, stall_s=1.0, out_bytes=1 << 30, out_frames=1 << 20)
    with Raw(server.port, receive_buffer=4096) as slow, Raw(server.port) as other:
        sid = slow.login().call("whoami")[0]
        other.login().text("421" + json.dumps(["flood", {"to": sid, "size": 60_000, "count": 200, "pause": 0.001}]))
        eventually(lambda: server.logged("disconnected transport error"), 8)


def test_a_slow_reader_within_the_bounds_gets_everything_in_order(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, out_bytes=100 * MIB, out_frames=10_000)
    with Raw(server.port, receive_buffer=4096) as slow, Raw(server.port) as other:
        slow.login()
        other.login()
        sid = slow.call("whoami")[0]
        other.text("421" + json.dumps(["flood", {"to": sid, "size": 50_000, "count": 300}]))
        assert other.receive() == "431[1]"
        for _ in range(300):
            text = slow.receive()
            assert text.startswith('42["bulk",{')
            assert len(json.loads(text[2:])[1]["body"]) == 50_000
        assert slow.call("echo", 1) == [1]


# -- pings


def test_a_client_that_answers_no_ping_is_closed(spawn: Spawn, kind: str) -> None:
    server = spawn(kind, ping_interval_s=0.3, ping_timeout_s=0.5)
    with Raw(server.port) as one:
        one.login()
        started = time.monotonic()
        assert one.ended_within(10)
        assert time.monotonic() - started > 0.6
    eventually(lambda: server.logged("disconnected ping timeout"))


def test_a_client_that_answers_stays(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, ping_interval_s=0.3, ping_timeout_s=2.0).port) as one:
        one.login()
        for _ in range(10):  # longer than the timeout
            assert one.read_frame() == (1, b"2")
            one.text("3")


def test_a_handler_that_takes_long_costs_no_ping_timeout(spawn: Spawn, kind: str) -> None:
    with Raw(spawn(kind, ping_interval_s=0.3, ping_timeout_s=2.0).port) as one:
        one.login()
        one.text('421["busy",3]')
        one.send(frame('42["counts"]') * 200)
        assert one.receive() == "431[1]"
        assert one.call("echo", 1) == [1]


# -- many


def test_idle_connections_cost_little_and_give_it_back(spawn: Spawn) -> None:
    server = spawn("native", fresh=True)
    watcher = Raw(server.port).login()
    fds, before = server.fds, server.rss
    ones = [Raw(server.port).login() for _ in range(2000)]
    assert (server.rss - before) / len(ones) < 8 * 1024
    assert server.fds == fds + len(ones)
    assert server.watched.num_threads() < 20
    for one in ones:
        one.socket.close()
    eventually(lambda: watcher.call("counts")[0].get("disconnects") == len(ones), 20)
    assert server.fds == fds


def test_everybody_leaves_at_once(spawn: Spawn) -> None:
    server = spawn("native", fresh=True)
    watcher = Raw(server.port).login()
    ones = [Raw(server.port) for _ in range(1000)]
    for one in ones:
        one.send(request(), frame('40{"token":"good"}'))
    for one in ones:
        assert one.answered() == 101
    eventually(lambda: watcher.call("counts")[0]["connects"] == 1001, 30)
    for number, one in enumerate(ones):
        if number % 2:
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        one.socket.close()
    longest = 0.0

    def all_gone() -> bool:
        nonlocal longest
        started = server.worked_s
        gone = watcher.call("counts")[0].get("disconnects", 0)
        longest = max(longest, server.worked_s - started)
        return bool(gone == 1000)

    eventually(all_gone, 20)
    assert longest < 0.5
    assert not server.logged("Traceback")
    watcher.socket.close()
