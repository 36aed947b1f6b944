"""The device of the model stands wherever the real session stands: the same frames and answers, drawn by chance."""

from random import Random
from typing import Any

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.log import RETRY_MAX_S, Log
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.words import Words
from deskbell_protocol import names, wire
from tests.fakes import ACCOUNT, BOB, ME, Clock
from tests.model.log import client
from tests.model.log.client import Device
from tests.model.log.database import OWN, Row
from tests.model.log.server import Answer, Frame

ROW = Row(OWN, 0)
MESSAGE = wire.plain(wire.Message(sender=BOB, to=[ME], body="Lunch?"))


class Both:
    """The session, and the model's device beside it."""

    def __init__(self, chance: Random, device: Device) -> None:
        self.chance, self.device, self.clock = chance, device, Clock()
        self.session = Session(Words())
        self.request: do.RequestSync | None = None
        self.session.handle(on.Started(ACCOUNT), self.clock.now)
        self._tell(on.SignedIn(ACCOUNT, on.Stored(epoch=device.log.epoch)))

    def step(self) -> None:
        self.chance.choice([self._frame, self._frame, self._answer, self._answer, self._link, self._tick])()
        log = self.session._log
        assert _place(log) == _place(client.thaw(Log, self.device.log))
        assert log.caught_up == client.caught_up(Log, self.device)

    def _tell(self, event: on.Event) -> None:
        for effect in self.session.handle(event, self.clock.now):
            self.request = effect if isinstance(effect, do.RequestSync) else self.request

    def _link(self) -> None:
        if self.device.is_online and self.chance.random() < 0.5:
            self.device = client.cut(Log, self.device)
            self._tell(on.LinkDown())
        else:
            self.device = client.connected(Log, client.cut(Log, self.device), 0)
            self._tell(on.LinkDown())
            self._tell(on.LinkUp())

    def _tick(self) -> None:
        self.clock.pass_(RETRY_MAX_S)
        self._tell(on.Ticked())
        if self.device.log.waits:
            self.device = client.ticked(Log, self.device)

    def _frame(self) -> None:
        seq = self.chance.randint(1, 20)
        row = ROW if self.chance.random() < 0.7 else None
        frame = Frame(self.chance.choice((0, 0, 0, 1)), self.chance.randint(0, seq), seq, row)
        if self.device.is_online:
            self.device = client.pushed(Log, self.device, frame)
            self._tell(on.FramesPushed((self._wired(frame),)))

    def _wired(self, frame: Frame) -> wire.Event | wire.Head:
        if frame.row is None:
            return wire.Head(str(frame.epoch), frame.prev, frame.seq)
        id_ = f"{frame.epoch}.{frame.seq}"
        return wire.Event(str(frame.epoch), frame.prev, frame.seq, names.KIND_MESSAGE, id_, 0, MESSAGE)

    def _answer(self) -> None:
        if self.device.log.asks is None:
            return
        after = self.device.log.asks[1] + self.chance.choice((0, 0, 0, 0, 1))
        upto = after + self.chance.randint(0, 6)
        rows = tuple((seq, ROW) for seq in range(after + 1, upto + 1) if self.chance.random() < 0.5)
        epoch, reset = self.chance.choice((0, 0, 0, 1)), self.chance.random() < 0.3
        answer = Answer(epoch, after, upto, upto + self.chance.choice((0, 0, 3)), rows, reset, frozenset())
        self.device = client.answered(Log, self.device, answer)
        events: list[Any] = [self._wired(Frame(epoch, after, seq, row)) for seq, row in rows]
        found = wire.SyncAnswer(epoch=str(epoch), after=after, upto=upto, head=answer.head, events=events, reset=reset)
        self._tell(on.SyncAnswered(self.request, found))


def _place(log: Log) -> tuple[object, ...]:
    """All that decides anything."""
    asks = log._request and (log._request.epoch, log._request.after)
    waits = log._retry_at is not None
    return (
        log.epoch,
        log.cursor,
        log.online,
        log._beyond,
        log._foreign,
        {*log._held},
        log._rest,
        log._is_told,
        asks,
        log._asked,
        waits,
    )


@pytest.mark.parametrize("device", [Device(), client.NEW], ids=["known", "new"])
def test_the_session_decides_as_the_device_of_the_model(device: Device) -> None:
    for number in range(150):
        both = Both(Random(number), device)
        for _ in range(60):
            both.step()
