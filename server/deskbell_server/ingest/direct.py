"""`POST /api/v1/messages` without Flask: what is right is read, stored and answered here, all else goes the usual way.

The answers are those of `ingest/http.py` to the letter; a table of cases in the tests is run against both.
"""

import time
from collections.abc import Callable

import msgspec

from deskbell_protocol import limits
from deskbell_protocol.wire import Publish
from deskbell_server.edge import gate, replies
from deskbell_server.edge.replies import Reply
from deskbell_server.errors import RefusedError
from deskbell_server.ingest.http import MESSAGES, PREFIX, told
from deskbell_server.messaging.messages import Messages, Stored
from deskbell_server.people.devices import Devices
from deskbell_server.transport import Request

PATH = PREFIX + MESSAGES
_decode = msgspec.json.Decoder(Publish).decode


class DirectDoor:
    def __init__(self, devices: Devices, messages: Messages) -> None:
        self._devices = devices
        self._messages = messages

    def answer(self, head: Request, body: bytes, done: Callable[[Reply], None], may_block: bool) -> bool | None:
        """As `Route`. False before anything has happened: then Flask's door finds out what is wrong."""
        if head.headers.get(b"content-type") != b"application/json" or len(body) > limits.REQUEST_BYTES:
            return False
        try:
            draft = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        told = _Told(done)
        try:
            token = gate.bearer(head.headers.get(b"authorization", b"").decode("latin-1"))
            principal = self._devices.identify(token) if may_block else self._devices.remembered(token)
            if principal is None:
                return None
            key = head.headers.get(b"idempotency-key")
            self._messages.publish_soon(principal, draft, None if key is None else key.decode("latin-1"), told.outcome)
        except Exception as problem:  # noqa: BLE001 - it is the outcome
            told.outcome(None, problem)
        return True


class _Told:
    """The answer to one request, and its line in the log."""

    def __init__(self, done: Callable[[Reply], None]) -> None:
        self._done = done
        self._since, self._request_id = time.monotonic(), gate.request_id()

    def outcome(self, stored: Stored | None, problem: Exception | None) -> None:
        if stored is not None:
            reply = replies.answer(*told(stored))
        elif isinstance(problem, RefusedError):
            reply = replies.refusal(problem)
        else:
            reply = gate.failed(self._request_id, PATH, problem or RuntimeError("neither stored nor refused"))
        message_id = stored.id if stored is not None else None
        gate.write_down(self._request_id, "POST", PATH, reply.code, self._since, message_id)
        self._done(reply._replace(headers=(*reply.headers, ("X-Request-Id", self._request_id))))
