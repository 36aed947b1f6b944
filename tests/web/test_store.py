"""What the browser keeps of the log: as far as it says and without a hole, whatever other tabs and a full disk do."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.web.chromium import CONNECTED, Person
from tests.web.conftest import PASSWORD, MakePerson

PLAY = """async ([user, steps]) => {
    const { Store } = await import('/web/js/io/store.js');
    const store = await Store.open(user);
    const found = [];
    for (const [what, ...values] of steps) found.push([await store[what](...values) ?? null, store.keeps]);
    const other = await Store.open(user);
    const { epoch, cursor, events } = await other.load();
    for (const one of [store, other]) one.close();
    await Store.remove(user);
    return [found, epoch, cursor, events.map(({ seq }) => seq)];
}"""
STATE = """([user, state]) => new Promise(done => {
    const opened = indexedDB.open(`deskbell.${user}`);
    opened.onsuccess = () => {
        const transaction = opened.result.transaction('meta', 'readwrite');
        const meta = transaction.objectStore('meta');
        const before = meta.get('state');
        if (state) meta.put(state, 'state');
        transaction.oncomplete = () => { opened.result.close(); done(before.result); };
    };
})"""
"""What is kept of the log's place; `state` is put in its place."""
WATCH = """() => {
    const { transaction } = IDBDatabase.prototype;
    window.tried = 0;
    IDBDatabase.prototype.transaction = function (...given) {
        window.tried += 1;
        return transaction.apply(this, given);
    };
}"""
FULL = """() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = () => {
        IDBObjectStore.prototype.put = put;
        window.wasFull = true;
        throw new DOMException("full", "QuotaExceededError");
    };
}"""
"""There is no room once, and then there is again."""
RINGS = """
window.rung = [];
window.Notification = class extends Notification {
  constructor(title, options) { super(title, options); window.rung.push(options.body); }
};
"""


def rows(*seqs: int, epoch: str = "e1") -> list[dict[str, Any]]:
    return [{"epoch": epoch, "seq": seq} for seq in seqs]


BEGUN = ("startOver", "e1", 0, None)
KEPT: dict[str, tuple[list[Any], list[Any], tuple[Any, ...]]] = {
    "a cursor without events": ([BEGUN, ("append", [], "e1", 0, 500)], [None, 500], ("e1", 500, [])),
    "what follows on such a cursor": (
        [BEGUN, ("append", [], "e1", 0, 500), ("append", rows(501), "e1", 500, 501)],
        [None, 500, 501],
        ("e1", 501, [501]),
    ),
    "nothing behind a hole": (
        [BEGUN, ("append", rows(3), "e1", 2, 3), ("append", rows(1), "e1", 0, 1)],
        [None, None, 1],
        ("e1", 1, [1]),
    ),
    "what another tab was quicker with": (
        [BEGUN, ("append", rows(1, 2), "e1", 0, 9), ("append", rows(1), "e1", 0, 1)],
        [None, 9, 9],
        ("e1", 9, [1, 2]),
    ),
    "nothing before a log is begun": ([("append", rows(1), "e1", 0, 1)], [None], (None, 0, [])),
    "nothing of a log that is over": (
        [
            BEGUN,
            ("append", rows(1), "e1", 0, 1),
            ("startOver", "e2", 0, "e1"),
            ("append", rows(1, 2, epoch="e2"), "e2", 0, 2),
            ("append", rows(2, 3), "e1", 1, 3),
        ],
        [None, 1, None, 2, None],
        ("e2", 2, [1, 2]),
    ),
    "a log that another tab has begun": (
        [BEGUN, ("append", rows(1, 2), "e1", 0, 2), ("startOver", "e1", 0, None)],
        [None, 2, None],
        ("e1", 2, [1, 2]),
    ),
    "a log that begins after what another tab has of it": (
        [BEGUN, ("append", rows(1, 2), "e1", 0, 2), ("startOver", "e1", 5, None)],
        [None, 2, None],
        ("e1", 5, []),
    ),
    "a log that begins once more under the same name": (
        [BEGUN, ("append", rows(1, 2), "e1", 0, 2), ("startOver", "e1", 0, "e1")],
        [None, 2, None],
        ("e1", 0, []),
    ),
    "a newer log, whatever an older one still knows": (
        [
            *(BEGUN, ("append", rows(1), "e1", 0, 1), ("startOver", "e2", 0, "e1")),
            *(("append", rows(1, epoch="e2"), "e2", 0, 1), ("startOver", "e1", 0, None), ("startOver", "e1", 0, "e1")),
        ],
        [None, 1, None, 1, None, None],
        ("e2", 1, [1]),
    ),
    "the log that follows on what was kept when it was asked for": (
        [BEGUN, ("startOver", "e2", 0, "e1"), ("startOver", "e3", 7, "e2")],
        [None, None, None],
        ("e3", 7, []),
    ),
    "nothing that the server has dropped": (
        [BEGUN, ("append", rows(1, 2, 3), "e1", 0, 3), ("forget", "e1", 2), ("forget", "e2", 3)],
        [None, 3, None, None],
        ("e1", 3, [3]),
    ),
}


