"""HTTP as it is read: what two readers could understand differently is refused, alone and on a running server."""

import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell_server.transport import requests
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Incoming, Request
from tests.server.transport.conftest import Server

Spawn = Callable[..., Server]
LINE = b"POST /api HTTP/1.1\r\n"
HOST = b"Host: here:80\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: here\r\n\r\n"

BAD_HEADS = {
    "two lengths": LINE + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "two lengths in one": LINE + HOST + b"Content-Length: 5, 5\r\n",
    "length and coding": LINE + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "coding with a control": LINE + HOST + b"Transfer-Encoding: \x0bchunked\r\n",
    "unknown coding": LINE + HOST + b"Transfer-Encoding: gzip, chunked\r\n",
    "two codings": LINE + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "coding of HTTP/1.0": LINE.replace(b"1.1", b"1.0") + HOST + b"Transfer-Encoding: chunked\r\n",
    "space before the colon": LINE + HOST + b"Content-Length : 5\r\n",
    "plus": LINE + HOST + b"Content-Length: +92\r\n",
    "underscore": LINE + HOST + b"Content-Length: 9_2\r\n",
    "empty length": LINE + HOST + b"Content-Length: \r\n",
    "bare LF": LINE + HOST + b"X: a\nContent-Length: 5\r\n",
    "bare CR": LINE + HOST + b"X: a\rContent-Length: 5\r\n",
    "fold": LINE + HOST + b"X: a\r\n b\r\n",
    "NUL": LINE + HOST + b"X: a\x00b\r\n",
    "no colon": LINE + HOST + b"nonsense\r\n",
    "no name": LINE + HOST + b": x\r\n",
    "no host": LINE,
    "two hosts": LINE + HOST + HOST,
    "a host that is none": LINE + b"Host: a/b@c\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2": b"GET / HTTP/2.0\r\n" + HOST,
    "two spaces": b"GET  / HTTP/1.1\r\n" + HOST,
    "tab": b"GET\t/ HTTP/1.1\r\n" + HOST,
    "raw byte in the query": b"GET /?q=\xe4 HTTP/1.1\r\n" + HOST,
    "whole address": b"GET http://there/ HTTP/1.1\r\n" + HOST,
    "too many headers": LINE + HOST + b"X: y\r\n" * 100,
}


def read(head: bytes) -> Request:
    return requests.read(head)


@pytest.mark.parametrize("name", BAD_HEADS)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    with pytest.raises(HandshakeError) as refused:
        read(BAD_HEADS[name])
    assert refused.value.status == (431 if name == "too many headers" else 400)


@pytest.mark.parametrize(
    ("head", "length", "keeps"),
    [
        (LINE + HOST, 0, True),
        (LINE + HOST + b"Content-Length: 005\r\n", 5, True),
        (LINE + HOST + b"TRANSFER-ENCODING:\tChunked \r\n", None, True),
        (LINE + HOST + b"Connection: Keep-Alive, Close\r\n", 0, False),
        (LINE.replace(b"1.1", b"1.0"), 0, False),
        (LINE.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n", 0, True),
        (LINE + b"host: [::1]:8420\r\n", 0, True),
        (LINE + HOST + b"X:\r\nX: \xe4 \t b\r\n" + b"Y: y\r\n" * 97, 0, True),
    ],
)
def test_everything_else_is_read(head: bytes, length: int | None, keeps: bool) -> None:
    request = read(head)
    assert (request.method, request.path, request.length, request.keeps) == ("POST", "/api", length, keeps)


def test_a_request_as_wsgi_shows_it() -> None:
    head = b"GET /a%20b?c=%E4 HTTP/1.1\r\nHost: x\r\nCookie: a=1\r\nCookie: b=2\r\nX-Y: 1\r\nX-Y: 2\r\nX_Y: 3\r\n"
    made = requests.environ(read(head + b"Content-Type: t\r\n"), ("192.0.2.1", 5))
    assert made["PATH_INFO"] == "/a b"
    assert made["QUERY_STRING"] == "c=%E4"
    assert made["HTTP_COOKIE"] == "a=1; b=2"
    assert made["HTTP_X_Y"] == "1,2"
    assert (made["CONTENT_TYPE"], made["REMOTE_ADDR"]) == ("t", "192.0.2.1")


def incoming(data: bytes, size: int) -> Incoming:
    """`data` in pieces of that size."""
    pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
    return Incoming(lambda _most: next(pieces, b""))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"0\r\n\r\n", b""),
        (b"3\r\nabc\r\n00\r\n\r\n", b"abc"),
        (b"A;name=\"x\" \r\n0123456789\r\n1 ;y\r\nz\r\n0\r\nTrailer: t\r\n\r\n", b"0123456789z"),
    ],
)  # fmt: skip
def test_chunks_become_a_body(sent: bytes, body: bytes, size: int) -> None:
    reading = incoming(sent + HIDDEN, size)
    assert reading.body(None, 100) == body
    assert reading.head(1000) == HIDDEN[:-2]


