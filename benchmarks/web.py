"""What a person at a browser waits for, measured in Debian's Chromium: `python -m benchmarks.web`.

First paint and bytes of the inbox, publish to visible, 1,000 messages in one go, with the longest task meanwhile, and
the list of conversations of somebody who has 24,000 messages in this browser, without the server's help.
Prints a section for README.md; fails when a promise is missed, or a message is.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import socketio
from playwright.sync_api import Browser

import vendor
from benchmarks.desktop import Figure
from benchmarks.speed import machine
from deskbell_protocol import PROTOCOL_VERSION, names
from deskbell_protocol.ids import new_id
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.web.chromium import Person, running_browser

PASSWORD = "correct horse"
MESSAGES = 50
BURST = 1000
KEPT = 24_000
PARTNERS = 60
ROUNDS = 5

LONGEST_TASK = """() => { window.longest = 0; new PerformanceObserver(list => { for (const entry of list.getEntries())
    window.longest = Math.max(window.longest, entry.duration); }).observe({entryTypes: ['longtask']}) }"""
SEEN = """() => {
    window.seen = {};
    const look = () => {
        for (const bubble of document.querySelectorAll('.log .bubble'))
            window.seen[bubble.innerText] ??= performance.timeOrigin + performance.now();
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""
LOADED = """() => ({ paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    bytes: [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
        .reduce((sum, entry) => sum + entry.transferSize, 0) })"""
FILL = """async ([user, count, partners]) => {
    const opened = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
    const database = await opened(indexedDB.open(`deskbell.${user}`));
    const transaction = database.transaction(['events', 'meta'], 'readwrite');
    const [events, meta] = [transaction.objectStore('events'), transaction.objectStore('meta')];
    const { epoch } = await opened(meta.get('state'));
    const me = { id: user, name: 'alex' };
    for (let seq = 1; seq <= count; seq += 1) {
        const id = `partner ${seq % partners}`, other = { id, name: id, display: `The ${id}` };
        const [from, to] = seq % 3 ? [other, me] : [me, other];
        const data = { from, to: [to], body: `message ${seq} ` + 'and what it says, '.repeat(6) };
        const place = { epoch, prev: seq - 1, seq, id: `${epoch}.${seq}`, at: Date.now() - count + seq };
        events.put({ ...place, kind: 'message', data });
    }
    meta.put({ epoch, cursor: count }, 'state');
    await new Promise((done) => { transaction.oncomplete = done; });
    database.close();
}"""
LAST = "body => document.querySelector('.conversation .last')?.innerText === body"
"""In the list: an open conversation stays at what nobody has seen yet."""


def first_paint(browser: Browser, server: Server) -> list[Figure]:
    """Fresh browsers at the sign-in page: nothing is cached."""
    found = []
    for _ in range(ROUNDS):
        person = Person(browser, server).go()
        person.page.wait_for_selector(".card")
        person.page.wait_for_load_state("networkidle")
        found.append(person.page.evaluate(LOADED))
        person.close()
    paints = sorted(loaded["paint"] for loaded in found)
    note = f"sign-in page; median of {ROUNDS}, longest {paints[-1]:.0f}"
    return [
        Figure("first paint of the inbox, nothing cached", statistics.median(paints), 400, "ms", note),
        Figure("transferred for it, all files", max(loaded["bytes"] for loaded in found) / 1000, 110, "KB"),
    ]


def publish_to_visible(person: Person, server: Server, sender: Login) -> list[Figure]:
    person.page.evaluate(SEEN)
    waits = []
    for number in range(MESSAGES):
        body = f"message {number}"
        since = time.time() * 1000
        server.publish(sender, "alex", body=body)
        person.page.wait_for_function("body => body in window.seen", arg=body)
        waits.append(person.page.evaluate("body => window.seen[body]", body) - since)
    waits.sort()
    note = f"{MESSAGES} messages; p95 {waits[int(0.95 * MESSAGES)]:.0f}, longest {waits[-1]:.0f}"
    return [Figure("published by HTTP to visible, p50", statistics.median(waits), 100, "ms", note)]


def burst(person: Person, server: Server, sender: Login) -> list[Figure]:
    """Sent on one socket without waiting for the answers: as fast as the server stores and pushes them."""
    client = socketio.Client(reconnection=False, handle_sigint=False)
    auth = {"v": PROTOCOL_VERSION, "token": sender.token, "client": "benchmark"}
    client.connect(server.url, auth=auth, transports=["websocket"])
    person.page.evaluate(LONGEST_TASK)
    since = time.monotonic()
    for number in range(BURST):
        client.emit(names.SEND, {"cid": new_id(), "to": ["alex"], "body": f"burst {number}"})
    person.page.wait_for_function(LAST, arg=f"burst {BURST - 1}", timeout=60_000)
    took = time.monotonic() - since
    longest = person.page.evaluate("() => window.longest")
    client.disconnect()
    wait_for(lambda: len(kept(person, server)) == BURST, "all of them to be kept")
    if kept(person, server) != [f"burst {number}" for number in range(BURST)]:
        raise RuntimeError("the browser's log is not complete and in order")
    note = f"the last one in the list {took:.1f} s after the first was sent; complete and in order"
    return [Figure(f"longest task while {BURST:,} messages arrive", longest, 200, "ms", note)]


def many_kept(person: Person, server: Server) -> list[Figure]:
    """The page is loaded again and gets no ticket: what it shows is what it keeps."""
    ((alex,),) = server.rows("SELECT id FROM users WHERE name = 'alex'")
    wire = person.context.new_cdp_session(person.page)
    wire.send("Network.enable")
    wire.send("Network.setBlockedURLs", {"urls": ["*/web/ticket"]})
    person.page.evaluate(FILL, [str(alex), KEPT, PARTNERS])
    paints = []
    for _ in range(ROUNDS):
        person.page.reload(wait_until="commit")
        person.page.wait_for_selector(".conversation")
        person.page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
        paints.append(person.page.evaluate(LOADED)["paint"])
    note = f"loaded again, with {PARTNERS} conversations; median of {ROUNDS}, longest {max(paints):.0f}"
    return [Figure(f"list of conversations with {KEPT:,} messages kept", statistics.median(paints), 1000, "ms", note)]


def kept(person: Person, server: Server) -> list[str]:
    ((alex,),) = server.rows("SELECT id FROM users WHERE name = 'alex'")
    return [body for body in person.kept_bodies(str(alex)) if body.startswith("burst ")]


def main() -> int:
    vendor.bring()
    figures: list[Figure] = []
    with (
        tempfile.TemporaryDirectory(prefix="deskbell-web-") as name,
        running_browser() as browser,
        Server(Path(name), "--publish-rate", "0") as server,
    ):
        server.add_users({"alex": "Alex", "maria": "Maria"}, PASSWORD)
        server.start()
        maria = server.login("maria", PASSWORD)
        figures += first_paint(browser, server)
        person = Person(browser, server)
        person.sign_in("alex", PASSWORD)
        server.publish(maria, "alex", body="hello")
        person.page.click(".conversation")
        figures += publish_to_visible(person, server, maria)
        figures += burst(person, server, maria)
        figures += many_kept(person, server)
        person.close()
        about = machine.description(Path(name))
    print("## In a browser\n\n`python -m benchmarks.web`, Chromium and server on one machine.\n")
    print("; ".join(f"{key}: {value}" for key, value in about.items()))
    print("\n| | measured | promised | |\n| --- | --- | --- | --- |")
    print("\n".join(figure.line for figure in figures))
    return int(any(figure.value > figure.most for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
