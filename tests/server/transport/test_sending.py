"""When frames leave, seen one write at a time: sequenced-packet sockets keep apart what was written apart."""

import socket
from collections.abc import Iterator

import gevent
import pytest
from flask import Flask

from deskbell_server.transport import Options, frames, handshake
from deskbell_server.transport.connection import Connection
from deskbell_server.transport.engine import Engine
from deskbell_server.transport.native import Native
from deskbell_server.transport.outbox import SLICE
from tests.server.transport.raw import request

A, B, C = (frames.encode(letter) for letter in (b"4a", b"4b", b"4c"))


class Bench:
    """An engine on this thread's loop, with connections whose other ends can be read write by write."""

    def __init__(self, options: Options) -> None:
        app = Flask("bench")
        self.transport = Native(app, options)
        self.engine: Engine = self.transport.server.eio
        self.engine.open(self.transport.server, app, ("127.0.0.1", 80), secure=False)
        self.sockets: list[socket.socket] = []

    def connect(self) -> tuple[Connection, socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        self.sockets += [ours, theirs]
        upgrade = handshake.read(request()[:-2], ())
        assert upgrade is not None
        before = set(self.engine.sockets)
        self.engine.upgrade(ours, upgrade, request()[:-2], b"", ("127.0.0.1", 1))
        (sid,) = set(self.engine.sockets) - before
        gevent.sleep(0)  # this turn ends
        assert theirs.recv(65536).startswith(b"HTTP/1.1 101")
        gevent.sleep(0.001)  # the next turn
        return self.engine.sockets[sid], theirs

    def close(self) -> None:
        for below in list(self.engine.sockets.values()):
            below.end("test over")
        gevent.sleep(0.01)
        self.engine.shut()
        for one in self.sockets:
            one.close()


def writes(theirs: socket.socket) -> list[bytes]:
    got = []
    while True:
        try:
            got.append(theirs.recv(1 << 20))
        except BlockingIOError:
            return got


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(Options())
    yield made
    made.close()


def test_frames_of_one_turn_leave_together_at_its_end(bench: Bench) -> None:
    one, theirs = bench.connect()
    one.write(A)
    one.write(B)
    one.write(C)
    assert writes(theirs) == []
    gevent.sleep(0)  # this turn ends
    assert writes(theirs) == [A + B + C]
    one.write(A)
    gevent.sleep(0)  # this turn ends
    assert writes(theirs) == [A]


def test_a_broadcast_leaves_in_slices_and_one_message_overtakes_it(bench: Bench) -> None:
    pairs = [bench.connect() for _ in range(3 * SLICE)]
    bench.engine.spread([(one, (A,)) for one, _ in pairs])
    assert [bool(writes(theirs)) for _, theirs in pairs].count(True) == SLICE
    last, theirs = pairs[-1]
    last.write(B)
    gevent.sleep(0)  # this turn ends
    assert writes(theirs) == [A + B], "in order, and before its slice"
    gevent.sleep(0.05)  # every slice has its turn
    assert all(writes(theirs) == [A] for _, theirs in pairs[SLICE:-1])
    assert writes(theirs) == []


def test_rounds_that_overtake_each_other_are_joined(bench: Bench) -> None:
    pairs = [bench.connect() for _ in range(2 * SLICE)]
    for frame in (A, B, C):
        bench.engine.spread([(one, (frame,)) for one, _ in pairs])
    gevent.sleep(0.05)  # every slice has its turn
    assert [writes(theirs) for _, theirs in pairs[:SLICE]] == [[A, B + C]] * SLICE
    assert [writes(theirs) for _, theirs in pairs[SLICE:]] == [[A + B + C]] * SLICE


def test_frames_that_wait_are_bounded_without_losing_any(bench: Bench) -> None:
    pairs = [bench.connect() for _ in range(SLICE + 1)]
    for _ in range(500):
        bench.engine.spread([(one, (A,)) for one, _ in pairs])
        assert all(len(one.queue or ()) <= SLICE for one, _ in pairs)
    gevent.sleep(0.05)  # every slice has its turn
    assert all(b"".join(writes(theirs)) == A * 500 for _, theirs in pairs)


def test_a_frame_for_many_is_one_object(bench: Bench) -> None:
    pairs = [bench.connect() for _ in range(2 * SLICE)]
    bench.engine.spread([(one, (A,)) for one, _ in pairs])
    assert all(one.queue[0] is A for one, _ in pairs if one.queue)
