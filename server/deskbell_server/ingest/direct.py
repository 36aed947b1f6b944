"""`POST /api/v1/messages` without Flask: what is right is read, stored and answered here, all else goes the usual way.

The answers are those of `ingest/http.py` to the letter; a table of cases in the tests is run against both.
"""

import time

import msgspec

from deskbell_protocol import limits
from deskbell_protocol.wire import Publish
from deskbell_server.edge import gate, replies
from deskbell_server.edge.replies import Reply
from deskbell_server.errors import RefusedError
from deskbell_server.ingest.http import MESSAGES, PREFIX, told
from deskbell_server.messaging.messages import Messages
from deskbell_server.people.devices import Devices
from deskbell_server.transport import Request

PATH = PREFIX + MESSAGES
_decode = msgspec.json.Decoder(Publish).decode


class DirectDoor:
    def __init__(self, devices: Devices, messages: Messages) -> None:
        self._devices = devices
        self._messages = messages

    def answer(self, head: Request, body: bytes) -> Reply | None:
        """None before anything has happened: then Flask's door finds out what is wrong."""
        if head.headers.get(b"content-type") != b"application/json" or len(body) > limits.REQUEST_BYTES:
            return None
        try:
            draft = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        since, request_id, message_id = time.monotonic(), gate.request_id(), None
        try:
            message_id, reply = self._publish(head, draft)
        except RefusedError as refused:
            reply = replies.refusal(refused)
        except Exception as problem:  # noqa: BLE001 - it is logged, and answered
            reply = gate.failed(request_id, PATH, problem)
        gate.write_down(request_id, "POST", PATH, reply.code, since, message_id)
        return reply._replace(headers=(*reply.headers, ("X-Request-Id", request_id)))

    def _publish(self, head: Request, draft: Publish) -> tuple[str, Reply]:
        principal = self._devices.identify(gate.bearer(head.headers.get(b"authorization", b"").decode("latin-1")))
        key = head.headers.get(b"idempotency-key")
        stored = self._messages.publish(principal, draft, None if key is None else key.decode("latin-1"))
        return stored.id, replies.answer(*told(stored))
