"""What a person at a browser waits for, measured in Debian's Chromium: `python -m benchmarks.web`.

First paint and bytes of the inbox, publish to visible, and 1,000 messages in one go, with the longest task meanwhile.
Prints a section for README.md; fails when a promise is missed, or a message is.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import socketio

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
LAST = "body => [...document.querySelectorAll('.log .bubble')].at(-1)?.innerText === body"


def first_paint(person: Person) -> list[Figure]:
    """A fresh browser at the sign-in page, then signed in: nothing is cached."""
    person.go()
    person.page.wait_for_selector(".card")
    person.page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    loaded = person.page.evaluate(LOADED)
    return [
        Figure("first paint of the inbox, nothing cached", loaded["paint"], 1000, "ms", "sign-in page"),
        Figure("transferred for it, all files", loaded["bytes"] / 1000, 150, "KB"),
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
    note = f"the last one visible {took:.1f} s after the first was sent; complete and in order"
    return [Figure(f"longest task while {BURST:,} messages arrive", longest, 200, "ms", note)]


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
        person = Person(browser, server)
        figures += first_paint(person)
        person.sign_in("alex", PASSWORD)
        server.publish(maria, "alex", body="hello")
        person.page.click(".conversation")
        figures += publish_to_visible(person, server, maria)
        figures += burst(person, server, maria)
        person.close()
        about = machine.description(Path(name))
    print("## In a browser\n\n`python -m benchmarks.web`, Chromium and server on one machine.\n")
    print("; ".join(f"{key}: {value}" for key, value in about.items()))
    print("\n| | measured | promised | |\n| --- | --- | --- | --- |")
    print("\n".join(figure.line for figure in figures))
    return int(any(figure.value > figure.most for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
