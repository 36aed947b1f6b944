"""A person at a browser: Debian's Chromium, driven by Playwright, on pages of a real server."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.desk.server import Server

CHROMIUM = "chromium"
WIDE = {"width": 1120, "height": 700}
PHONE = {"width": 390, "height": 780}
CONNECTED = ".side-foot .dot.good"


def find_chromium() -> str | None:
    return shutil.which(CHROMIUM)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """One browser; each person gets a context of their own, as if it were another computer."""
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def launch(playwright: Playwright) -> Browser:
    # no sandbox: the tests may run as root, and only our own pages are opened
    return playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])


class Person:
    """A browser that is one person's: its page, and everything that the page complained of."""

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.server = server
        self.context: BrowserContext = browser.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})
        self.complaints: list[str] = []
        self.page = self.open_tab()

    def open_tab(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        return page

    def go(self, path: str = "/") -> Self:
        self.page.goto(self.server.url + path)
        return self

    def sign_in(self, name: str, password: str, path: str = "/") -> Self:
        self.go(path)
        self.submit_name(name, password)
        if path == "/":
            self.wait_until_connected()
        return self

    def submit_name(self, name: str, password: str) -> None:
        """In the form that stands there."""
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")

    def wait_until_connected(self) -> None:
        self.page.wait_for_selector(CONNECTED, timeout=20_000)

    # -- what a person does in the inbox

    def open_conversation(self, title: str) -> None:
        self.page.click(f".conversation:has(.name bdi:text-is('{title}'))")

    def reply(self, text: str) -> None:
        self.page.fill(".editor", text)
        self.page.press(".editor", "Control+Enter")

    def compose(self, to: str, text: str) -> None:
        """By keyboard alone, from the button on."""
        self.page.focus("[aria-label='New message']")
        self.page.keyboard.press("Enter")
        self.page.keyboard.type(to)
        self.page.wait_for_selector("#people li[aria-selected=true]")
        self.page.keyboard.press("Enter")
        self.page.fill(".compose textarea", text)
        self.page.press(".compose textarea", "Control+Enter")

    def choose(self, letters: str) -> None:
        """The first whom the page of a new message finds by these."""
        self.page.fill("#to", letters)
        self.page.wait_for_selector("#people li[aria-selected=true]")
        self.page.press("#to", "Enter")

    def bodies(self) -> list[str]:
        """What the open conversation shows, from top to bottom."""
        return self.page.locator(".log .bubble").all_inner_texts()

    def wait_for_bodies(self, *wanted: str) -> None:
        self.page.wait_for_function(
            "wanted => JSON.stringify([...document.querySelectorAll('.log .bubble')].map(b => b.innerText)) == wanted",
            arg=_json(list(wanted)),
        )

    def kept_bodies(self, user_id: str) -> list[str]:
        """Bodies of the messages in the browser's own store, in the order of the log."""
        read = """user => new Promise(done => {
            const opened = indexedDB.open(`deskbell.${user}`);
            opened.onsuccess = () => {
                const all = opened.result.transaction('events').objectStore('events').getAll();
                all.onsuccess = () => {
                    opened.result.close();
                    done(all.result.filter(event => event.kind === 'message').map(event => event.data.body));
                };
            };
        })"""
        return [str(body) for body in self.page.evaluate(read, user_id)]

    def unread(self) -> int:
        """As the title tells it."""
        title = self.page.title()
        return int(title[1 : title.index(")")]) if title.startswith("(") else 0

    def wait_for_unread(self, count: int, timeout_ms: float = 10_000) -> None:
        wanted = f"({count}) Deskbell" if count else "Deskbell"
        self.page.wait_for_function("wanted => document.title === wanted", arg=wanted, timeout=timeout_ms)

    def save_picture(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def sign_out(self) -> None:
        """If signed in; the page does not notice by itself at once."""
        self.page.evaluate(
            "import('/web/js/io/http.js').then(async http => { if ((await http.session()).user) await http.signOut() })"
        )

    def leave(self) -> None:
        """Sign out, unless it is another server's page, and close the browser."""
        if self.page.url.startswith(self.server.url):
            self.sign_out()
        self.close()

    def close(self) -> None:
        self.context.close()


def _json(value: Any) -> str:
    """As `JSON.stringify` writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
