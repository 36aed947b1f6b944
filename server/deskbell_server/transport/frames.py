"""WebSocket framing after RFC 6455 without I/O: bytes in, whole messages out, and the other way."""

from enum import IntEnum
from typing import Final

from websockets.speedups import apply_mask


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseReason(IntEnum):
    """Those that are sent here, of RFC 6455 7.4.1."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_FRAME_PAYLOAD_DATA = 1007
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011


_TEXT: Final = Opcode.TEXT
_KNOWN: Final = frozenset(map(int, Opcode))
_SENT_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


class FrameError(Exception):
    """The peer broke the rules; `code` is what the close frame says."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def header(size: int, opcode: int = _TEXT) -> bytes:
    """What stands before a payload of `size` bytes in an unmasked frame that is a whole message."""
    if size < 126:
        return bytes((0x80 | opcode, size))
    if size < 65536:
        return bytes((0x80 | opcode, 126, size >> 8, size & 255))
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")


def encode(payload: bytes, opcode: int = _TEXT) -> bytes:
    return header(len(payload), opcode) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    return encode(code.to_bytes(2, "big") + reason.encode()[:120], Opcode.CLOSE)


def close_code(payload: bytes) -> int:
    """The code in a peer's close frame, 1000 when it gave none; raises FrameError."""
    if not payload:
        return CloseReason.NORMAL_CLOSURE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _SENT_CODES or 3000 <= code < 5000):
        raise FrameError(CloseReason.PROTOCOL_ERROR, "no such close code")
    _utf8(payload[2:])
    return code


def _utf8(payload: bytes) -> bytes:
    if not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError as error:
            raise FrameError(CloseReason.INVALID_FRAME_PAYLOAD_DATA, "not UTF-8") from error
    return payload


def _wide(size: int, wide: int) -> int:
    if size < (126 if wide == 2 else 65536) or size >> 63:
        raise FrameError(CloseReason.PROTOCOL_ERROR, "length not in its shortest form")
    return size


class Reader:
    """Reads what a client sends: frames masked, control frames whole and short, messages of at most `limit` bytes.

    A message is refused as soon as its announced length, or that of its fragments together, is too large.
    """

    __slots__ = ("_kind", "_limit", "_message", "_rest", "more")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._kind = Opcode.CONTINUATION
        self._message: bytearray | None = None
        self.more = False
        """Whether the last call left whole frames for the next one."""

    @property
    def holds(self) -> int:
        """Bytes kept for later."""
        return len(self._rest) + len(self._message or b"")

    def read(self, data: bytes, room: int) -> list[tuple[int, bytes]]:
        """The messages that end in the next `room` frames, as (opcode, payload); what stands behind them is kept for
        the next call.
        """
        if self._rest:
            data = self._rest + data
        found: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while room and end - at >= 2:
            first, size, mask = data[at], data[at + 1], at + 2
            if first & 0x70 or size < 128 or first & 15 not in _KNOWN:
                raise FrameError(CloseReason.PROTOCOL_ERROR, "reserved bit, reserved opcode or unmasked frame")
            size &= 127
            if first & 8 and (size > 125 or first < 0x80):
                raise FrameError(CloseReason.PROTOCOL_ERROR, "long or fragmented control frame")
            if size > 125:
                wide = 2 if size == 126 else 8
                mask += wide
                if end < mask:
                    break
                size = _wide(int.from_bytes(data[mask - wide : mask], "big"), wide)
            body = mask + 4
            if not first & 8 and size + len(self._message or b"") > self._limit:
                raise FrameError(CloseReason.MESSAGE_TOO_BIG, "message too large")
            if end < body + size:
                break
            at = body + size
            room -= 1
            payload = apply_mask(data[body:at], data[mask:body])
            if first == 0x81 and self._message is None:
                found.append((_TEXT, payload if payload.isascii() else _utf8(payload)))
            else:
                self._other(first, payload, found)
        self._rest, self.more = data[at:], not room
        return found

    def _other(self, first: int, payload: bytes, found: list[tuple[int, bytes]]) -> None:
        opcode = first & 15
        if opcode >= Opcode.CLOSE:
            found.append((Opcode(opcode), payload))
            return
        if (opcode == Opcode.CONTINUATION) != (self._message is not None):
            raise FrameError(
                CloseReason.PROTOCOL_ERROR, "continuation without a beginning, or a beginning within a message"
            )
        if self._message is None:
            self._kind, self._message = Opcode(opcode), bytearray()
        self._message += payload
        if first & 0x80:
            whole, self._message = bytes(self._message), None
            found.append((self._kind, _utf8(whole) if self._kind == _TEXT else whole))
