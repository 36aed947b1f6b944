"""RFC 6455 without I/O: whatever the chunks, the same messages; whatever is forbidden, the right code."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell_server.transport import frames
from deskbell_server.transport.frames import FrameError, Reader
from tests.server.transport.raw import frame

LIMIT = 70_000
messages = st.lists(
    st.one_of(
        st.tuples(st.just(frames.Opcode.TEXT), st.text(max_size=300).map(str.encode)),
        st.tuples(st.just(frames.Opcode.BINARY), st.binary(max_size=300)),
        st.tuples(st.sampled_from([frames.Opcode.PING, frames.Opcode.PONG]), st.binary(max_size=125)),
        st.tuples(st.just(frames.Opcode.BINARY), st.sampled_from([125, 126, 65535, 65536]).map(bytes)),
    ),
    max_size=8,
)


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(edges)]


@given(messages, st.lists(st.integers(0, 200_000), max_size=30), st.integers(1, 5))
def test_any_chunks_give_the_same_messages(sent: list[tuple[int, bytes]], cuts: list[int], room: int) -> None:
    reader, got = Reader(LIMIT), []
    for chunk in chunked(b"".join(frame(payload, opcode) for opcode, payload in sent), cuts):
        found = reader.read(chunk, room)
        got += found
        while reader.more:
            found = reader.read(b"", room)
            got += found
    assert got == sent
    assert reader.holds == 0


@pytest.mark.parametrize("size", [0, 1])
def test_a_fragment_takes_as_much_room_as_a_message(size: int) -> None:
    """Ten thousand of them come in one read, and would keep the loop from everybody else."""
    reader = Reader(LIMIT)
    sent = frame("", final=False) + frame(b"x" * size, 0, final=False) * 1_000 + frame("!", 0)
    turns, found = 1, reader.read(sent, 64)
    while reader.more and not found:
        found = reader.read(b"", 64)
        turns += 1
    assert found == [(frames.Opcode.TEXT, b"x" * size * 1_000 + b"!")]
    assert turns == 1_002 // 64 + 1


@given(st.text(max_size=200), st.lists(st.integers(0, 800), max_size=6), st.binary(max_size=20))
def test_fragments_join_with_control_frames_between(text: str, cuts: list[int], ping: bytes) -> None:
    parts = chunked(text.encode(), cuts) or [b""]
    sent = b""
    for number, part in enumerate(parts):
        sent += frame(part, 0 if number else 1, final=number == len(parts) - 1) + frame(ping, 9)
    got = Reader(LIMIT).read(sent, 100)
    assert [payload for opcode, payload in got if opcode == frames.Opcode.TEXT] == [text.encode()]
    assert [payload for opcode, payload in got if opcode == frames.Opcode.PING] == [ping] * len(parts)


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (1002, frame("x", mask=False)),
        (1002, frame("x", rsv=4)),
        (1002, frame("x", rsv=1)),
        (1002, frame("x", opcode=3)),
        (1002, frame("x", opcode=11)),
        (1002, frame("x", opcode=0)),
        (1002, frame("x", final=False) + frame("y")),
        (1002, frame(b"", 9, final=False)),
        (1002, frame(bytes(126), 9)),
        (1002, bytes((0x81, 0xFE, 0, 125))),
        (1002, bytes((0x81, 0xFF)) + (65535).to_bytes(8, "big")),
        (1002, bytes((0x81, 0xFF)) + (1 << 63).to_bytes(8, "big")),
        (1007, frame(b"\xff")),
        (1007, frame(b"\xed\xa0\x80")),
        (1007, frame(b"\xc3", final=False) + frame(b"(", 0)),
        (1009, bytes((0x81, 0xFF)) + (LIMIT + 1).to_bytes(8, "big")),
        (1009, frame(bytes(LIMIT), 2, final=False) + bytes((0, 0x81))),
    ],
)
def test_forbidden(code: int, data: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        Reader(LIMIT).read(data, 100)
    assert caught.value.code == code


def test_an_announced_length_is_refused_before_its_bytes_come() -> None:
    reader = Reader(1000)
    with pytest.raises(FrameError) as caught:
        reader.read(bytes((0x81, 0xFE, 0x7F, 0xFF)), 1)
    assert caught.value.code == frames.CloseReason.MESSAGE_TOO_BIG


@given(st.binary(max_size=3000))
def test_garbage_never_raises_anything_else(data: bytes) -> None:
    reader = Reader(1000)
    try:
        reader.read(data, 10_000)
    except FrameError:
        return
    assert reader.holds <= 1000 + 14


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", 1000), (b"\x03\xe8", 1000), (b"\x03\xe9bye", 1001), (b"\x0b\xb8", 3000), (b"\x13\x87", 4999)],
)
def test_close_codes(payload: bytes, code: int) -> None:
    assert frames.close_code(payload) == code


@pytest.mark.parametrize("payload", [b"\x03", b"\x00\x00", b"\x03\xed", b"\x03\xee", b"\x13\x88", b"\x03\xe8\xff"])
def test_close_codes_that_may_not_be_sent(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frames.close_code(payload)


@given(st.binary(max_size=300), st.sampled_from([0, 125, 126, 65535, 65536]))
def test_what_is_sent_is_unmasked_and_shortest(start: bytes, size: int) -> None:
    payload = start + bytes(size)
    sent = frames.encode(payload)
    wide = 0 if len(payload) < 126 else 2 if len(payload) < 65536 else 8
    assert sent[0] == 0x81
    assert sent[1] < 128
    assert len(sent) == 2 + wide + len(payload)
    assert sent.endswith(payload)
