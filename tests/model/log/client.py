"""A device of the model: the desktop's real `Log` between any two events, and its store.

What `Session` does around the log (apply, ask, go on) is done here in the same order, without all else that it does.
"""

from functools import lru_cache
from typing import NamedTuple

from deskbell_desktop.core.effects import RequestSync
from deskbell_desktop.core.events import Moment
from deskbell_desktop.core.log import RETRY_MAX_S, Log
from deskbell_protocol import wire
from tests.model.log.database import Place
from tests.model.log.server import Answer, Frame, Shown

NOW = Moment(0, 0.0)
LATER = Moment(0, RETRY_MAX_S)


class Frozen(NamedTuple):
    """A `Log` as a value. Nobody counts failures or looks at a clock: `waits` is all there is to a delay."""

    epoch: str | None = "0"
    cursor: int = 0
    online: bool = False
    beyond: int = 0
    foreign: bool = False
    held: tuple[Frame, ...] = ()
    rest: bool = False
    told: bool = False
    asks: tuple[str | None, int] | None = None
    asked: int = 0
    waits: bool = False


class Kept(NamedTuple):
    """What is on the device's disk: rows and cursor are one commit."""

    epoch: int | None = 0
    cursor: int = 0
    rows: Shown = ()
    excused: frozenset[int] = frozenset()
    stores: int = 1


class Device(NamedTuple):
    log: Frozen = Frozen()
    kept: Kept = Kept()
    process: int | None = None
    login: Place | None = None
    """Authenticated there, in a snapshot that ended at this place, and not yet connected."""
    answer: Answer | None = None
    """On its way."""

    @property
    def is_online(self) -> bool:
        return self.log.online


NEW = Device(Frozen(epoch=None), Kept(epoch=None))


def thaw(kind: type[Log], frozen: Frozen) -> Log:
    log = kind(frozen.epoch, frozen.cursor)
    log.online, log._beyond, log._foreign, log._rest = frozen.online, frozen.beyond, frozen.foreign, frozen.rest
    log._is_told = frozen.told
    for frame in frozen.held:
        log._hold(_event(frame))
    log._request = None if frozen.asks is None else RequestSync(*frozen.asks)
    log._asked = frozen.asked
    log._retry_at = LATER.mono if frozen.waits else None
    return log


def freeze(log: Log) -> Frozen:
    held = tuple(
        Frame(int(event.epoch), event.prev, event.seq, event.data["row"]) for _, event in sorted(log._held.items())
    )
    asks = None if log._request is None else (log._request.epoch, log._request.after)
    waits = log._retry_at is not None
    return Frozen(
        log.epoch,
        log.cursor,
        log.online,
        log._beyond,
        log._foreign,
        held,
        log._rest,
        log._is_told,
        asks,
        log._asked,
        waits,
    )


def connected(kind: type[Log], device: Device, process: int) -> Device:
    log = thaw(kind, device.log)
    log.up()
    return device._replace(log=freeze(log), process=process, login=None)


def cut(kind: type[Log], device: Device) -> Device:
    log = thaw(kind, device.log)
    log.down()
    return device._replace(log=freeze(log), process=None, login=None, answer=None)


def killed(device: Device) -> Device:
    """What was only in memory is gone."""
    epoch = None if device.kept.epoch is None else str(device.kept.epoch)
    cursor = device.kept.cursor
    return Device(Frozen(epoch, cursor, beyond=cursor, asked=cursor), device.kept)


def emptied(device: Device) -> Device:
    """The store is another one, while an answer to what the old one asked is under way."""
    log = device.log._replace(cursor=0, beyond=0, held=())
    return device._replace(log=log, kept=Kept(device.kept.epoch, stores=device.kept.stores + 1))


def pushed(kind: type[Log], device: Device, frame: Frame) -> Device:
    log = thaw(kind, device.log)
    fit, missing = log.pushed([_wired(frame)])
    kept = _committed(device.kept, log, fit) if fit else device.kept
    if missing:
        log.ask()
    return device._replace(log=freeze(log), kept=kept)


def answered(kind: type[Log], device: Device, answer: Answer, *, is_late: bool = False) -> Device:
    """A late one answers what another socket asked."""
    log = thaw(kind, device.log)
    device = device if is_late else device._replace(answer=None)
    if not log.ended(object() if is_late else log._request):
        return device
    kept, epoch, before = device.kept, log.epoch, log.cursor
    over, fit = log.answered(_answer(answer))
    if log.epoch != epoch:
        kept = Kept(answer.epoch, answer.after, stores=kept.stores)
    if answer.reset or epoch is None:  # it says so; the device tells its person once on the way to the end
        kept = kept._replace(excused=kept.excused | answer.named)
    if fit or over or epoch is None:
        kept = _committed(kept, log, fit)
    log.go_on(NOW, progress=over or log.cursor > before)
    return device._replace(log=freeze(log), kept=kept)


def ticked(kind: type[Log], device: Device) -> Device:
    log = thaw(kind, device.log)
    log.tick(LATER)
    return device._replace(log=freeze(log))


def caught_up(kind: type[Log], device: Device) -> bool:
    return thaw(kind, device.log).caught_up


def _committed(kept: Kept, log: Log, fit: list[wire.Event]) -> Kept:
    return kept._replace(cursor=log.cursor, rows=(*kept.rows, *((event.seq, event.data["row"]) for event in fit)))


@lru_cache(maxsize=1 << 16)
def _event(frame: Frame) -> wire.Event:
    return wire.Event(str(frame.epoch), frame.prev, frame.seq, "message", f"{frame.seq}", 0, {"row": frame.row})


def _wired(frame: Frame) -> wire.Event | wire.Head:
    return _event(frame) if frame.row is not None else wire.Head(str(frame.epoch), frame.prev, frame.seq)


def _answer(answer: Answer) -> wire.SyncAnswer:
    events = [_event(Frame(answer.epoch, answer.after, seq, row)) for seq, row in answer.rows]
    return wire.SyncAnswer(
        epoch=str(answer.epoch),
        after=answer.after,
        upto=answer.upto,
        head=answer.head,
        events=events,
        reset=answer.reset,
    )
