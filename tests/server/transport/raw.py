"""A WebSocket client that sends exactly what a test says, rules or no rules, and reads strictly."""

import json
import socket
import ssl
import struct
import time
from typing import Any, ClassVar, Self

from websockets.speedups import apply_mask

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATH = "/socket.io/?EIO=4&transport=websocket"


def frame(payload: bytes | str, opcode: int = 1, *, final: bool = True, mask: bool = True, rsv: int = 0) -> bytes:
    data = payload.encode() if isinstance(payload, str) else payload
    first = (0x80 if final else 0) | rsv << 4 | opcode
    masked = 0x80 if mask else 0
    size = len(data)
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if not mask:
        return head + data
    key = bytes.fromhex("37fa213d")  # the one of RFC 6455's examples
    return head + key + apply_mask(data, key)


def request(path: str = PATH, **headers: str) -> bytes:
    fields = {
        "Host": "here",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Raw:
    patience = 20.0
    """Seconds to wait for anything."""
    live: ClassVar["list[Raw]"] = []

    def __init__(self, port: int, *, receive_buffer: int = 0, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(self.patience)
        plain.connect(("127.0.0.1", port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self.live.append(self)
        self.buffer = b""
        self.code: int | None = None
        """Of the close frame, once one came."""
        self.status = 0
        self.head = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def text(self, *texts: str) -> None:
        self.send(*map(frame, texts))

    def upgrade(self, path: str = PATH, **headers: str) -> int:
        self.send(request(path, **headers))
        return self.answered()

    def answered(self) -> int:
        """Read an HTTP answer's head; its status."""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                return 0
            self.buffer += more
        self.head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])
        return self.status

    def opened(self) -> Self:
        assert self.upgrade() == 101
        assert self.receive().startswith('0{"sid"')
        return self

    def login(self, auth: Any = None) -> Self:
        """Upgrade and CONNECT; the answer must accept."""
        self.opened().text("40" + json.dumps(auth if auth is not None else {"token": "good"}))
        answer = self.receive()
        assert answer.startswith('40{"sid"'), answer
        return self

    def read_frame(self) -> tuple[int, bytes] | None:
        """The next frame; None when the connection ended."""
        while True:
            got = self._parse()
            if got is not None:
                return got
            try:
                more = self.socket.recv(1 << 20)
            except (ConnectionError, ssl.SSLError):
                return None
            if not more:
                return None
            self.buffer += more

    def _parse(self) -> tuple[int, bytes] | None:
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        assert buffer[0] & 0x70 == 0, f"corrupt stream: {buffer[:16]!r}"
        assert buffer[1] < 128, f"corrupt stream: {buffer[:16]!r}"
        assert buffer[0] & 15 in {1, 2, 8, 9, 10}, f"corrupt stream: {buffer[:16]!r}"
        size, at = buffer[1] & 127, 2
        if size == 126:
            size, at = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + size:
            return None
        self.buffer = buffer[at + size :]
        return buffer[0] & 15, buffer[at : at + size]

    def receive(self) -> str:
        """The next text that is no ping; "" when the connection ended."""
        while True:
            got = self.read_frame()
            if got is None:
                return ""
            opcode, payload = got
            if opcode == 8:
                self.code = int.from_bytes(payload[:2], "big") if payload else 1005
            elif opcode == 1 and payload == b"2":
                self.text("3")
            elif opcode == 1:
                return payload.decode()

    def rest(self) -> list[str]:
        """Everything until the connection ends."""
        texts = []
        while text := self.receive():
            texts.append(text)
        return texts

    def ended_within(self, seconds: float) -> bool:
        """Whether the server closes in time; what arrives meanwhile is dropped, `code` kept."""
        until = time.monotonic() + min(seconds, self.patience)
        try:
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if self.read_frame_counting_close() is None:
                    return True
        except TimeoutError:
            pass
        finally:
            self.socket.settimeout(self.patience)
        return False

    def closed_within(self, seconds: float) -> bool:
        """The same where no WebSocket was opened."""
        self.socket.settimeout(min(seconds, self.patience))
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def read_frame_counting_close(self) -> tuple[int, bytes] | None:
        got = self.read_frame()
        if got is not None and got[0] == 8:
            self.code = int.from_bytes(got[1][:2], "big")
        return got

    def call(self, event: str, *args: Any, number: int = 1) -> Any:
        """Send an event and wait for its acknowledgement."""
        self.text(f"42{number}" + json.dumps([event, *args]))
        while text := self.receive():
            if text.startswith(f"43{number}["):
                return json.loads(text[2 + len(str(number)) :])
        return None
