"""Ordinary Flask-SocketIO programs behave the same on both kinds, seen through python-socketio's clients."""

import asyncio
import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import flask_socketio
import pytest
import socketio
from flask import Flask, request, session

from deskbell_server.transport import ConnectionRefusedError, Later, Options, Transport, make_transport  # noqa: A004
from deskbell_server.transport.connection import INBOX
from tests.server.transport.conftest import eventually, serving
from tests.server.wires import StockClient


class Front(flask_socketio.Namespace):
    def __init__(self) -> None:
        super().__init__("/")
        self.gone: list[str] = []
        self.acked: list[Any] = []
        self.sids: list[str] = []

    def on_connect(self, auth: Any = None) -> None:
        if auth == {"token": "bad"}:
            raise ConnectionRefusedError("no entry", {"code": "unauthorized"})
        self.sids.append(request.sid)  # type: ignore[attr-defined]
        flask_socketio.join_room("everyone")

    def on_disconnect(self, reason: str) -> None:
        self.gone.append(reason)

    def on_echo(self, *args: Any) -> Any:
        return args

    def on_nothing(self) -> None:
        return None

    def on_context(self, data: Any) -> Any:
        seen = request.event["args"] == (data,)  # type: ignore[attr-defined]
        return request.sid, request.event["message"], request.namespace, seen, request.remote_addr  # type: ignore[attr-defined]

    def on_remember(self, value: Any) -> Any:
        before, session["value"] = session.get("value"), value
        return before

    def on_to_room(self, data: dict[str, Any]) -> None:
        flask_socketio.emit("news", data["body"], to=data["room"], include_self=data.get("self", True))

    def on_enter(self, room: str) -> list[str]:
        flask_socketio.join_room(room)
        return sorted(flask_socketio.rooms())

    def on_leave(self, room: str) -> list[str]:
        flask_socketio.leave_room(room)
        return sorted(flask_socketio.rooms())

    def on_everybody(self, body: Any) -> None:
        flask_socketio.emit("news", body, broadcast=True)

    def on_several(self) -> None:
        flask_socketio.emit("several", (1, "two", {"three": 3}))
        flask_socketio.send("a message")
        flask_socketio.emit("json", {"a": 1})

    def on_ask_me(self, question: Any) -> None:
        flask_socketio.emit("question", question, callback=lambda *answer: self.acked.append(answer))

    def on_fail(self) -> None:
        raise LookupError("inside")

    def on_kick_me(self) -> None:
        flask_socketio.disconnect()

    def on_binary(self) -> None:
        flask_socketio.emit("bytes", {"data": b"\x00\xff", "n": 1})


class Second(flask_socketio.Namespace):
    def on_connect(self) -> None:
        flask_socketio.join_room("everyone")

    def on_echo(self, *args: Any) -> Any:
        return args

    def on_to_room(self, data: dict[str, Any]) -> None:
        flask_socketio.emit("news", data["body"], to=data["room"])


class Greeting(flask_socketio.Namespace):
    """Talks to whom it has not let in yet."""

    def __init__(self) -> None:
        super().__init__("/greeting")
        self.acked: list[Any] = []

    def on_connect(self, auth: Any = None) -> None:
        flask_socketio.join_room("hall")
        flask_socketio.emit("hello", {"n": 1})
        flask_socketio.emit("hall", "somebody comes", to="hall")
        flask_socketio.emit("all", "somebody new", broadcast=True)
        flask_socketio.emit("not you", "you are skipped", broadcast=True, include_self=False)
        flask_socketio.emit("question", 21, callback=lambda *answer: self.acked.append(answer))
        if auth == {"token": "bad"}:
            raise ConnectionRefusedError("no entry", {"code": "unauthorized"})


class Program:
    def __init__(self, kind: str, **options: Any) -> None:
        app = Flask("program")
        app.config["SECRET_KEY"] = "for tests"
        app.add_url_rule("/hello", view_func=lambda: "hello")
        self.transport: Transport = make_transport(app, Options(kind=kind, **options))  # type: ignore[arg-type]
        self.io = self.transport.socketio
        self.front = Front()
        self.io.on_namespace(self.front)
        self.io.on_namespace(Second("/test"))
        self.greeting = Greeting()
        self.io.on_namespace(self.greeting)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.transport.port}"


@pytest.fixture
def program(kind: str) -> Iterator[Program]:
    made = Program(kind)
    with serving(made.transport):
        yield made


