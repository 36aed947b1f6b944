"""What comes in through Redis, read: `{token, to, body, title?, priority?, key?}`, handed to the one publish."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from deskbell_protocol import limits, wire
from deskbell_protocol.errors import Code
from deskbell_server.edge import wording
from deskbell_server.errors import RefusedError
from deskbell_server.messaging.messages import Messages, Stored
from deskbell_server.people.devices import Devices

NAME = "deskbell:publish"
TIME = re.compile(r"[0-9]{1,16}")

Fields = dict[bytes, bytes]
Done = Callable[[Stored | None, Exception | None], None]


class Publisher:
    """Called in the loop with what came in; `done` gets what became of it in the store."""

    def __init__(self, devices: Devices, messages: Messages) -> None:
        self._devices = devices
        self._messages = messages

    def publish(self, fields: dict[str, Any], key: str, done: Done) -> None:
        """In a greenlet. `key` counts when the fields bring none. Raises what is wrong before it reaches the store."""
        token, own_key, draft = parse(fields)
        principal = self._devices.identify(token)
        self._messages.publish_soon(principal, draft, own_key or key, done)


def fields_of(raw: Fields) -> dict[str, Any]:
    """A stream's entry as JSON would have it. RefusedError `invalid`."""
    if sum(len(name) + len(value) for name, value in raw.items()) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"an entry has at most {limits.REQUEST_BYTES} bytes")
    try:
        if b"json" in raw:
            return decoded(raw[b"json"])
        fields: dict[str, Any] = {name.decode(): value.decode() for name, value in raw.items()}
    except UnicodeDecodeError as problem:
        raise RefusedError(Code.INVALID, "this is not UTF-8") from problem
    if "deliver_at" in fields and TIME.fullmatch(fields["deliver_at"]):
        fields["deliver_at"] = int(fields["deliver_at"])
    return fields


def decoded(text: bytes) -> dict[str, Any]:
    """A JSON object. RefusedError."""
    if len(text) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"a message has at most {limits.REQUEST_BYTES} bytes")
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RefusedError(Code.INVALID, "this is not JSON") from problem
    if not isinstance(found, dict):
        raise RefusedError(Code.INVALID, "this is not a JSON object")
    return found


def parse(fields: dict[str, Any]) -> tuple[str, str | None, wire.Publish]:
    """Token, key and message. `to` may be one text with commas. RefusedError `invalid` or `unauthorized`."""
    rest = dict(fields)
    token, key, to = rest.pop("token", None), rest.pop("key", None), rest.get("to")
    if not isinstance(token, str):
        raise RefusedError(Code.UNAUTHORIZED, "token: missing")
    if key is not None and not isinstance(key, str):
        raise RefusedError(Code.INVALID, "key: must be a text")
    if isinstance(to, str):
        rest["to"] = [name.strip() for name in to.split(",")]
    try:
        return token, key, wire.parse(wire.Publish, rest)
    except msgspec.ValidationError as problem:
        raise wording.refused(problem) from problem
