"""Socket.IO packets: what python-socketio's client encodes is understood, everything else is a PacketError."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio import packet as sio

from deskbell_server.transport import packets
from deskbell_server.transport.packets import BinaryRefusedError, Packet, PacketError

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
namespaces = st.sampled_from(["/", "/test", "/a/b", "/ä"])


@given(st.text(max_size=20), st.lists(values, max_size=3), namespaces, st.none() | st.integers(0, 10**9))
def test_events_as_python_socketio_encodes_them(name: str, args: list[Any], namespace: str, number: int | None) -> None:
    sent = sio.Packet(sio.EVENT, [name, *args], namespace=namespace, id=number).encode()
    assert packets.parse(sent.encode()) == Packet(packets.EVENT, namespace, number, [name, *args])
    assert packets.parse(b"4" + sent.encode(), 1) == packets.parse(sent.encode())


@given(st.lists(values, max_size=3), namespaces, st.integers(0, 10**9))
def test_acknowledgements_both_ways(args: list[Any], namespace: str, number: int) -> None:
    sent = packets.ack(namespace, number, args)
    assert packets.parse(sent, 1) == Packet(packets.ACK, namespace, number, args)
    back = sio.Packet(encoded_packet=sent[1:].decode())
    assert (back.packet_type, back.namespace or "/", back.id, back.data) == (sio.ACK, namespace, number, args)


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Packet(0, "/", None, None)),
        ('0{"token":"x"}', Packet(0, "/", None, {"token": "x"})),
        ("0/test,", Packet(0, "/test", None, None)),
        ("0/test", Packet(0, "/test", None, None)),
        ('0/test?a=1,{"a":1}', Packet(0, "/test", None, {"a": 1})),
        ("1", Packet(1, "/", None, None)),
        ("1/test,", Packet(1, "/test", None, None)),
        ('2["a"]', Packet(2, "/", None, ["a"])),
        ('2["a",{"b":1,"b":2}]', Packet(2, "/", None, ["a", {"b": 2}])),
    ],
)
def test_forms(text: str, packet: Packet) -> None:
    assert packets.parse(text.encode()) == packet


@pytest.mark.parametrize(
    "text",
    ["", "2", "2[]", "2{}", '2{"a":1}', "2[{}]", "2[1]", '2["a"', '2["a"]x', '2["a",NaN]', '2["a",1e400]', "3[1]",
     "31", "31{}", "4", '4{"message":"x"}', "7", "zzz", "9", "-1",
     '2["a","\\ud800"]', '2["a\x00"]', '212345678901234567["a"]',
     "12", "2" + "[" * 3000 + "]" * 3000, "2//", "2/" + "n" * 300 + ',["a"]'],
)  # fmt: skip
def test_what_no_client_may_send(text: str) -> None:
    with pytest.raises(PacketError):
        packets.parse(text.encode())


@pytest.mark.parametrize("text", ['51-["a",{"_placeholder":true,"num":0}]', "459999999-[]", "61-1[]"])
def test_binary_is_refused(text: str) -> None:
    with pytest.raises(BinaryRefusedError):
        packets.parse(text.removeprefix("4").encode())


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_else(data: bytes) -> None:
    try:
        packet = packets.parse(data)
    except PacketError:
        return
    assert packet.kind in {0, 1, 2, 3}


@given(st.text(max_size=30), values)
def test_an_event_prefix_makes_a_whole_event(name: str, value: Any) -> None:
    whole = packets.event_prefix(name) + json.dumps(value).encode() + b"]"
    assert packets.parse(whole, 1).data == [name, value]


@pytest.mark.parametrize(("result", "args"), [(None, []), ((), []), ((1, 2), [1, 2]), ([1], [[1]]), (False, [False])])
def test_what_a_handler_returns(result: Any, args: list[Any]) -> None:
    assert packets.arguments(result) == args


class Shaped(msgspec.Struct, forbid_unknown_fields=True):
    to: list[str]
    body: Annotated[str, msgspec.Meta(min_length=1)]
    number: Annotated[int, msgspec.Meta(ge=0)] | None = None


SHAPES = {b"send": packets.Shape("send", msgspec.json.Decoder(Shaped).decode)}
shaped = st.fixed_dictionaries(
    {"to": st.lists(st.text(max_size=5), max_size=3), "body": st.text(max_size=10)},
    optional={"number": st.integers(-2, 3) | st.floats(0, 3) | st.booleans(), "other": values},
)


@given(shaped | values, st.sampled_from(["send", "sync", "send_"]), st.none() | st.integers(0, 10**9), namespaces)
def test_what_is_read_in_one_go_is_what_the_long_way_finds(
    data: Any, name: str, number: int | None, namespace: str
) -> None:
    message = b"4" + sio.Packet(sio.EVENT, [name, data], namespace=namespace, id=number).encode().encode()
    found, long = packets.shaped(message, SHAPES), packets.parse(message, 1)
    try:
        expected = msgspec.convert(long.data[1], Shaped, strict=True)
    except msgspec.ValidationError:
        assert found is None
    else:
        assert found is None if (name, namespace) != ("send", "/") else found == long._replace(data=[name, expected])


@pytest.mark.parametrize(
    "text",
    ['42["send"]', '42["send",', '42["send",{"to":[],"body":"x"}', '42["send",{"to":[],"body":"x"},1]', "42", "4", "",
     '42["send",{"to":[],"body":"x"}] ', '41["send",{}]', '42["send",]', '42["send",{"to":[],"body":"\\ud800"}]',
     '42["send",' + "[" * 3000 + "]" * 3001, '42 ["send",{"to":[],"body":"x"}]'],
)  # fmt: skip
def test_what_has_another_form_is_left_to_the_long_way(text: str) -> None:
    assert packets.shaped(text.encode(), SHAPES) is None