@pytest.fixture
def client(program: Program) -> Iterator[Callable[..., socketio.Client]]:
    clients: list[socketio.Client] = []

    def connect(*events: str, **options: Any) -> socketio.Client:
        made = StockClient()
        made.got = []
        for event in events:
            made.on(event, lambda *args, event=event: made.got.append((event, *args)))
        clients.append(made)
        made.connect(program.url, **{"transports": ["websocket"]} | options)
        return made

    yield connect
    for made in clients:
        if made.connected and made.transport() == "websocket":
            with contextlib.suppress(OSError):
                made.eio.ws.sock.shutdown(socket.SHUT_RDWR)  # else it waits seconds for a stock server's close frame
        made.disconnect()
        if getattr(made.eio.ws, "sock", None):
            made.eio.ws.sock.close()  # engineio forgets it where the server ended the connection


def test_acknowledgements_and_tuples(client: Callable[..., Any]) -> None:
    one = client()
    assert one.call("echo", (1, "zwei", {"三": [3]})) == (1, "zwei", {"三": [3]})
    assert one.call("echo", "x" * 50_000) == "x" * 50_000
    assert one.call("nothing") is None


def test_context_of_a_handler(client: Callable[..., Any], program: Program) -> None:
    sid, message, namespace, seen, address = client().call("context", {"a": 1})
    assert [sid] == program.front.sids
    assert (message, namespace, seen, address) == ("context", "/", True, "127.0.0.1")


def test_session_lasts_as_long_as_the_connection(client: Callable[..., Any]) -> None:
    one, other = client(), client()
    assert [one.call("remember", n) for n in (1, 2, 3)] == [None, 1, 2]
    assert other.call("remember", 9) is None


def test_rooms(client: Callable[..., Any], program: Program) -> None:
    one, two, three = client("news"), client("news"), client("news")
    sid = one.call("context", 0)[0]
    assert one.call("enter", "red") == sorted([sid, "everyone", "red"])
    two.call("enter", "red")
    three.call("to_room", {"room": "red", "body": 1})
    two.call("to_room", {"room": "red", "body": 2, "self": False})
    assert two.call("leave", "red").count("red") == 0
    three.call("to_room", {"room": "red", "body": 3})
    three.call("to_room", {"room": sid, "body": 4})
    three.call("to_room", {"room": ["red", "everyone"], "body": 5})
    program.io.emit("news", 6, to="nobody is here")
    program.io.close_room("red")
    three.call("to_room", {"room": "red", "body": 7})
    eventually(lambda: len(one.got) == 5)
    eventually(lambda: len(two.got) == 2 and len(three.got) == 1)
    assert [body for _, body in one.got] == [1, 2, 3, 4, 5]
    assert [body for _, body in two.got] == [1, 5]


def test_a_sid_room_is_nobody_elses(client: Callable[..., Any], program: Program) -> None:
    one, _two = client(), client()
    with pytest.raises(ValueError, match="sid room"):
        program.transport.join(program.front.sids[1], program.front.sids[0])
    assert one.call("echo", 1) == 1


def test_emit_from_anywhere(client: Callable[..., Any], program: Program, kind: str) -> None:
    one = client("news")
    program.io.start_background_task(lambda: None)
    program.transport.call_soon(program.io.emit, "news", 1)
    if kind == "native":  # stock queues are not for foreign threads
        threading.Thread(target=program.io.emit, args=("news", 2)).start()
    one.call("everybody", 3)
    expected = [1, 2, 3] if kind == "native" else [1, 3]
    eventually(lambda: sorted(body for _, body in one.got) == expected)


def test_several_arguments_send_and_json(client: Callable[..., Any]) -> None:
    one = client("several", "message", "json")
    one.call("several")
    eventually(lambda: len(one.got) == 3)
    assert sorted(one.got) == [("json", {"a": 1}), ("message", "a message"), ("several", 1, "two", {"three": 3})]


def test_callbacks_when_the_client_acknowledges(client: Callable[..., Any], program: Program) -> None:
    one = client()
    one.on("question", lambda question: (question * 2, "yes"))
    one.call("ask_me", 21)
    eventually(lambda: program.front.acked == [(42, "yes")])


def test_binary_may_be_sent_but_not_received(client: Callable[..., Any], program: Program) -> None:
    one = client("bytes")
    one.call("binary")
    eventually(lambda: one.got == [("bytes", {"data": b"\x00\xff", "n": 1})])
    one.emit("echo", b"\x00")
    eventually(lambda: not one.connected)
    assert len(program.front.gone) == 1


