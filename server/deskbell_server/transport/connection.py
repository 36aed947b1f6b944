"""One client over a WebSocket: a watcher on the loop, no greenlet while nothing happens, bounded both ways.

Bytes become frames, frames become packets, packets are handled in order; reading stops while too many wait.
"""

import logging
import time
from collections import deque
from typing import Any, Final

from gevent import spawn_raw

from deskbell_server.transport import frames, packets
from deskbell_server.transport.base import Later
from deskbell_server.transport.engine_socket import EngineSocket
from deskbell_server.transport.reactor import REASON, Handler, Reactor
from deskbell_server.transport.sending import OPEN, ConnectionState
from deskbell_server.transport.streams import Stream, end_sending, has_pending

log = logging.getLogger(__name__)

INBOX: Final = 64
"""Packets of one client that may wait for their handler, and frames that are looked at in one turn of the loop."""
INBOX_BYTES: Final = 65536
"""Of packets that wait; they do so as they came, for parsed they may be twenty times as large."""
_CHUNK: Final = 65536
_LINGER_S: Final = 0.8
_LINGER_BYTES: Final = 1 << 20
_READ: Final = 1
_PING: Final = frames.encode(b"2")
_TEXT: Final = frames.Opcode.TEXT


class Connection(EngineSocket):
    __slots__ = (
        "__weakref__",
        "_busy",
        "_discarded",
        "_inbox",
        "_later",
        "_paused",
        "_readable",
        "_reader",
        "_waits_for",
        "due",
        "logins",
        "pinged",
        "slot",
    )

    def __init__(self, reactor: Reactor, handler: Handler, sid: str, stream: Stream, head: bytes, address: Any) -> None:
        super().__init__(reactor, handler, sid, stream, head, address)
        self._reader = frames.Reader(handler.options.max_message)
        self._readable: Any = reactor.loop.io(stream.fileno(), _READ)
        self._inbox: deque[bytes | packets.Packet] | None = None
        self._busy = self._paused = self.pinged = False
        self._later: deque[tuple[packets.Packet, Later]] | None = None
        """Those whose answers come later, or after such a one."""
        self._discarded = self.logins = 0
        self._waits_for = ""
        self.due, self.slot = 0.0, -1

    def start(self, first: bytes, pipelined: bytes) -> None:
        """Begin with `first` to send, and with what the client sent behind its request."""
        self._readable.start(self._on_readable)
        self.write(first)
        if pipelined and self.state is OPEN:
            self._take(pipelined)

    # -- in

    def _on_readable(self) -> None:
        try:
            data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._readable.stop()
            self._reactor.client_gone(self.end)
            return
        self._take(data)
        if has_pending(self._stream) and not self._paused and self.state is OPEN:
            self._pause()
            self._reactor.resume_soon(self.resume)

    def _take(self, data: bytes) -> None:
        room = INBOX - len(self._inbox or ())
        try:
            found = self._reader.read(data, room)
            for opcode, payload in found:
                if opcode is _TEXT:
                    self._receive(payload)
                else:
                    self._control(opcode, payload)
                if self.state is not OPEN:
                    return
        except frames.FrameError as error:
            self._fail(error.code, str(error))
            return
        if self._inbox and not self._busy:
            self._run(may_block=False)
        if (self._reader.more or (self._inbox and self._waiting_bytes() > INBOX_BYTES)) and self.state is OPEN:
            self._pause()  # more may stand in what was read already
            if not (self._busy or self._later):  # else it goes on with the last answer
                self._reactor.resume_soon(self.resume)

    def _receive(self, payload: bytes) -> None:
        if payload == b"3":
            self._on_pong()
        elif payload == b"1":
            self.end(REASON.CLIENT_DISCONNECT, frames.close_frame(frames.CloseReason.NORMAL_CLOSURE))
        else:
            if self._inbox is None:
                self._inbox = deque()
            self._inbox.append(payload)

    def _waiting_bytes(self) -> int:
        return sum(len(waiting) for waiting in self._inbox or () if type(waiting) is bytes)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.Opcode.PING:
            self.write(frames.encode(payload, frames.Opcode.PONG))
        elif opcode == frames.Opcode.CLOSE:
            self.end(REASON.TRANSPORT_CLOSE, frames.close_frame(frames.close_code(payload)))
        elif opcode == frames.Opcode.BINARY:
            self._fail(frames.CloseReason.UNSUPPORTED_DATA, "binary messages are refused")

    def _fail(self, code: int, why: str) -> None:
        log.warning("%s closed with %d: %s", self.sid, code, why)
        self.end(REASON.TRANSPORT_ERROR, frames.close_frame(code, why))

    def _pause(self) -> None:
        self._paused = True
        self._readable.stop()

    def resume(self) -> None:
        """Go on with what was read already, then read."""
        if self.state is not OPEN:
            return
        self._paused = False
        self._readable.start(self._on_readable)
        self._take(b"")
        if has_pending(self._stream) and not self._paused and self.state is OPEN:
            self._on_readable()

    # -- handling, in order

    def _run(self, *, may_block: bool) -> None:
        """Handle what waits; in the loop itself only as far as it cannot block, the rest in a greenlet."""
        self._busy = True
        handler = self._handler
        while self._inbox and self.state is OPEN:
            packet = self._next(self._inbox)
            if packet is None:
                continue
            quick = packet.kind == packets.EVENT and packet.data[0] in handler.inline and packet.namespace == "/"
            if self._later and not (quick and packet.data[0] == self._waits_for and len(self._later) < INBOX):
                break  # goes on with their answers
            if not quick and not may_block:
                spawn_raw(self._run_blocking)
                return
            self._inbox.popleft()
            if quick:
                self._call(packet)
            else:
                handler.dispatch(self, packet)
        self._busy = False
        if self._inbox or self._later:
            return
        self._inbox = None
        self.forget_environ()
        if self._paused:
            self._reactor.resume_soon(self.resume)

    def _next(self, inbox: "deque[bytes | packets.Packet]") -> packets.Packet | None:
        """The first that waits, parsed; None when it was no packet, and is gone."""
        first = inbox[0]
        if isinstance(first, packets.Packet):
            return first
        try:
            packet = packets.shaped(first, self._handler.shapes)
            if packet is None:
                packet = packets.parse(first, 1) if first[:1] == b"4" else packets.nothing()
        except packets.PacketError as error:
            inbox.popleft()
            self._handler.malformed(self, error)
            return None
        inbox[0] = packet
        return packet

    def _run_blocking(self) -> None:
        try:
            self._run(may_block=True)
        except Exception:
            log.exception("%s: handling failed", self.sid)
            self.end(REASON.TRANSPORT_ERROR, frames.close_frame(frames.CloseReason.INTERNAL_ERROR))

    def _call(self, packet: packets.Packet) -> None:
        """Where the answer comes later, further events of that name need not wait for it: their handler keeps order."""
        result = self._handler.call_inline(self, packet)
        if type(result) is not Later:
            if self._later is None:
                self._handler.answer(self, packet, result)
                return
            result = Later.answered_with(result)
        if self._later is None:
            self._later, self._waits_for = deque(), packet.data[0]
        self._later.append((packet, result))
        result.then(self._answer_all)

    def _answer_all(self, _value: Any) -> None:
        """That is known by now, in the order in which it was asked."""
        later = self._later
        while later and later[0][1].answered:
            packet, result = later.popleft()
            self._handler.answer(self, packet, result.wait())
        if not later:
            self._later = None
        if not self._busy:
            self._run(may_block=False)

    # -- time

    def on_due(self, now: float) -> None:
        """Its deadline has come: to hang up, to have signed in, to be pinged, or to have answered that."""
        if self.state is not OPEN:
            self._release()
        elif not self.logins:
            self.close()
        elif self.pinged and not self._paused:
            self.end(REASON.PING_TIMEOUT, frames.close_frame(frames.CloseReason.GOING_AWAY, "ping timeout"))
        else:
            # While reading is paused the answer may stand in what was not read.
            self._reactor.wheel.set(self, now + self._handler.options.ping_timeout_s)
            if not self.pinged:
                self.pinged = True
                self._reactor.outbox.post((_PING,), self)

    def _on_pong(self) -> None:
        if self.pinged:
            self.pinged = False
            self._handler.answered(self)

    # -- the end

    def end(self, reason: str, last: bytes | None = None) -> None:
        """Over: the handlers hear of it and nothing more is read. With a `last` frame the client gets a moment to take
        it and what was sent before it."""
        if self.state is not OPEN:
            return
        if last is not None:
            self.flush()
            self._push(last)
            if self._readable is None:  # sending failed, and ended it
                return
        self.state = ConnectionState.LOCAL_CLOSING
        self._readable.stop()
        self.queue = self._inbox = None
        self._handler.ended(self, reason)
        if last is None:
            self._release()
            return
        if self._out is None:
            end_sending(self._stream)
        # Closing with input unread would reset the connection, and the last frame with it.
        self._readable.start(self._discard)
        self._reactor.wheel.set(self, time.monotonic() + _LINGER_S)

    def _discard(self) -> None:
        try:
            data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._discarded += len(data)
        if not data or self._discarded > _LINGER_BYTES:
            self._release()

    def _broken(self) -> None:
        self.end(REASON.TRANSPORT_ERROR)
        self._release()

    def _release(self) -> None:
        if self._readable is None:
            return
        self._unblock()
        self._reactor.wheel.remove(self)
        self._readable.stop()
        self._readable.close()
        self._readable = None
        self._stream.close()
