"""A message in which every field is filled, so that a field that gets lost on some way is missed there."""

from typing import Any

from deskbell_protocol.wire import Content, plain

CONTENT = Content(body="红了\nline two", title="构建", priority="urgent", url="https://example.org/构建?n=1#top")
OTHER = Content(body="another", title="another", priority="low", url="http://[::1]:80/")
"""Each field is another one than in `CONTENT`."""
FIELDS: dict[str, Any] = plain(CONTENT)


def left_out() -> set[str]:
    """The fields of `Content` that are not filled here: a new one belongs into `CONTENT`."""
    return {*Content.__struct_fields__} - {*FIELDS} | {*Content.__struct_fields__} - {*plain(OTHER)}


def content_of(data: dict[str, Any]) -> dict[str, Any]:
    """What an event's data has of the content."""
    return {name: data[name] for name in Content.__struct_fields__ if name in data}
