"""Socket.IO v5 packets as bytes, without I/O: what a client may send is parsed strictly, what is sent is built once."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3

_FORM: Final = re.compile(rb"([0-3])(/[^,?]{0,200})?(?:\?[^,]{0,1000})?(?(2)(?:,|\Z))([0-9]{0,15})(.*)", re.DOTALL)
_SHAPED: Final = re.compile(rb'42([0-9]{0,15})\["([a-z_]{1,40})",')
_END: Final = ord("]")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


class PacketError(ValueError):
    """Not a packet that a client may send."""


class BinaryRefusedError(PacketError):
    """A packet announcing binary attachments."""


class Packet(NamedTuple):
    kind: int
    namespace: str
    id: int | None
    data: Any


class Shape(NamedTuple):
    """What an event of this name usually carries, and what reads it. DecodeError for anything else."""

    event: str
    decode: Callable[[bytes], Any]


class Json:
    """The `json` of python-socketio's packets: the standard library's two functions at msgspec's speed."""

    @staticmethod
    def dumps(value: Any, **_style: Any) -> str:
        return _encode(value).decode()

    @staticmethod
    def loads(text: str | bytes) -> Any:
        try:
            return _decode(text)
        except RecursionError as error:
            raise PacketError("nested too deeply") from error


def nothing() -> Packet:
    raise PacketError("not an Engine.IO packet of a client")


def parse(text: bytes, at: int = 0) -> Packet:
    """The packet that begins at `at` (behind an Engine.IO message's `4`); raises PacketError."""
    form = _FORM.fullmatch(text, at)
    if form is None:
        if text[at : at + 1] in {b"5", b"6"}:
            raise BinaryRefusedError("binary packets are refused")
        raise PacketError("not a packet")
    kind, namespace, number, body = form.groups()
    try:
        packet = Packet(int(kind), _namespace(namespace), int(number) if number else None, _body(body))
    except ValueError as error:
        raise PacketError(str(error)) from error
    _check(packet)
    return packet


def shaped(message: bytes, shapes: Mapping[bytes, Shape]) -> Packet | None:
    """An event whose one argument has its shape, read in one go; None for all else, which `parse` tells what it is."""
    found = _SHAPED.match(message)
    shape = shapes.get(found[2]) if found is not None else None
    if found is None or shape is None or message[-1] != _END:
        return None
    try:
        data = shape.decode(message[found.end() : -1])
    except (msgspec.MsgspecError, RecursionError):
        return None
    return Packet(EVENT, "/", int(found[1]) if found[1] else None, [shape.event, data])


def _namespace(raw: bytes | None) -> str:
    return raw.decode() if raw else "/"


def _body(raw: bytes) -> Any:
    return Json.loads(raw) if raw else None


def _check(packet: Packet) -> None:
    kind, data = packet.kind, packet.data
    if kind == EVENT:
        if type(data) is not list or not data or type(data[0]) is not str:
            raise PacketError("an event is a list that begins with its name")
    elif kind == ACK:
        if type(data) is not list or packet.id is None:
            raise PacketError("an acknowledgement is a list with a number")
    elif packet.id is not None:
        raise PacketError("only events and acknowledgements are numbered")


def ack(namespace: str, number: int, args: list[Any]) -> bytes:
    """The Engine.IO message that acknowledges event `number`."""
    space = b"" if namespace == "/" else namespace.encode() + b","
    return b"43%b%d%b" % (space, number, _encode(args))


@cache
def event_prefix(event: str) -> bytes:
    """The beginning of an Engine.IO message with an event for namespace "/"; its payload and `]` follow."""
    return b"42[" + _encode(event) + b","


def connected(namespace: str, sid: str) -> bytes:
    """The Engine.IO message that accepts a CONNECT."""
    space = b"" if namespace == "/" else namespace.encode() + b","
    return b'40%b{"sid":"%b"}' % (space, sid.encode())


def arguments(result: Any) -> list[Any]:
    """What a handler returned, as the arguments of its acknowledgement."""
    if result is None:
        return []
    return list(result) if type(result) is tuple else [result]