@pytest.fixture(scope="module")
def page(browser: Browser, house_of_the_module: Server) -> Iterator[Page]:
    somebody = Person(browser, house_of_the_module).go()
    yield somebody.page
    somebody.close()


@pytest.mark.parametrize("name", KEPT)
def test_it_keeps(name: str, page: Page) -> None:
    steps, returned, kept = KEPT[name]
    found, *state = page.evaluate(PLAY, ["somebody", steps])
    assert found == [[value, True] for value in returned]
    assert tuple(state) == kept


def test_after_one_that_failed_nothing_is_added(page: Page) -> None:
    steps = [BEGUN, ("append", rows(1), "e1", 0, 1), ("append", [{"epoch": "e1"}], "e1", 1, 2)]
    found, *state = page.evaluate(PLAY, ["somebody", [*steps, ("append", rows(3), "e1", 1, 3)]])
    assert found == [[None, True], [1, True], [None, False], [None, False]]
    assert state == ["e1", 1, [1]]


class Kept:
    """What a person's browser keeps."""

    def __init__(self, person: Person, house: Server) -> None:
        self._person = person
        self._me = str(house.login("alex", PASSWORD).user["id"])

    def wait_for(self, *bodies: str) -> None:
        wait_for(lambda: self._person.kept_bodies(self._me) == list(bodies), f"{bodies} to be kept")

    def set_state(self, state: dict[str, Any] | None = None) -> dict[str, Any]:
        before: dict[str, Any] = self._person.page.evaluate(STATE, [self._me, state])
        return before


def syncs_of(page: Page) -> list[dict[str, Any]]:
    """Of the requests for a sync that are sent from now on, all that there are so far."""
    asked: list[dict[str, Any]] = []

    def sent(frame: str | bytes) -> None:
        if '"sync"' in str(frame):
            asked.append(json.loads(str(frame)[str(frame).index("[") :])[1])

    page.on("websocket", lambda socket: socket.on("framesent", sent))
    return asked


def test_a_log_of_which_nothing_is_left_is_kept_from_its_end_on(person: MakePerson, house: Server) -> None:
    maria = house.login("maria", PASSWORD)
    for number in range(3):
        house.publish(maria, "alex", body=f"dropped {number}")
    house.command("prune", "--keep", "0")
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(RINGS)
    alex.sign_in("alex", PASSWORD)
    kept = Kept(alex, house)
    wait_for(lambda: kept.set_state()["cursor"] == 3, "the end of the log to be kept")
    house.publish(maria, "alex", body="the first one")
    alex.page.wait_for_function("() => window.rung.length === 1")
    kept.wait_for("the first one")
    asked = syncs_of(alex.page)
    alex.page.reload()
    alex.wait_until_connected()
    house.publish(maria, "alex", body="the second one")
    alex.page.wait_for_function("() => window.rung.length > 0")
    assert alex.page.evaluate("window.rung") == ["the second one"]
    kept.wait_for("the first one", "the second one")
    assert asked[0]["after"] == 4
    alex.open_conversation("Maria Garcia")
    alex.wait_for_bodies("the first one", "the second one")
    expect(alex.page.locator(".gap")).to_have_count(0)


