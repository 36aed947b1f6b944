"""Every struct of the wire by example: what is accepted, what is refused and why. The examples are in golden/."""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskbell_protocol import limits, names, wire
from deskbell_protocol.wire import Frame, Incoming, Outgoing, Said, parse, plain

GOLDEN = {path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "golden").glob("*.json"))}


def struct_of(example: dict[str, Any]) -> type[msgspec.Struct]:
    return getattr(wire, example["struct"])  # type: ignore[no-any-return]


def cases(what: str) -> list[Any]:
    return [
        pytest.param(struct_of(example), case, id=f"{name}-{number}")
        for name, example in GOLDEN.items()
        for number, case in enumerate(example[what])
    ]


def test_every_struct_of_the_wire_has_its_examples() -> None:
    structs = {
        name
        for name, value in inspect.getmembers(wire, inspect.isclass)
        if issubclass(value, (Incoming, Outgoing)) and value not in (Incoming, Outgoing, Said, Frame)
    }
    assert {example["struct"] for example in GOLDEN.values()} == structs
    assert all(example["valid"] and example["refused"] for example in GOLDEN.values())


@pytest.mark.parametrize(("struct", "example"), cases("valid"))
def test_a_valid_example_says_the_same_after_the_way_through(struct: type[msgspec.Struct], example: Any) -> None:
    value = parse(struct, example)
    again = json.loads(json.dumps(plain(value)))
    assert parse(struct, again) == value
    if issubclass(struct, Outgoing):
        assert again == example
    else:
        assert again.items() <= example.items(), "an older server refuses a key that it does not know"


@pytest.mark.parametrize(("struct", "refused"), cases("refused"))
def test_a_refused_example_is_refused_with_the_reason(struct: type[msgspec.Struct], refused: Any) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        parse(struct, refused["json"])
    assert str(caught.value).startswith(refused["because"])


@pytest.mark.parametrize("name", [name for name, example in GOLDEN.items() if issubclass(struct_of(example), Outgoing)])
def test_a_client_ignores_keys_of_a_newer_server(name: str) -> None:
    example = GOLDEN[name]
    known = example["valid"][0]
    assert parse(struct_of(example), {**known, "added_in_version_9": [1]}) == parse(struct_of(example), known)


@pytest.mark.parametrize("raw", [None, 7, "text", [], True, [{}]])
@pytest.mark.parametrize("name", [*GOLDEN])
def test_what_is_no_object_is_refused(name: str, raw: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected `object`"):
        parse(struct_of(GOLDEN[name]), raw)


def test_the_two_directions_share_no_event() -> None:
    assert not names.CLIENT_EVENTS & names.SERVER_EVENTS


def test_a_longest_body_fits_into_one_frame_even_as_escapes() -> None:
    body = "\x01" * limits.BODY_BYTES  # no body may hold it, but nothing else grows as much in JSON
    assert len(json.dumps(body)) > limits.REQUEST_BYTES
    worst = "\\" * limits.BODY_BYTES
    assert len(json.dumps({"cid": "x" * limits.KEY_CHARS, "body": worst})) < limits.REQUEST_BYTES


def test_a_device_that_knows_nothing_says_nothing_of_it() -> None:
    """A server from before that field refuses it."""
    assert plain(wire.Login("ann", "secret", "desk")) == {"username": "ann", "password": "secret", "device": "desk"}
    assert plain(wire.Login("ann", "secret", "desk", "x"))["known"] == "x"
