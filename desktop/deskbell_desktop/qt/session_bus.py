"""One D-Bus session connection on the Qt loop: never waits, so a stalled bus or service cannot stop the window.

jeepney makes and parses the messages; the socket is non-blocking from its first byte, hence no `open_dbus_connection`.
"""

import itertools
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from jeepney import HeaderFields, MatchRule, Message, MessageType, Parser, message_bus
from jeepney.auth import BEGIN, AuthenticationError, Authenticator
from jeepney.bus import get_bus
from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal

log = logging.getLogger(__name__)

ANSWER_MS: Final = 5000
UNSENT_BYTES: Final = 4 << 20
"""A bus that reads nothing is given up when this much waits for it."""
CHUNK: Final = 64 * 1024


@dataclass(frozen=True)
class Call:
    """What to do with the answer to one method call: the body and its sender, or a D-Bus error name and its text."""

    answered: Callable[[tuple[Any, ...], str], None]
    failed: Callable[[str, str], None]


class SessionBus(QObject):
    """`call` and `subscribe` work at once, also before `open`: they wait until the bus has greeted.

    `lost(reason)` comes once, when there is no session bus or it went away; calls without an answer fail before it.
    """

    ready = Signal()
    lost = Signal(str)
    signal_received = Signal(object)

    NO_ANSWER: Final = "org.freedesktop.DBus.Error.NoReply"

    def __init__(
        self, address: str | None = None, parent: QObject | None = None, *, answer_ms: int = ANSWER_MS
    ) -> None:
        super().__init__(parent)
        self._address = address
        self._answer_ms = answer_ms
        self._socket: socket.socket | None = None
        self._reader: QSocketNotifier | None = None
        self._writer: QSocketNotifier | None = None
        self._auth = Authenticator()
        self._parser = Parser()
        self._serials = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._early: list[bytes] = []
        self._out = bytearray()
        self._greeted = False
        self._gone = False

    def open(self) -> None:
        """Begin to connect; `ready` or `lost` follows from the event loop. Opening twice does nothing."""
        if self._socket is not None or self._gone:
            return
        try:
            self._connect(get_bus(self._address or "SESSION"))
        except (KeyError, ValueError, RuntimeError, StopIteration, OSError) as error:
            reason = "there is no session bus" if isinstance(error, KeyError) else f"the session bus: {error}"
            QTimer.singleShot(0, self, lambda: self._lose(reason))

    def call(self, message: Message, call: Call) -> None:
        """Send a method call. `failed` comes when there is no answer in time, and `answered` even after that."""
        serial = next(self._serials)
        data = message.serialise(serial=serial)
        self._calls[serial] = call
        if self._gone:
            QTimer.singleShot(0, self, lambda: self._fail(serial, self.NO_ANSWER, "the session bus is gone"))
            return
        QTimer.singleShot(self._answer_ms, self, lambda: self._expire(serial))
        if self._greeted:
            self._send(data)
        else:
            self._early.append(data)

    def subscribe(self, rule: MatchRule) -> None:
        """Let signals matching `rule` come through `signal_received`, which is shared: look at what you are given."""
        self.call(message_bus.AddMatch(rule), Call(lambda _body, _sender: None, self._on_unheard))

    def close(self) -> None:
        self._gone = True
        self._calls.clear()
        self._drop_socket()

    # -- the socket -------------------------------------------------------------------------------------------------

    def _connect(self, path: str) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket = sock
        sock.setblocking(False)
        sock.connect(path)
        self._reader = QSocketNotifier(sock.fileno(), QSocketNotifier.Type.Read, self)
        self._reader.activated.connect(self._on_readable)
        self._writer = QSocketNotifier(sock.fileno(), QSocketNotifier.Type.Write, self)
        self._writer.setEnabled(False)
        self._writer.activated.connect(self._flush)
        self._continue_auth()

    def _drop_socket(self) -> None:
        for notifier in (self._reader, self._writer):
            if notifier is not None:
                notifier.setEnabled(False)
        if self._socket is not None:
            self._socket.close()
        self._out.clear()

    def _send(self, data: bytes) -> None:
        self._out += data
        if len(self._out) > UNSENT_BYTES:
            self._lose("the session bus takes nothing any more")
            return
        self._flush()

    def _flush(self) -> None:
        if self._socket is None or self._writer is None or self._gone:
            return
        try:
            while self._out:
                del self._out[: self._socket.send(self._out[:CHUNK])]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(f"the session bus: {error}")
            return
        self._writer.setEnabled(bool(self._out))

    def _on_readable(self) -> None:
        if self._socket is None or self._gone:
            return
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"the session bus: {error}")
            return
        if not data:
            self._lose("the session bus went away")
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            if not self._auth.authenticated:
                self._auth.feed(data)
                self._continue_auth()
                return
            messages = self._parser.feed(data)
        except (AuthenticationError, ValueError, TypeError, KeyError, IndexError) as error:
            self._lose(f"the session bus speaks nonsense: {error}")
            return
        for message in messages:
            self._dispatch(message)

    def _continue_auth(self) -> None:
        for data in self._auth:
            if not data:
                return
            self._send(data)
        self._send(BEGIN)  # which jeepney leaves to its caller
        serial = next(self._serials)
        self._calls[serial] = Call(self._on_greeted, lambda _name, text: self._lose(f"the session bus: {text}"))
        self._send(message_bus.Hello().serialise(serial=serial))

    def _on_greeted(self, _body: tuple[Any, ...], _sender: str) -> None:
        self._greeted = True
        early, self._early = self._early, []
        for data in early:
            self._send(data)
        self.ready.emit()

    # -- messages ---------------------------------------------------------------------------------------------------

    def _dispatch(self, message: Message) -> None:
        fields = message.header.fields
        kind = message.header.message_type
        if kind == MessageType.signal:
            self.signal_received.emit(message)
            return
        call = self._calls.pop(fields.get(HeaderFields.reply_serial, 0), None)
        if call is None:
            return
        if kind == MessageType.error:
            text = str(message.body[0]) if message.body else ""
            call.failed(str(fields.get(HeaderFields.error_name, "")), text)
        else:
            call.answered(message.body, str(fields.get(HeaderFields.sender, "")))

    def _expire(self, serial: int) -> None:
        self._fail(serial, self.NO_ANSWER, "no answer in time")

    def _fail(self, serial: int, name: str, text: str) -> None:
        call = self._calls.get(serial)
        if call is None:
            return
        # A late answer still means something (a popup that is on the screen after all), so the call stays known.
        if self._gone:
            del self._calls[serial]
        call.failed(name, text)

    def _lose(self, reason: str) -> None:
        if self._gone:
            return
        self._gone = True
        self._drop_socket()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.failed(self.NO_ANSWER, reason)
        self.lost.emit(reason)

    def _on_unheard(self, name: str, text: str) -> None:
        log.warning("the session bus sends no signals: %s %s", name, text)