def test_what_could_not_be_added_is_added_with_the_next(person: MakePerson, house: Server) -> None:
    maria, alex = house.login("maria", PASSWORD), person("alex")
    kept = Kept(alex, house)
    house.publish(maria, "alex", body="one")
    kept.wait_for("one")
    right = kept.set_state({"epoch": "another", "cursor": 1})
    alex.page.evaluate(WATCH)
    house.publish(maria, "alex", body="two")
    alex.page.wait_for_function("() => window.tried > 0")
    assert kept.set_state(right) == {"epoch": "another", "cursor": 1}
    kept.wait_for("one")
    house.publish(maria, "alex", body="three")
    kept.wait_for("one", "two", "three")


def test_a_browser_without_room_has_all_after_a_reload(person: MakePerson, house: Server) -> None:
    maria, alex = house.login("maria", PASSWORD), person("alex")
    kept = Kept(alex, house)
    house.publish(maria, "alex", body="one")
    kept.wait_for("one")
    alex.open_conversation("Maria Garcia")
    alex.page.evaluate(FULL)
    house.publish(maria, "alex", body="two")
    alex.page.wait_for_function("() => window.wasFull")
    house.publish(maria, "alex", body="three")
    alex.wait_for_bodies("one", "two", "three")
    kept.wait_for("one")
    alex.page.reload()
    alex.wait_for_bodies("one", "two", "three")
    kept.wait_for("one", "two", "three")
    expect(alex.page.locator(".gap")).to_have_count(0)


class Between:
    """The socket of a page: `changed` may make another answer of each to a sync."""

    def __init__(self, page: Page) -> None:
        self.changed: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer
        self.asked: list[float] = []
        page.route_web_socket("**/socket.io/**", self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()

        def to_server(frame: str | bytes) -> None:
            if '"sync"' in str(frame):
                self.asked.append(time.monotonic())
            server.send(frame)

        def to_browser(frame: str | bytes) -> None:
            browser.send(self._other(frame) if isinstance(frame, str) and '"upto"' in frame else frame)

        browser.on_message(to_server)
        server.on_message(to_browser)

    def _other(self, frame: str) -> str:
        start = frame.index("[")
        (answer,) = json.loads(frame[start:])
        return frame[:start] + json.dumps([self.changed(answer)])


def test_answers_that_lead_nowhere_are_asked_for_ever_later(person: MakePerson, house: Server) -> None:
    maria, alex = house.login("maria", PASSWORD), person()
    between = Between(alex.page)
    alex.sign_in("alex", PASSWORD)
    house.publish(maria, "alex", body="one")
    alex.wait_for_unread(1)
    between.changed = lambda answer: {**answer, "epoch": "another", "after": 0}
    between.asked.clear()
    alex.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    while len(between.asked) < 3:
        alex.page.wait_for_timeout(50)
    waits = [later - earlier for earlier, later in zip(between.asked, between.asked[1:], strict=False)]
    assert waits[0] > 0.9
    assert waits[1] > 1.9
    expect(alex.page.locator(CONNECTED)).to_be_visible()
    alex.open_conversation("Maria Garcia")
    alex.wait_for_bodies("one")
    house.publish(maria, "alex", body="two")
    alex.wait_for_bodies("one", "two")
    expect(alex.page.locator(".gap")).to_have_count(0)