def test_a_failing_handler_is_answered(client: Callable[..., Any]) -> None:
    answer = client().call("fail")
    assert (answer["ok"], answer["code"]) == (False, "internal")
    assert "inside" not in str(answer)


def test_error_handlers_keep_their_say(client: Callable[..., Any], program: Program) -> None:
    program.io.on_error()(lambda error: {"handled": str(error)})
    assert client().call("fail") == {"handled": "'inside'"} or client().call("fail") == {"handled": "inside"}


def test_a_second_namespace(client: Callable[..., Any]) -> None:
    one = client("news", namespaces=["/", "/test"])
    one.on("news", lambda body: one.got.append(("test", body)), namespace="/test")
    assert one.call("echo", (1, 2), namespace="/test") == (1, 2)
    one.call("to_room", {"room": "everyone", "body": "below"}, namespace="/test")
    one.call("to_room", {"room": "everyone", "body": "above"})
    eventually(lambda: len(one.got) == 2)
    assert sorted(one.got) == [("news", "above"), ("test", "below")]


GREETED = ("hello", "hall", "all", "not you", "question")


def test_what_a_connect_handler_sends_arrives(client: Callable[..., Any], program: Program) -> None:
    one = client()
    one.disconnect()
    got: list[Any] = []
    for event in GREETED:
        one.on(event, lambda body, event=event: got.append(event) or (body, "yes"), namespace="/greeting")  # type: ignore[func-returns-value]
    one.connect(program.url, transports=["websocket"], namespaces=["/greeting"])
    eventually(lambda: sorted(got) == ["all", "hall", "hello", "question"])
    eventually(lambda: program.greeting.acked == [(21, "yes")])


def test_who_is_refused_gets_nothing_of_it(program: Program, kind: str) -> None:
    one, got = StockClient(), list[str]()
    for event in GREETED:
        one.on(event, lambda _body, event=event: got.append(event), namespace="/greeting")
    with pytest.raises(socketio.exceptions.ConnectionError):
        one.connect(program.url, transports=["websocket"], namespaces=["/greeting"], auth={"token": "bad"})
    if kind == "native":  # python-socketio's own manager has sent it by then
        assert got == []


def test_an_unknown_namespace_is_refused(client: Callable[..., Any]) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        client(namespaces=["/nowhere"])


def test_the_refusal_of_an_unknown_namespace_has_the_shape_of_all_others(program: Program) -> None:
    one, told = StockClient(), list[Any]()
    one.on("connect_error", told.append, namespace="/nowhere")
    with pytest.raises(socketio.exceptions.ConnectionError):
        one.connect(program.url, transports=["websocket"], namespaces=["/nowhere"], auth={"token": "good"})
    data = {"code": "not_found", "fatal": True}
    assert told == [{"message": "there is no such namespace", "data": data}]


def test_refusal_carries_message_and_data(program: Program) -> None:
    one, told = StockClient(), list[Any]()
    one.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        one.connect(program.url, transports=["websocket"], auth={"token": "bad"})
    assert told == [{"message": "no entry", "data": {"code": "unauthorized"}}]
    assert program.front.gone == []


def test_disconnect_reasons(client: Callable[..., Any], program: Program) -> None:
    one = client()
    one.emit("kick_me")
    eventually(lambda: program.front.gone == ["server disconnect"])
    two = client()
    two.eio._send_packet(socketio.client.engineio.packet.Packet(socketio.client.engineio.packet.MESSAGE, "1"))
    eventually(lambda: program.front.gone[1:] == ["client disconnect"])
    three = client()
    three.eio.ws.sock.shutdown(socket.SHUT_RDWR)
    eventually(lambda: program.front.gone[2:] == ["transport close"])


def test_close_and_disconnect_room(client: Callable[..., Any], program: Program) -> None:
    one, two, three = client(), client(), client()
    first = program.front.sids[0]
    program.transport.close(first)
    eventually(lambda: not one.connected)
    program.transport.disconnect_room("everyone")
    eventually(lambda: not two.connected and not three.connected)
    eventually(lambda: program.front.gone == ["server disconnect"] * 3)
    assert program.transport.members("everyone") == []


