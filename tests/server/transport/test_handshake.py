"""The opening request: which are granted, which refused with what, and what handlers see of them."""

import pytest

from deskbell_server.transport import handshake
from deskbell_server.transport.refusals import HandshakeError, refusal
from tests.server.transport.raw import KEY, PATH, request


def head(path: str = PATH, **headers: str) -> bytes:
    return request(path, **headers)[:-2]


def test_granted_with_the_answer_of_rfc_6455() -> None:
    upgrade = handshake.read(head(), ())
    assert upgrade is not None
    assert upgrade.accept == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in handshake.switching(upgrade.accept)


@pytest.mark.parametrize("extensions", ["permessage-deflate", "permessage-deflate; client_max_window_bits"])
def test_no_extension_is_agreed_to(extensions: str) -> None:
    upgrade = handshake.read(head(Sec_WebSocket_Extensions=extensions), ())
    assert upgrade is not None
    assert b"extension" not in handshake.switching(upgrade.accept).lower()


@pytest.mark.parametrize(
    "other",
    [b"GET / HTTP/1.1\r\nHost: x\r\n", head(Upgrade=""), head("/elsewhere"), head(PATH + "&sid=abc"),
     b"POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"],
)  # fmt: skip
def test_other_requests_are_left_to_http(other: bytes) -> None:
    assert handshake.read(other, ()) is None


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        (400, head(Connection="keep-alive")),
        (426, head(Sec_WebSocket_Version="8")),
        (426, head(Sec_WebSocket_Version="")),
        (400, head(Sec_WebSocket_Key="short")),
        (400, head(Sec_WebSocket_Key="")),
        (400, head(Host="")),
        (400, head("/socket.io/?EIO=3&transport=websocket")),
        (400, head("/socket.io/?EIO=4&transport=polling")),
        (400, head(Content_Length="5")),
        (400, head(Transfer_Encoding="chunked")),
        (400, head().replace(b"HTTP/1.1", b"HTTP/1.0")),
        (400, head() + b"nocolon\r\n"),
        (400, head() + b" folded: x\r\n"),
        (400, head() + f"Sec-WebSocket-Key: {KEY}\r\n".encode()),
        (403, head(Origin="http://evil.example")),
        (403, head(Origin="null")),
        (403, head(Origin="http://evil.example", X_Forwarded_Host="evil.example")),
    ],
)
def test_refused(status: int, bad: bytes) -> None:
    with pytest.raises(HandshakeError) as caught:
        handshake.read(bad, ())
    assert caught.value.status == status
    assert refusal(caught.value).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        ("", ()),
        ("http://here", ()),
        ("https://HERE", ()),
        ("http://a.example", ("http://a.example",)),
        ("null", ("*",)),
    ],
)
def test_accepted_origins(origin: str, named: tuple[str, ...]) -> None:
    assert handshake.read(head(Origin=origin), named) is not None


def test_the_environ_is_that_of_the_request() -> None:
    upgrade = handshake.read(head(PATH + "&x=%C3%A4", Cookie="a=b", X_Under_Score="1") + b"X_Bad: 1\r\n", ())
    assert upgrade is not None
    made = handshake.environ(upgrade, ("10.0.0.1", 4242), ("127.0.0.1", 80), secure=True)
    assert made["PATH_INFO"] == "/socket.io/"
    assert made["QUERY_STRING"].endswith("x=%C3%A4")
    assert (made["REMOTE_ADDR"], made["REMOTE_PORT"]) == ("10.0.0.1", "4242")
    assert made["HTTP_COOKIE"] == "a=b"
    assert made["wsgi.url_scheme"] == "https"
    assert "HTTP_X_BAD" not in made