@pytest.mark.parametrize(
    "sent",
    [b"\r\n\r\n", b"g\r\n", b"0x1\r\na\r\n", b"+1\r\na\r\n", b"1\na\r\n", b"1\r\nabc", b"1\r\na\nb", b"1;\n\r\n",
     b"-1\r\n", b"0\r\nGET /smug HTTP/1.1\r\n\r\n", b"0\r\nX : y\r\n\r\n",
     b"1 \r\na\r\n", b"0\r\nX: y\r\r\n\r\n", b"FFFFFFFFF\r\n", b"1;" + b"x" * 20_000],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 1000])
def test_a_bad_chunk_is_refused(sent: bytes, size: int) -> None:
    with pytest.raises(HandshakeError) as refused:
        incoming(sent, size).body(None, 1_000_000)
    assert refused.value.status == 400


@pytest.mark.parametrize("sent", [b"", b"5", b"5\r\nab", b"0\r\n", b"0\r\nX: y\r\n"])
def test_a_body_that_is_cut_is_none(sent: bytes) -> None:
    with pytest.raises(EOFError):
        incoming(sent, 2).body(None, 100)
    with pytest.raises(EOFError):
        incoming(sent, 2).body(50, 100)


@pytest.mark.parametrize("length", [101, None])
def test_a_body_that_is_too_large_is_refused_before_it_is_there(length: int | None) -> None:
    with pytest.raises(HandshakeError, match="too large"):
        incoming(b"65\r\n", 1).body(length, 100)


PIECES = [b"\r\n", b"\r", b"\n", b"0", b"1", b"5", b"a", b"X: y", b";", b" ", HOST, LINE, b"Content-Length: 3\r\n"]
BYTES = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))


@given(BYTES, st.integers(1, 50))
def test_whatever_comes_is_read_or_refused(data: bytes, size: int) -> None:
    """In pieces or at once, the same comes of it."""

    def outcome(reading: Incoming) -> object:
        try:
            request = read(reading.head(200))
            return request, reading.body(request.length, 100)
        except (HandshakeError, EOFError) as problem:
            return type(problem)

    for prefix in (b"", LINE + HOST, LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n"):
        whole, parts = (outcome(incoming(prefix + data, many)) for many in (1000, size))
        assert whole == parts


def test_a_body_comes_in_so_many_chunks() -> None:
    chunked = LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    for more, refused in ((0, False), (1, True)):
        chunks = b"1\r\nx\r\n" * (requests.CHUNKS_MAX + more) + b"0\r\n\r\n"
        reading = incoming(chunked + chunks, 1000)
        reading.head(1000)
        if refused:
            with pytest.raises(HandshakeError, match="too many chunks"):
                reading.body(None, 10 * requests.CHUNKS_MAX)
        else:
            assert len(reading.body(None, 10 * requests.CHUNKS_MAX)) == requests.CHUNKS_MAX


# -- on a running server -----------------------------------------------------------------------------------------------


def ask(port: int, *sent: bytes) -> bytes:
    """All that comes back, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        for data in sent:
            wire.sendall(data)
        answer = b""
        while more := wire.recv(65536):
            answer += more
    return answer


@pytest.mark.parametrize("name", BAD_HEADS)
def test_a_bad_head_ends_the_connection(spawn: Spawn, name: str) -> None:
    answer = ask(spawn("native").port, BAD_HEADS[name] + b"\r\nabcde" + HIDDEN)
    assert answer.startswith(b"HTTP/1.1 431" if name == "too many headers" else b"HTTP/1.1 400")
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_bad_line_is_refused_though_its_head_never_ends(spawn: Spawn) -> None:
    assert ask(spawn("native").port, b"GET / HTTP/1.1\nHost: x\n\n").startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 1),
        (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: x, close\r\n\r\n" + HIDDEN, 2),
        (LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n\r\nGET /a HTTP/1.0\r\n\r\n", 2),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", 1),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 1),
    ],
)  # fmt: skip
def test_the_last_answer_says_that_it_is_the_last(spawn: Spawn, request_: bytes, answers: int) -> None:
    found = ask(spawn("native").port, request_).split(b"HTTP/1.1 ")[1:]
    assert len(found) == answers
    assert [b"\r\nconnection: close\r\n" in answer.lower() for answer in found] == [False] * (answers - 1) + [True]


def test_who_waits_to_be_told_to_go_on_is_told(spawn: Spawn) -> None:
    with socket.create_connection(("127.0.0.1", spawn("native").port), 10) as wire:
        wire.sendall(LINE + HOST + b"Connection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert wire.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"{}")
        assert wire.recv(65536).startswith(b"HTTP/1.1 4")


def test_a_cut_body_is_said_and_no_server_fault(spawn: Spawn) -> None:
    with socket.create_connection(("127.0.0.1", spawn("native").port), 10) as wire:
        wire.sendall(LINE + HOST + b"Content-Length: 20\r\n\r\n{")
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(65536).startswith(b"HTTP/1.1 400")