def test_hot_events_in_order_and_below_flask(kind: str) -> None:
    program = Program(kind)
    seen: list[Any] = []
    transport = program.transport

    def keep(_sid: str, data: Any) -> dict[str, Any]:
        seen.append(data)
        return {"got": data}

    transport.hot("hot", keep)
    transport.hot("inline", keep, inline=True)
    transport.hot("bare", lambda _sid, data: data, inline=True)
    transport.hot("wrong", lambda _sid, _data: 1 // 0)
    waiting: list[Later] = []

    def later(_sid: str, _data: Any) -> Later:
        waiting.append(Later())
        return waiting[-1]

    transport.hot("later", later, inline=True)
    with serving(transport):
        one = StockClient()
        one.connect(program.url, transports=["websocket"])
        for number in range(300):
            one.emit("hot" if number % 3 else "inline", number)
        assert one.call("hot", "last") == {"got": "last"}
        assert seen == [*range(300), "last"]
        assert one.call("bare") is None
        assert one.call("wrong")["code"] == "internal"
        answers: list[Any] = []
        one.emit("later", 1, callback=answers.append)
        one.emit("inline", "after", callback=answers.append)
        eventually(lambda: len(waiting) == 1)
        assert seen[-1] == "last"
        transport.call_soon(waiting[0].answer, "now")
        eventually(lambda: answers == ["now", {"got": "after"}])
        one.disconnect()


def test_events_of_one_name_need_not_wait_for_each_others_answers() -> None:
    """Those of another name wait for all of them, and all answers come in the order of the events."""
    program, waiting, seen = Program("native"), list[Later](), list[Any]()

    def later(_sid: str, data: Any) -> Later:
        seen.append(data)
        waiting.append(Later())
        return waiting[-1]

    program.transport.hot("later", later, inline=True)
    program.transport.hot("inline", lambda _sid, data: seen.append(data), inline=True)
    program.transport.hot("hot", lambda _sid, data: seen.append(data))
    with serving(program.transport):
        one = StockClient()
        one.connect(program.url, transports=["websocket"])
        answers: list[Any] = []
        for number in range(100):
            one.emit("later", number, callback=answers.append)
        one.emit("inline", "inline", callback=lambda: answers.append("inline"))
        one.emit("hot", "hot", callback=lambda: answers.append("hot"))
        one.emit("later", "last", callback=answers.append)
        eventually(lambda: len(waiting) == INBOX)
        assert seen == list(range(INBOX)), "so many at a time"
        for number in reversed(range(INBOX)):
            program.transport.call_soon(waiting[number].answer, number)
        for number in range(INBOX, 100):
            eventually(lambda number=number: len(waiting) > number)  # type: ignore[misc]
            program.transport.call_soon(waiting[number].answer, number)
        eventually(lambda: len(waiting) == 101)
        program.transport.call_soon(waiting[100].answer, "last")
        eventually(lambda: len(answers) == 103)
        assert answers == [*range(100), "inline", "hot", "last"]
        assert seen == [*range(100), "inline", "hot", "last"]
        one.disconnect()


def test_who_sends_more_than_is_held_waits_for_the_answer_and_keeps_nobody_busy() -> None:
    program, waiting, seen, resumed = Program("native"), list[Later](), list[Any](), list[int]()

    def later(_sid: str, _data: Any) -> Later:
        waiting.append(Later())
        return waiting[-1]

    program.transport.hot("later", later, inline=True)
    program.transport.hot("hot", lambda _sid, data: seen.append(data))
    with serving(program.transport):
        one, two = StockClient(), StockClient()
        for client in (one, two):
            client.connect(program.url, transports=["websocket"])
        reactor = program.transport.server.eio.reactor  # type: ignore[attr-defined]
        resume_soon = reactor.resume_soon

        def counted(resume: Callable[[], object]) -> None:
            resumed.append(1)
            resume_soon(resume)

        reactor.resume_soon = counted
        one.emit("later", 0)
        for number in range(4 * INBOX):
            one.emit("hot", number)
        for _ in range(50):
            two.call("hot", "two")
        assert len(resumed) < INBOX
        program.transport.call_soon(waiting[0].answer, 0)
        eventually(lambda: [number for number in seen if number != "two"] == list(range(4 * INBOX)))
        for client in (one, two):
            client.disconnect()


def test_hot_logins(kind: str) -> None:
    program = Program(kind)
    transport = program.transport
    ended: list[tuple[str, str, list[str]]] = []

    def connect(sid: str, auth: Any, environ: Any) -> None:
        if auth["token"] == "bad":
            raise ConnectionRefusedError("no entry", {"code": 7})
        if auth["token"] == "broken":
            raise OSError("database is away")
        assert environ["REMOTE_ADDR"] == "127.0.0.1"
        transport.join(sid, "u:1")

    transport.hot_connect(connect)
    transport.hot_disconnect(lambda sid, reason: ended.append((sid, reason, transport.members("u:1"))))
    with serving(transport):
        for token, told in (("bad", {"message": "no entry", "data": {"code": 7}}), ("broken", None)):
            errors: list[Any] = []
            one = StockClient()
            one.on("connect_error", errors.append)
            with pytest.raises(socketio.exceptions.ConnectionError):
                one.connect(program.url, transports=["websocket"], auth={"token": token})
            assert errors[0] == told or (told is None and errors[0]["data"]["code"] == "unavailable")
        got: list[Any] = []
        one = StockClient()
        one.on("event", got.append)
        one.connect(program.url, transports=["websocket"], auth={"token": "good"})
        sid = one.get_sid()
        assert transport.members("u:1") == [sid]
        transport.fan_out("event", [("u:1", b'{"seq":1,'), ("u:2", b'{"seq":9,')], b'"text":"\xc3\xa4"}')
        eventually(lambda: got == [{"seq": 1, "text": "ä"}])
        transport.close(sid)
        eventually(lambda: ended == [(sid, "server disconnect", [sid])])
        assert program.front.sids == []


def test_unknown_events_are_answered_when_asked_for(kind: str) -> None:
    program = Program(kind, unknown=lambda event: {"ok": False, "unknown": event})
    with serving(program.transport):
        one = StockClient()
        one.connect(program.url, transports=["websocket"])
        assert one.call("what is this") == {"ok": False, "unknown": "what is this"}
        assert one.call("echo", 1) == 1
        one.disconnect()


def test_the_asynchronous_client(program: Program) -> None:
    async def talk() -> None:
        one = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        got: list[Any] = []
        one.on("news", got.append)
        one.on("question", lambda question: question + 1)
        await one.connect(program.url, transports=["websocket"])
        assert await one.call("echo", {"a": "ä" * 9000}) == {"a": "ä" * 9000}
        for number in range(200):
            await one.emit("to_room", {"room": "everyone", "body": number})
        await one.call("ask_me", 1)
        until = time.monotonic() + 10
        while (len(got) < 200 or not program.front.acked) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        assert got == list(range(200))
        await one.disconnect()

    asyncio.run(talk())
    assert program.front.acked == [(2,)]


def test_http_on_the_same_port(program: Program) -> None:
    with urllib.request.urlopen(program.url + "/hello", timeout=5) as answer:
        assert answer.read() == b"hello"


def test_long_polling_is_off_unless_asked_for(program: Program) -> None:
    with pytest.raises(urllib.request.HTTPError) as caught:
        urllib.request.urlopen(program.url + "/socket.io/?EIO=4&transport=polling", timeout=5)
    assert caught.value.code == 400
    caught.value.close()


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
def test_long_polling_and_upgrade(kind: str, transports: list[str]) -> None:
    program = Program(kind, polling=True)
    with serving(program.transport):
        one = StockClient()
        got: list[Any] = []
        one.on("news", got.append)
        one.connect(program.url, transports=transports)
        if len(transports) == 2:
            eventually(lambda: one.transport() == "websocket")
        assert one.call("echo", (1, "ä")) == (1, "ä")
        program.transport.fan_out("news", [("everyone", b'{"a":')], b"1}")
        one.call("everybody", 2)
        eventually(lambda: len(got) == 2)
        assert sorted(got, key=str) == [2, {"a": 1}]
        one.disconnect()


def test_a_poll_that_hangs_does_not_hold_up_the_end() -> None:
    program = Program("native", polling=True)
    with serving(program.transport):  # which allows ten seconds
        one = StockClient()
        one.connect(program.url, transports=["polling"])
        assert one.call("echo", 1) == 1
        program.transport.stop(30.0)
        eventually(lambda: not one.connected)


def test_stop_ends_every_connection(kind: str) -> None:
    program = Program(kind)
    with serving(program.transport):
        ones = [StockClient() for _ in range(3)]
        for one in ones:
            one.connect(program.url, transports=["websocket"])
    eventually(lambda: not any(one.connected for one in ones))
    eventually(lambda: program.front.gone == ["server disconnect"] * 3)
