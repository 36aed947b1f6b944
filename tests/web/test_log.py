"""Where the browser stands in a log whose places are not dense: each rule alone, and all of them against chance.

The rules and the cases are the desktop program's, see tests/desktop/core/test_log.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Route

from deskbell_protocol import limits
from deskbell_protocol.wire import Event, Head, SyncAnswer
from tests.desk.server import Server
from tests.web.chromium import Person

PLAY = Path(__file__).with_name("log.js").read_text(encoding="utf-8")
MODULE = "/web/js/core/log.js"
WALKS = 400
Play = Callable[[str], dict[str, Any]]
"""Of a text of log.js: what all `CASES` came to, and which walks went wrong."""


def event(prev: int, seq: int, epoch: str = "e1", body: str = "") -> Event:
    return Event(epoch, prev, seq, "message", f"{epoch}.{seq}", 0, {"body": body})


def answer(after: int, upto: int, *seqs: int, head: int = 0, epoch: str = "e1", reset: bool = False) -> SyncAnswer:
    events = [event(0, seq, epoch) for seq in seqs]
    return SyncAnswer(epoch=epoch, after=after, upto=upto, head=head or upto, events=events, reset=reset)


@dataclass(frozen=True)
class Step:
    """What is done to the log; what that returns, where the log stands then, and whether it is behind."""

    call: tuple[Any, ...]
    returns: object
    cursor: int
    behind: bool = False
    epoch: str | None = "e1"


@dataclass(frozen=True)
class Case:
    cursor: int
    steps: list[Step]
    epoch: str | None = "e1"


def asks(after: int, *, epoch: str | None = "e1", behind: bool = False) -> Step:
    return Step(("ask",), {"epoch": epoch, "after": after}, after, behind, epoch)


def pushes(*frames: Event | Head, finds: str, cursor: int, epoch: str | None = "e1") -> Step:
    """`finds`: one word a frame. Where something is missing the log is behind, unless that is of another epoch."""
    own = [frame.seq for frame in frames if frame.epoch == epoch]
    return Step(("pushed", *frames), finds.split(), cursor, max([*own, 0]) > cursor, epoch)


def gets(
    found: SyncAnswer,
    *seqs: int,
    cursor: int,
    over: bool = False,
    begins: bool = False,
    behind: bool = False,
    to: int = -1,
    epoch: str = "e1",
) -> Step:
    """The answer to the request `to`, by default the last one; it brings the events `seqs`."""
    brings = {"over": over, "begins": begins, "events": list(seqs)}
    return Step(("answered", found, to), brings, cursor, behind, epoch)


def refuses(found: SyncAnswer, *, cursor: int, behind: bool = True, to: int = -1, epoch: str | None = "e1") -> Step:
    return Step(("answered", found, to), None, cursor, behind, epoch)


MOST, BYTES = limits.SYNC_EVENTS, limits.SYNC_BYTES
MANY = [event(number, number + 1) for number in range(20, 20 + MOST + 5)]
LARGE = [event(number, number + 1, body="x" * (BYTES // 4)) for number in range(20, 26)]
CASES = {
    "an event applies where nothing lies between": Case(
        10, [pushes(event(7, 15), event(15, 16), event(3, 9), event(20, 22), finds="next next old missing", cursor=16)]
    ),
    "a head moves the cursor only from where it leads": Case(
        10,
        [
            pushes(Head("e1", 8, 30), finds="next", cursor=30),
            pushes(Head("e1", 30, 30), finds="old", cursor=30),
            pushes(Head("e1", 31, 40), finds="missing", cursor=30),
        ],
    ),
    "what came too early is held until the answer leads there": Case(
        10,
        [
            pushes(event(22, 25), event(20, 22), finds="missing missing", cursor=10),
            asks(10, behind=True),
            gets(answer(10, 21, 18, 20), 18, 20, 22, 25, cursor=25),
        ],
    ),
    "what still does not follow is held on": Case(
        10,
        [
            asks(10),
            pushes(event(20, 22), finds="missing", cursor=10),
            gets(answer(10, 15, 15), 15, cursor=15, behind=True),
            asks(15, behind=True),
            gets(answer(15, 20, 20), 20, 22, cursor=22),
        ],
    ),
    "what is held has an end": Case(
        10,
        [
            pushes(*MANY, finds=" ".join(["missing"] * len(MANY)), cursor=10),
            asks(10, behind=True),
            gets(answer(10, 20), *range(21, 21 + MOST), cursor=20 + MOST, behind=True),
            asks(20 + MOST, behind=True),
        ],
    ),
    "what is held is not large": Case(
        10,
        [
            pushes(*LARGE, finds=" ".join(["missing"] * len(LARGE)), cursor=10),
            asks(10, behind=True),
            gets(answer(10, 20), 21, 22, 23, cursor=23, behind=True),
            asks(23, behind=True),
        ],
    ),
    "an empty page goes on from its end": Case(
        0, [asks(0), gets(answer(0, 200, head=900), cursor=200, behind=True), asks(200, behind=True)]
    ),
    "what an answer repeats is skipped": Case(
        10,
        [
            asks(10),
            pushes(event(10, 12), finds="next", cursor=12),
            gets(answer(10, 15, 12, 14), 14, cursor=15),
            asks(15),
            pushes(event(15, 19), finds="next", cursor=19),
            gets(answer(15, 17), cursor=19),
        ],
    ),
    "an answer from beyond the cursor moves nothing": Case(
        10, [asks(10), refuses(answer(20, 30, 25), cursor=10), asks(10, behind=True)]
    ),
    "an answer of another log moves nothing unless it says so": Case(
        10, [asks(10), refuses(answer(0, 30, 25, epoch="e2"), cursor=10), asks(10, behind=True)]
    ),
    "an answer that is refused leaves what is held": Case(
        10,
        [
            pushes(event(20, 22), finds="missing", cursor=10),
            asks(10, behind=True),
            refuses(answer(15, 30, 25), cursor=10),
            asks(10, behind=True),
            gets(answer(10, 20, 20), 20, 22, cursor=22),
        ],
    ),
    "another epoch never applies and is asked for even while an answer is on its way": Case(
        10,
        [
            pushes(event(0, 11, "e2"), finds="missing", cursor=10),
            asks(10),
            Step(("pushed", event(0, 12, "e2")), ["missing"], 10, behind=True),
            gets(answer(10, 10), cursor=10, behind=True),
            asks(10),
            gets(answer(0, 12, 11, 12, epoch="e2", reset=True), 11, 12, cursor=12, over=True, begins=True, epoch="e2"),
        ],
    ),
    "nothing that was held is of the log that begins": Case(
        10,
        [
            pushes(event(20, 22), finds="missing", cursor=10),
            asks(10, behind=True),
            gets(answer(0, 21, 21, epoch="e2", reset=True), 21, cursor=21, over=True, begins=True, epoch="e2"),
        ],
    ),
    "what was dropped is told and the rest goes on from the cursor": Case(
        10, [asks(10), gets(answer(10, 60, 55, reset=True), 55, cursor=60, over=True)]
    ),
    "what was dropped is told once on the way to the end": Case(
        10,
        [
            asks(10),
            gets(answer(10, 20, 15, head=30, reset=True), 15, cursor=20, over=True, behind=True),
            asks(20, behind=True),
            gets(answer(20, 30, 25, reset=True), 25, cursor=30),
            asks(30),
            gets(answer(30, 40, 35, reset=True), 35, cursor=40, over=True),
        ],
    ),
    "what came while it was dropped is not taken twice": Case(
        10,
        [
            asks(10),
            pushes(event(10, 55), finds="next", cursor=55),
            gets(answer(10, 60, 55, 57, reset=True), 57, cursor=60, over=True),
        ],
    ),
    "a log that ends before the cursor begins again, and is asked once more": Case(
        90,
        [
            asks(90),
            pushes(event(5, 6), finds="old", cursor=90),
            gets(answer(0, 5, 3, 5, reset=True), 3, 5, cursor=5, over=True, begins=True, behind=True),
            asks(5, behind=True),
            gets(answer(5, 6, 6), 6, cursor=6),
        ],
    ),
    "the first answer begins the log": Case(
        0,
        [
            pushes(event(1, 3), finds="missing", cursor=0, epoch=None),
            asks(0, epoch=None),
            gets(answer(0, 500), cursor=500, begins=True),
            pushes(event(500, 501), finds="next", cursor=501),
        ],
        epoch=None,
    ),
    "the first answer is to what was asked": Case(
        0,
        [
            asks(0, epoch=None),
            refuses(answer(100, 105, 101, 105), cursor=0, epoch=None),
            asks(0, epoch=None, behind=True),
            gets(answer(0, 105, 1, 101, 105), 1, 101, 105, cursor=105, begins=True),
        ],
        epoch=None,
    ),
    "rows are of the answer's epoch and lie within it": Case(
        10,
        [
            asks(10),
            gets(
                msgspec.structs.replace(
                    answer(10, 20), events=[event(0, 9), event(0, 12, "e2"), event(0, 15), event(0, 21)]
                ),
                15,
                cursor=20,
            ),
        ],
    ),
    "one is asked at a time, and again where none was answered": Case(
        10,
        [
            asks(10),
            Step(("ask",), None, 10),
            Step(("failed", -1), returns=True, cursor=10, behind=True),
            asks(10, behind=True),
            gets(answer(10, 10), cursor=10),
        ],
    ),
    "on a fresh socket nothing of the last one counts": Case(
        10,
        [
            pushes(event(20, 22), finds="missing", cursor=10),
            asks(10, behind=True),
            Step(("connected",), None, 10),
            asks(10),
            refuses(answer(10, 20, 20), cursor=10, behind=False, to=0),
            Step(("failed", 0), returns=False, cursor=10),
            Step(("ask",), None, 10),
            gets(answer(10, 20, 20), 20, cursor=20),
        ],
    ),
}
MUTANTS = {
    "a head without prev": ("frame.prev <= this.cursor", "!frame.kind || frame.prev <= this.cursor"),
    "no prev": ("frame.prev <= this.cursor", "true"),
    "what is old is applied": ('if (frame.seq <= this.cursor) return "old";', ""),
    "what an answer repeats is applied": ("event.seq > this.cursor && ", ""),
    "no look at `after`": ("own && after <= this.cursor", "own"),
    "a late answer is taken": ("if (request !== this.#asked) return null;", ""),
    "any epoch begins": ("over || (this.epoch === null", "true || (this.epoch === null"),
    "any first answer begins": ("this.epoch === null && after === request.after", "this.epoch === null"),
    "any epoch applies": ("if (frame.epoch !== this.epoch) {", "if (false) {"),
    "another epoch is forgotten": ("this.#foreign ||= this.#asked !== null;", ""),
    "the last event instead of `upto`": (
        "Math.max(this.cursor, upto)",
        "Math.max(this.cursor, ...events.map((e) => e.seq))",
    ),
    "the cursor moves back": ("Math.max(this.cursor, upto)", "upto"),
    "a page is the end": ("upto < head", "false"),
    "what lies beyond is forgotten": ("this.#beyond = Math.max(this.#beyond, frame.seq);", ""),
    "nothing is held": ("if (frame.kind) this.#hold(frame);", ""),
    "without end": ("this.#held.size >= LIMITS.SYNC_EVENTS", "false"),
    "of any size": ("this.#heldBytes + size > LIMITS.SYNC_BYTES", "false"),
    "told with each answer": ("begins || !this.#told", "true"),
    "told only once for ever": ("this.#told = this.#rest && ", "this.#told = "),
    "two at a time": ("if (this.#asked) return null;", ""),
}


@pytest.fixture(scope="module")
def play(browser: Browser, house_of_the_module: Server) -> Iterator[Play]:
    """In a page of its own, which has each text of log.js under another address."""
    somebody = Person(browser, house_of_the_module).go()
    given = msgspec.to_builtins([_begun(case) for case in CASES.values()])
    count = 0

    def played(source: str) -> dict[str, Any]:
        nonlocal count
        count += 1

        def serve(route: Route) -> None:
            route.fulfill(body=source, content_type="text/javascript")

        module = f"{MODULE}?{count}"
        somebody.page.route(f"**{module}", serve)
        found: dict[str, Any] = somebody.page.evaluate(PLAY, {"module": module, "cases": given, "walks": WALKS})
        return found

    yield played
    somebody.close()


def _begun(case: Case) -> dict[str, Any]:
    return {"epoch": case.epoch, "cursor": case.cursor, "steps": [step.call for step in case.steps]}


def _wanted(case: Case) -> list[list[object]]:
    return [[step.returns, step.epoch, step.cursor, step.behind] for step in case.steps]


@pytest.fixture(scope="module")
def source() -> str:
    root = Path(__file__).parent.parent.parent / "resources" / "deskbell_resources"
    return (root / MODULE.removeprefix("/")).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def played(play: Play, source: str) -> dict[str, Any]:
    return play(source)


@pytest.mark.parametrize("name", CASES)
def test_each_rule_alone(name: str, played: dict[str, Any]) -> None:
    assert played["cases"][list(CASES).index(name)] == _wanted(CASES[name])


def test_whatever_happens_on_the_way_it_has_all_that_it_may_see_in_order_and_once(played: dict[str, Any]) -> None:
    assert played["wrong"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_reading_of_the_rules_is_caught(name: str, play: Play, source: str) -> None:
    right, wrong = MUTANTS[name]
    assert source.count(right) == 1
    found = play(source.replace(right, wrong))
    assert found["wrong"] or found["cases"] != [_wanted(case) for case in CASES.values()]
