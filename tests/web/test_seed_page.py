"""The page that the project grew from, changed only in the address of the client library, against `/test` left open.

It loads an old jQuery from elsewhere; this machine answers that request with npm's.
"""

from pathlib import Path

from flask import Flask, render_template_string
from playwright.sync_api import Browser, expect

from tests.desk.server import Server
from tests.web.npm import JQUERY, from_npm

OPTIONS = ("--diagnostics=open", "--polling")
PAGE = Path(__file__).with_name("seed_page.html")


def test_it_connects_sends_and_shows_the_answer(browser: Browser, house: Server) -> None:
    with Flask("seed").app_context():
        text = render_template_string(
            PAGE.read_text(encoding="utf-8"), async_mode=house.ask("GET", "/diagnostics/facts").body["async_mode"]
        )
    context = browser.new_context()
    page = context.new_page()
    page.route("**/seed", lambda route: route.fulfill(body=text, content_type="text/html; charset=utf-8"))
    jquery = (from_npm(JQUERY) / "jquery.min.js").read_text(encoding="utf-8")
    page.route("http://code.jquery.com/**", lambda route: route.fulfill(body=jquery, content_type="text/javascript"))
    page.goto(house.url + "/seed")
    expect(page.locator("#log")).to_contain_text("接收 #: I'm connected!")
    expect(page.locator("b")).to_have_text("gevent")
    page.fill("#emit_data", "<b>你好</b>")
    page.click("input[type=submit]")
    expect(page.locator("#log")).to_contain_text("接收 #: <b>你好</b>")
    context.close()
