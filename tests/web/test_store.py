"""What the browser keeps of the log: as far as it says and without a hole, whatever other tabs and a full disk do."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.desk.server import Server
from tests.web.chromium import Person

PLAY = """async ([user, steps]) => {
    const { Store } = await import('/web/js/inbox/store.js');
    const store = await Store.open(user);
    const found = [];
    for (const [what, ...values] of steps) found.push([await store[what](...values) ?? null, store.keeps]);
    const other = await Store.open(user);
    const { epoch, cursor, events } = await other.load();
    for (const one of [store, other]) one.close();
    await Store.remove(user);
    return [found, epoch, cursor, events.map(({ seq }) => seq)];
}"""


def rows(*seqs: int, epoch: str = "e1") -> list[dict[str, Any]]:
    return [{"epoch": epoch, "seq": seq} for seq in seqs]


BEGUN = ("startOver", "e1", 0, None)
KEPT = {
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
