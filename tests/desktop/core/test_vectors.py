"""The shared vectors on the desktop's core; and on broken ones, which they must tell from the right one.

They run against the browser's core too: tests/protocol/vectors/README.md.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import log, outbox, rings
from deskbell_desktop.core.events import Looking, Moment, Outgoing, Ring, SendAnswered, SendFailed
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words
from deskbell_protocol.wire import Content, Event, Head, SyncAnswer
from tests.desktop.core.mutants import MUTANTS
from tests.fakes import BOB, ME

FOLDER = Path(__file__).parent.parent.parent / "protocol" / "vectors"
Vector = dict[str, Any]
Found = list[dict[str, Any]]
NOTHING = Looking(None)


def vectors(kind: str) -> list[Vector]:
    return list(json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8")))


@dataclass
class Clock:
    now: Moment

    def pass_(self, ms: float) -> None:
        self.now = Moment(self.now.wall + round(ms), self.now.mono + ms / 1000)


# -- log ----------------------------------------------------------------------------------------------------------


def event(prev: int, seq: int, epoch: str = "e1", size: int = 0) -> Event:
    return Event(epoch, prev, seq, "message", f"{epoch}.{seq}", 0, {"body": "x" * size})


def frames(given: Any) -> list[Event | Head]:
    if isinstance(given, list):
        return [event(*given)]
    if "head" in given:
        return [Head("e1", *given["head"])]
    return [event(number, number + 1, size=given.get("bytes", 0)) for number in range(*given["each"])]


def answer(step: dict[str, Any]) -> SyncAnswer:
    epoch, upto = step.get("epoch", "e1"), step["upto"]
    rows = [event(0, *row) if isinstance(row, list) else event(0, row, epoch) for row in step.get("seqs", [])]
    head, over = step.get("head", upto), step.get("reset", False)
    return SyncAnswer(epoch=epoch, after=step["after"], upto=upto, head=head, events=rows, reset=over)


class PlayedLog:
    def __init__(self, module: ModuleType, vector: Vector) -> None:
        self._clock = Clock(Moment(1_800_000_000_000, 1000.0))
        self._log = module.Log(vector["epoch"], vector["cursor"])
        self._request: object = None
        self._last: object = None
        self._asked: list[object] | None = None

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        self._asked = None
        found: dict[str, Any] = {"applies": [], "over": False} | (getattr(self, f"_{step['do']}")(step) or {})
        place = {"asks": self._asked, "epoch": self._log.epoch, "cursor": self._log.cursor}
        return found | place | {"caught_up": self._log.caught_up}

    def _asks(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, do.RequestSync):
                self._request, self._asked = effect, [effect.epoch, effect.after]

    def _up(self, _: Any) -> None:
        self._asks(self._log.up())

    def _down(self, _: Any) -> None:
        self._last = self._request
        self._log.down()

    def _push(self, step: dict[str, Any]) -> dict[str, Any]:
        fit, missing = self._log.pushed([frame for given in step["frames"] for frame in frames(given)])
        if missing:
            self._asks(self._log.ask())
        return {"applies": [one.seq for one in fit]}

    def _answer(self, step: dict[str, Any]) -> dict[str, Any]:
        before = (self._log.epoch, self._log.cursor)
        assert self._log.ended(self._request)
        over, fit = self._log.answered(answer(step))
        progress = over or before != (self._log.epoch, self._log.cursor)
        self._asks(self._log.go_on(self._clock.now, progress=progress))
        return {"applies": [one.seq for one in fit], "over": over}

    def _late(self, step: dict[str, Any]) -> dict[str, Any]:
        fit = self._log.answered(answer(step))[1] if self._log.ended(self._last) else []
        return {"applies": [one.seq for one in fit]}

    def _fail(self, step: dict[str, Any]) -> None:
        assert self._log.ended(self._request)
        self._log.failed(self._clock.now, step.get("retry_after_s"))

    def _wait(self, step: dict[str, Any]) -> None:
        self._clock.pass_(step["ms"])
        self._asks(self._log.tick(self._clock.now))


def wanted_of_log(vector: Vector) -> Found:
    epoch, found = vector["epoch"], []
    for step in vector["steps"]:
        epoch = step.get("epoch_then", epoch)
        said = {key: step.get(key, default) for key, default in (("applies", []), ("over", False), ("asks", None))}
        found.append(said | {"epoch": epoch, "cursor": step["cursor"], "caught_up": step.get("caught_up", False)})
    return found


# -- outbox -------------------------------------------------------------------------------------------------------


@dataclass
class PlayedOutbox:
    module: ModuleType
    vector: Vector
    _items: dict[str, Outgoing] = field(default_factory=dict)
    """What the store keeps."""
    _sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._clock = Clock(Moment(self.vector["wall"], 1000.0))
        self._outbox = self.module.Outbox((), Words(), self._clock.now)

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        self._sent = []
        getattr(self, f"_{step['do']}")(step)
        self._do(self._outbox.send(self._clock.now))
        found: dict[str, Any] = {"sends": self._sent}
        return found | ({"states": {cid: item.state for cid, item in self._items.items()}} if "states" in step else {})

    def _do(self, effects: list[do.Effect]) -> None:
        for effect in effects:
            match effect:
                case do.KeepOutgoing(item):
                    self._items[item.cid] = item
                case do.DropOutgoing(cid) | do.SettleOutgoing(cid, _):
                    del self._items[cid]
                case do.SendMessage(cid):
                    self._sent.append(cid)

    def _write(self, step: dict[str, Any]) -> None:
        to, wall = step["to"], self._clock.now.wall
        item = Outgoing(step["cid"], to, (to,), Content(body="x"), wall, step.get("reply_to"))
        self._do(self._outbox.write(item, self._clock.now))

    def _up(self, _: Any) -> None:
        self._do(self._outbox.up(self._clock.now))

    def _down(self, _: Any) -> None:
        self._outbox.down()

    def _answer(self, step: dict[str, Any]) -> None:
        self._do(self._outbox.answered(SendAnswered(step["cid"], "e1.1", step["seq"]), self._clock.now))

    def _refuse(self, step: dict[str, Any]) -> None:
        failed = SendFailed(step["cid"], step["code"], retry_after_s=step.get("retry_after_s"))
        self._do(self._outbox.failed(failed, self._clock.now))

    def _echo(self, step: dict[str, Any]) -> None:
        self._items.pop(step["cid"], None)
        self._do(self._outbox.echoed(step["cid"], self._clock.now))

    def _settle(self, step: dict[str, Any]) -> None:
        self._do(self._outbox.settle(step["cursor"], ME))

    def _start_over(self, _: Any) -> None:
        self._do(self._outbox.start_over())

    def _retry(self, step: dict[str, Any]) -> None:
        self._do(self._outbox.retry(step["cid"], self._clock.now))

    def _discard(self, step: dict[str, Any]) -> None:
        self._do(self._outbox.discard(step["cid"]))

    def _wall(self, step: dict[str, Any]) -> None:
        self._clock.now = replace(self._clock.now, wall=self._clock.now.wall + step["ms"])

    def _restart(self, _: Any) -> None:
        self._clock.now = replace(self._clock.now, mono=0.0)
        self._outbox = self.module.Outbox(tuple(self._items.values()), Words(), self._clock.now)

    def _wait(self, step: dict[str, Any]) -> None:
        end = self._clock.now.mono + step["ms"] / 1000
        for _ in range(10_000):
            due = min(self._outbox.dues, default=end + 1)
            if due > end:
                break
            self._clock.pass_(max(due - self._clock.now.mono, 0.001) * 1000)
            self._do(self._outbox.tick(self._clock.now))
        else:
            raise AssertionError("it asks for ticks without end")
        self._clock.pass_((end - self._clock.now.mono) * 1000)


def wanted_of_outbox(vector: Vector) -> Found:
    return [
        {"sends": step.get("sends", [])} | ({"states": step["states"]} if "states" in step else {})
        for step in vector["steps"]
    ]


# -- rings --------------------------------------------------------------------------------------------------------


class PlayedRings:
    def __init__(self, module: ModuleType, _: Vector) -> None:
        self._clock = Clock(Moment(1_800_000_000_000, 1000.0))
        self._rings = module.Rings((), self._clock.now, Words())

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        return getattr(self, f"_{step['do']}")(step) or {}

    def _messages(self, step: dict[str, Any]) -> list[Ring]:
        return [
            Ring(
                message["id"],
                message["in"],
                *("title", "label", "body"),
                self._clock.now.wall,
                BOB,
                message.get("priority", "normal"),
                publish=message.get("publish", ""),
            )
            for message in step["messages"]
        ]

    def _push(self, step: dict[str, Any]) -> dict[str, Any]:
        shown = []
        for ring in self._messages(step):
            effects = self._rings.add([ring], NOTHING, self._clock.now)
            shown += _popups([*effects, *self._rings.release(self._clock.now)])
        return {"rings": [popup.message_key for popup in shown]}

    def _read(self, step: dict[str, Any]) -> dict[str, Any]:
        effects = self._rings.read(step["ids"])
        return {"withdraws": sorted(effect.key for effect in effects if isinstance(effect, do.WithdrawPopup))}

    def _wait(self, step: dict[str, Any]) -> None:
        end = self._clock.now.mono + step["ms"] / 1000
        while (due := min(self._rings.dues, default=end + 1)) <= end:
            self._clock.pass_(max(due - self._clock.now.mono, 0) * 1000)
            self._rings.tick(self._clock.now)
        self._clock.pass_((end - self._clock.now.mono) * 1000)

    def _missed(self, step: dict[str, Any]) -> dict[str, Any]:
        self._rings.catching_up()
        self._rings.add(self._messages(step), NOTHING, self._clock.now)
        (popup,) = _popups(self._rings.caught_up(self._clock.now))
        return {"counts": int("".join(letter for letter in popup.title if letter.isdigit()))}


def _popups(effects: list[do.Effect]) -> list[Popup]:
    return [effect.popup for effect in effects if isinstance(effect, do.ShowPopup)]


def wanted_of_rings(vector: Vector) -> Found:
    keys = ("rings", "withdraws", "counts")
    return [{key: step[key] for key in keys if key in step} for step in vector["steps"]]


# -- all of them --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    module: ModuleType
    player: Callable[[ModuleType, Vector], Any]
    wanted: Callable[[Vector], Found]

    def fits(self, module: ModuleType, vector: Vector) -> bool:
        return self.play(module, vector) == self.wanted(vector)

    def play(self, module: ModuleType, vector: Vector) -> Found:
        player = self.player(module, vector)
        return [player.step(step) for step in vector["steps"]]


KINDS = {
    "log": Kind(log, PlayedLog, wanted_of_log),
    "outbox": Kind(outbox, PlayedOutbox, wanted_of_outbox),
    "rings": Kind(rings, PlayedRings, wanted_of_rings),
}
ALL = [pytest.param(kind, vector, id=f"{kind}: {vector['name']}") for kind in KINDS for vector in vectors(kind)]
BROKEN = [pytest.param(kind, name, id=f"{kind}: {name}") for kind, mutants in MUTANTS.items() for name in mutants]


@pytest.mark.parametrize(("kind", "vector"), ALL)
def test_it_does_what_every_client_does(kind: str, vector: Vector) -> None:
    assert KINDS[kind].play(KINDS[kind].module, vector) == KINDS[kind].wanted(vector)


def failing(kind: str, name: str) -> set[str]:
    """Names of the vectors that a core with this rule broken does not fit."""
    right, wrong = MUTANTS[kind][name]
    module = KINDS[kind].module
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    assert source.count(right) == 1, f"{name}: the rule stands once in the source"
    broken = ModuleType(f"{module.__name__}_broken")
    sys.modules[broken.__name__] = broken  # dataclasses look there
    try:
        exec(compile(source.replace(right, wrong), "broken", "exec"), broken.__dict__)
        return {vector["name"] for vector in vectors(kind) if not _fits(kind, broken, vector)}
    finally:
        del sys.modules[broken.__name__]


def _fits(kind: str, module: ModuleType, vector: Vector) -> bool:
    try:
        return KINDS[kind].fits(module, vector)
    except Exception:  # noqa: BLE001 - whatever goes wrong in a broken core, it is caught
        return False


@pytest.mark.parametrize(("kind", "name"), BROKEN)
def test_a_wrong_reading_of_the_rules_is_caught(kind: str, name: str) -> None:
    assert failing(kind, name)
