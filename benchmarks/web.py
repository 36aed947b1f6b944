"""What a person at a browser waits for, measured in Debian's Chromium: `python -m benchmarks.web`.

First paint and bytes of the inbox, publish to visible, and 1,000 messages in one go, with the longest task meanwhile.
"""

import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import socketio

from deskbell_protocol import PROTOCOL_VERSION, names
from deskbell_protocol.ids import new_id
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


def first_paint(person: Person) -> str:
    """A fresh browser at the sign-in page, then signed in: nothing is cached."""
    person.go()
    person.page.wait_for_selector(".card")
    person.page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    loaded = person.page.evaluate(LOADED)
    return (
        f"first paint {loaded['paint']:.0f} ms, {loaded['bytes'] / 1024:.0f} KiB transferred (targets 1000 ms, 150 KB)"
    )


def publish_to_visible(person: Person, server: Server, sender: Login) -> str:
    person.page.evaluate(SEEN)
    waits = []
    for number in range(MESSAGES):
        body = f"message {number}"
        since = time.time() * 1000
        server.publish(sender, "alex", body=body)
        person.page.wait_for_function("body => body in window.seen", arg=body)
        waits.append(person.page.evaluate("body => window.seen[body]", body) - since)
    waits.sort()
    return (
        f"publish -> visible p50 {statistics.median(waits):.0f} ms, p95 {waits[int(0.95 * MESSAGES)]:.0f} ms,"
        f" max {waits[-1]:.0f} ms over {MESSAGES} (target p50 100 ms)"
    )


def burst(person: Person, server: Server, sender: Login) -> str:
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
    return f"{BURST} messages: the last one visible after {took:.1f} s, longest task {longest:.0f} ms (target 200 ms)"


def main() -> None:
    print(f"{platform.node()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory(prefix="deskbell-web-") as name,
        running_browser() as browser,
        Server(Path(name), "--publish-rate", "0") as server,
    ):
        server.add_user("alex", PASSWORD)
        server.add_user("maria", PASSWORD)
        server.start()
        maria = server.login("maria", PASSWORD)
        person = Person(browser, server)
        print(first_paint(person))
        person.sign_in("alex", PASSWORD)
        server.publish(maria, "alex", body="hello")
        person.page.click(".conversation")
        print(publish_to_visible(person, server, maria))
        print(burst(person, server, maria))
        person.close()


if __name__ == "__main__":
    main()
