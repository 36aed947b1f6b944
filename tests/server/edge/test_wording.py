"""What is wrong with a request is said in plain words that name the field, whatever the validator calls it."""

from typing import Any

import msgspec
import pytest

from deskbell_protocol import wire
from deskbell_server.edge.wording import refused

GOOD: dict[str, Any] = {"to": ["bob"], "body": "b"}


def said(type_: type[Any], raw: Any) -> str:
    """The same words whether JSON or decoded values were looked at."""
    with pytest.raises(msgspec.ValidationError) as decoded:
        msgspec.json.decode(msgspec.json.encode(raw), type=type_)
    with pytest.raises(msgspec.ValidationError) as converted:
        wire.parse(type_, raw)
    message = refused(decoded.value).message
    assert message == refused(converted.value).message
    return message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"to": ["bob"]}, "body is missing"),
        (GOOD | {"body": 1}, "body must be a text"),
        (GOOD | {"body": ""}, "body must not be empty"),
        (GOOD | {"to": "bob"}, 'to must be a list of names, such as ["bob", "@ops"]'),
        (GOOD | {"to": []}, "to must not be empty"),
        (GOOD | {"to": ["bob", 7]}, "to[1] must be a text"),
        (GOOD | {"to": ["x"] * 501}, "to must have at most 500 entries"),
        (GOOD | {"to": ["x" * 66]}, "to[0] must have at most 65 characters"),
        (GOOD | {"title": None}, "title must be a text"),
        (GOOD | {"title": "x" * 251}, "title must have at most 250 characters"),
        (GOOD | {"reply_to": "x" * 37}, "reply_to must have at most 36 characters"),
        (GOOD | {"priority": "loud"}, "priority must be one of low, normal, high, urgent"),
        (GOOD | {"priority": 5}, "priority must be one of low, normal, high, urgent"),
        (GOOD | {"deliver_at": -1}, "deliver_at must be 0 or more"),
        (GOOD | {"deliver_at": 2**60}, "deliver_at must be 9007199254740991 or less"),
        (GOOD | {"deliver_at": 1.5}, "deliver_at must be a whole number or null"),
        (GOOD | {"sender": "eve"}, "“sender” is not known here"),
        (GOOD | {"a`\n\u202eb": 1}, "“a`\ufffd\ufffdb” is not known here"),
        (GOOD | {"x" * 500: 1}, f"“{'x' * 59}…” is not known here"),
        ([], "this must be an object"),
    ],
)
def test_a_publish(raw: Any, message: str) -> None:
    assert said(wire.Publish, raw) == message


@pytest.mark.parametrize(
    ("type_", "raw", "message"),
    [
        (wire.Sync, {"epoch": 1, "after": 0}, "epoch must be a text or null"),
        (wire.Sync, {"epoch": None, "after": True}, "after must be a whole number"),
        (wire.Sync, {"epoch": None, "after": 0, "limit": 201}, "limit must be 200 or less"),
        (wire.Read, {"ids": [7]}, "ids[0] must be a text"),
        (wire.Read, [], "this must be an object"),
        (wire.Login, {"username": "a", "password": "b", "device": ""}, "device must not be empty"),
    ],
)
def test_other_requests(type_: type[Any], raw: Any, message: str) -> None:
    assert said(type_, raw) == message


def test_what_is_not_foreseen_still_names_its_field() -> None:
    found = msgspec.ValidationError("Something that nobody has seen - at `$.body`")
    assert refused(found).message == "body is not understood"
