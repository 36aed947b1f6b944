"""A sender that speaks the bare wire: Socket.IO frames over one WebSocket, as many at once as the network takes."""

import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

from deskbell_protocol import PROTOCOL_VERSION
from tests.desk.server import Login, Server

OPEN, PING, PONG, CONNECT, ANSWER = "0", "2", "3", "40", "43"


class Wire:
    def __init__(self, server: Server, login: Login) -> None:
        address = server.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(address, max_size=None, max_queue=None, ping_interval=None))
        self._text(OPEN)
        self._socket.send(CONNECT + json.dumps({"v": PROTOCOL_VERSION, "token": login.token, "client": "tests"}))
        self._text(CONNECT)

    def _text(self, begin: str) -> str:
        """The next frame that begins so."""
        while True:
            frame = str(self._socket.recv(timeout=20))
            if frame == PING:
                self._socket.send(PONG)
            if frame.startswith(begin):
                return frame

    def send_all(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send them without waiting in between; the answers, in the same order."""
        for number, message in enumerate(messages):
            self._socket.send(f"42{number}" + json.dumps(["send", message]))
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(messages):
            number_text, _, body = self._text(ANSWER)[2:].partition("[")
            answers[int(number_text)] = json.loads("[" + body)[0]
        return [answers[number] for number in range(len(messages))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
