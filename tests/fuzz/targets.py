"""What strangers' bytes are read by, and what must hold whatever they are.

Nothing but its own refusal is raised, little is kept, and bytes that come in pieces mean what they mean in one.
"""

from collections.abc import Callable, Iterator
from random import Random

from deskbell_server.transport import handshake, packets, requests
from deskbell_server.transport.frames import FrameError, Reader
from deskbell_server.transport.packets import PacketError
from deskbell_server.transport.refusals import HandshakeError
from deskbell_server.transport.requests import Incoming
from tests.server.transport.raw import frame, request

LIMIT = 1000
HEAD = request()
MANY = 10_000
REFUSALS = {400, 413, 414, 431}


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut at places that follow from `data` itself, so that an input fails again as it failed first."""
    random, at = Random(data), 0
    while at < len(data):
        size = random.choice((1, 2, 5, 50))
        yield data[at : at + size]
        at += size


def frames(data: bytes) -> None:
    whole = _messages(iter([data]), MANY)
    assert _messages(pieces(data), MANY) == whole
    assert _messages(pieces(data), 1 + len(data) % 3) == whole


def _messages(parts: Iterator[bytes], room: int) -> list[tuple[int, bytes]] | int:
    """The messages, or the code that ends the connection; `room` frames are taken at a time."""
    reader, found = Reader(LIMIT), []
    try:
        for part in parts:
            found += reader.read(part, room)
            while reader.more:
                found += reader.read(b"", room)
            assert reader.holds <= LIMIT + 14
    except FrameError as error:
        return error.code
    return found


def http(data: bytes) -> None:
    assert _request(pieces(data)) == _request(iter([data]))


def _request(parts: Iterator[bytes]) -> object:
    incoming = Incoming(lambda _most: next(parts, b""))
    try:
        if not incoming.begin():
            return None
        read = requests.read(incoming.head(LIMIT))
        requests.environ(read, ("192.0.2.1", 1))
        body = incoming.body(read.length, LIMIT)
        assert len(body) <= LIMIT
        return read, body
    except EOFError:
        return EOFError
    except HandshakeError as refused:
        assert refused.status in REFUSALS  # noqa: PT017 - any other refusal is a fault
        return HandshakeError


def handshakes(data: bytes) -> None:
    try:
        upgrade = handshake.read(data, ("*",))
    except HandshakeError:
        return
    if upgrade is not None:
        assert b"\r" not in upgrade.accept
        assert b"\n" not in upgrade.accept


def socket_packets(data: bytes) -> None:
    try:
        packet = packets.parse(data)
    except PacketError:
        return
    if packet.kind == packets.EVENT:
        again = packets.parse(b"2" + packet.namespace.encode() + b"," + packets.Json.dumps(packet.data).encode())
        assert again.data == packet.data


TARGETS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "frames": (frames, (frame("2"), frame(b"x" * 200, 2), frame("a", final=False) + frame(b"", 9) + frame("b", 0))),
    "http": (http, (HEAD, b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")),
    "handshake": (handshakes, (HEAD[:-2],)),
    "packets": (socket_packets, (b'2/a,12["b",{"c":[1]}]', b'0{"token":"x"}', b'31["a"]')),
}
"""Name: what is called with the bytes, and some to begin with."""
