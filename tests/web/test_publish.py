"""What went to several people, in the browser: it waits with the first, stands with each, and rings once a person."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk.server import Server
from tests.web.chromium import Person
from tests.web.conftest import MakePerson
from tests.web.test_trouble import forgive_the_network

Made = dict[str, Any]
ME, BOB, CHEN = ({"id": name, "name": name} for name in ("me", "bob", "chen"))
OPS = {"id": "ops", "name": "@ops", "kind": "group"}

APPLIED = """async (events) => {
    const { Inbox } = await import("/web/js/core/inbox.js");
    const inbox = new Inbox("me");
    for (const event of events) inbox.apply(event);
    return inbox.sorted().map(({ id, messages, unread }) => [id, messages.map((one) => one.seq), unread.size]);
}"""
"""What an inbox makes of these: its conversations, newest first."""

DESK = """async ([steps, groups]) => {
    localStorage.clear();
    const { Desk } = await import("/web/js/inbox/desk.js");
    const desk = await Desk.open({ id: "me", name: "me" }, {});
    const [asked, changed] = [[], []];
    desk.connection.online = true;
    desk.connection.ask = async (event, { after }) => {
        asked.push(event);
        if (event !== "sync") return new Promise(() => {});
        return { ok: true, epoch: "e1", after, upto: after, head: after, events: [], groups: groups.shift() ?? null };
    };
    desk.addEventListener("changed", ({ detail }) => changed.push(detail.conversations));
    let written;
    const play = {
        online: () => desk.connection.dispatchEvent(new CustomEvent("state", { detail: { state: "online" } })),
        sends: (...values) => { desk.send(...values); written = desk.outbox.list()[0].cid; },
        told: (event) => {
            if (event.data.cid) event.data.cid = written;
            desk.connection.dispatchEvent(new CustomEvent("event", { detail: event }));
        },
    };
    for (const [what, ...values] of steps) {
        play[what](...values);
        await new Promise((done) => setTimeout(done));
    }
    const has = [...desk.inbox.conversations.values()].map(({ id, messages }) => [id, messages.map((one) => one.seq)]);
    const { outbox, log: { cursor } } = desk;
    const found = { asked, changed, has, waits: outbox.list().length, cursor, groups: desk.groups };
    await desk.close();
    return found;
}"""
"""A desk without a server: what came to it and what was written, and what it has then."""

RUNG = """async ([steps, tabs]) => {
    localStorage.clear();
    const rung = [];
    globalThis.Notification = class {
        static permission = "granted";
        constructor(title) { rung.push(this); this.found = [title, "shown"]; }
        close() { this.found[1] = "closed"; }
    };
    const { Ringer } = await import("/web/js/inbox/ring.js");
    const ringers = Array.from({ length: tabs }, () => new Ringer(() => ({ user: "alex", epoch: "e1" })));
    const play = {
        rings: (ringer, message, wanted) => ringer.ring(message, wanted),
        missed: (ringer, messages) => ringer.missed(messages),
        unread: (ringer, ids) => ringer.settle(new Set(ids)),
    };
    for (const [what, ...values] of steps) for (const ringer of ringers) await play[what](ringer, ...values);
    return rung.map(({ found }) => found);
}"""
"""What rings in the tabs of a browser, and whether it is still to be seen."""


def id_of(seq: int) -> str:
    return f"00c0ffee00c0ffee.{seq}"


def event(seq: int, data: Made, kind: str = "message") -> Made:
    return {"epoch": "e1", "prev": seq - 1, "seq": seq, "kind": kind, "id": id_of(seq), "at": 7, "data": data}


def said(seq: int, sender: Made, *to: Made, **more: object) -> Made:
    return event(seq, {"from": sender, "to": list(to), "body": "Fire drill", **more})


def of_publish(seq: int, to: Made, first: int) -> Made:
    """A message as it rings, with `publish` where it is not the first."""
    where, more = (OPS if to is OPS else BOB)["id"], {"publish": id_of(first)} if first != seq else {}
    text = {"title": "", "body": "", "priority": "normal"}
    return {"id": id_of(seq), "seq": seq, "from": BOB, "to": [to], "conversation": where, **text, **more}


@pytest.fixture(scope="module")
def page(browser: Browser, house_of_the_module: Server) -> Iterator[Page]:
    somebody = Person(browser, house_of_the_module)
    yield somebody.go().page
    somebody.close()


# -- the log ------------------------------------------------------------------------------------------------------


def test_each_message_stands_with_the_one_it_is_exchanged_with(page: Page) -> None:
    mine = [said(9, ME, BOB, cid="c1"), said(10, ME, CHEN, publish=id_of(9))]
    theirs = [said(11, BOB, OPS), said(12, BOB, ME, publish=id_of(11))]
    assert page.evaluate(APPLIED, [*mine, *theirs]) == [["bob", [9, 12], 1], ["ops", [11], 1], ["chen", [10], 0]]


def test_what_is_of_one_moment_is_in_the_order_of_the_log(page: Page) -> None:
    found = page.evaluate(APPLIED, [said(9, CHEN, ME), said(10, BOB, ME)])
    assert [id_ for id_, *_ in found] == ["bob", "chen"]


def test_what_was_stored_as_one_message_to_several_is_the_senders_or_with_the_first(page: Page) -> None:
    found = page.evaluate(APPLIED, [said(1, BOB, OPS, ME), said(2, ME, CHEN, OPS), said(3, ME)])
    assert [(id_, seqs) for id_, seqs, _ in found] == [("me", [3]), ("chen", [2]), ("bob", [1])]


# -- who writes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(BOB, CHEN), (CHEN, BOB)])
def test_what_goes_to_several_stands_with_each_and_waits_no_more(first: Made, second: Made, page: Page) -> None:
    writes = ("sends", "bob", [BOB, CHEN], {"to": ["bob", "chen"], "body": "Fire drill"})
    steps = [("online",), writes, ("told", said(1, ME, first, cid="of what was written"))]
    found = page.evaluate(DESK, [steps, []])
    assert (found["waits"], found["has"]) == (0, [[first["id"], [1]]])
    assert set(found["changed"][-1]) == {"bob", first["id"]}
    found = page.evaluate(DESK, [[*steps, ("told", said(2, ME, second, publish=id_of(1)))], []])
    assert (found["waits"], found["has"]) == (0, [[first["id"], [1]], [second["id"], [2]]])


def test_what_waits_for_several_says_to_whom_and_is_sent_once(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    for name in ("maria", "陈"):
        alex.choose(name)
    house.stop()
    alex.page.wait_for_selector(".side-foot .dot.bad")
    alex.page.fill(".compose textarea", "to both of you")
    alex.page.click(".compose button[type=submit]")
    expect(alex.page.locator("#pane-head")).to_have_text("Maria Garcia")
    expect(alex.page.locator("[data-cid] .meta")).to_have_text("To Maria Garcia, 陈晓明 ·Sending…")
    expect(alex.page.locator(".conversation .name")).to_have_text(["Maria Garcia"])
    house.start()
    alex.wait_until_connected()
    expect(alex.page.locator(".message.mine[data-id]")).to_have_count(1)
    expect(alex.page.locator("[data-cid]")).to_have_count(0)
    forgive_the_network(alex.complaints)


# -- who is written to --------------------------------------------------------------------------------------------

GROUP, SINGLY = of_publish(9, OPS, first=9), of_publish(10, ME, first=9)
NEXT = of_publish(11, ME, first=11)


@pytest.mark.parametrize("tabs", [1, 2])
def test_a_publish_rings_once(tabs: int, page: Page) -> None:
    steps = [("rings", GROUP), ("rings", SINGLY), ("rings", NEXT)]
    assert page.evaluate(RUNG, [steps, tabs]) == [["bob in @ops", "shown"], ["bob", "shown"]]


def test_of_two_tabs_that_get_one_each_one_rings(page: Page) -> None:
    rings = RUNG.replace("for (const ringer of ringers) await play[what](ringer,", "await play[what](ringers.shift(),")
    assert page.evaluate(rings, [[("rings", GROUP), ("rings", SINGLY)], 2]) == [["bob in @ops", "shown"]]


def test_in_view_in_one_conversation_it_rings_in_no_other(page: Page) -> None:
    steps = [("rings", GROUP, False), ("rings", SINGLY), ("rings", NEXT)]
    assert page.evaluate(RUNG, [steps, 1]) == [["bob", "shown"]]


@pytest.mark.parametrize("left", [GROUP, SINGLY])
def test_reading_one_of_a_publish_withdraws_its_notification(left: Made, page: Page) -> None:
    steps = [("rings", GROUP), ("rings", SINGLY), ("unread", [GROUP["id"], SINGLY["id"]])]
    assert page.evaluate(RUNG, [steps, 1]) == [["bob in @ops", "shown"]]
    assert page.evaluate(RUNG, [[*steps, ("unread", [left["id"]])], 1]) == [["bob in @ops", "closed"]]


def test_what_was_missed_counts_a_publish_once(page: Page) -> None:
    assert page.evaluate(RUNG, [[("missed", [GROUP, SINGLY])], 1]) == [["1 message waited for you", "shown"]]
    found = page.evaluate(RUNG, [[("missed", [GROUP, SINGLY, NEXT])], 1])
    assert found == [["2 messages waited for you", "shown"]]


# -- which groups -------------------------------------------------------------------------------------------------


def test_who_comes_into_a_group_asks_where_they_may_write(page: Page) -> None:
    member = event(1, {"group": OPS}, kind="member")
    found = page.evaluate(DESK, [[("online",), ("told", member)], [[], ["ops"]]])
    assert (found["asked"], found["groups"]) == (["sync", "sync"], ["ops"])
    assert (found["cursor"], found["has"]) == (1, [])
