"""The first start: whoever opens the link of the terminal makes the first account and stands in the admin page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

import vendor
from tests.desk.server import Server
from tests.web.conftest import PASSWORD, MakePerson


@pytest.fixture
def house(folder: Path) -> Iterator[Server]:
    """Nobody has an account there yet."""
    vendor.bring()
    with Server(folder) as server:
        yield server.start()


def test_the_link_lands_on_the_admin_page_signed_in(person: MakePerson, house: Server) -> None:
    said = house.process.log
    links = house.process.wait_until(lambda: re.findall(r"http://\S+/setup\?secret=\S+", said.read_text()), "the link")
    first = person()
    first.page.goto(links[0])
    first.page.wait_for_selector("form")
    for name, value in {"name": "chief", "display": "The Chief", "password": PASSWORD, "again": "mistyped"}.items():
        first.page.fill(f"input[name={name}]", value)
    first.page.click("button[type=submit]")
    expect(first.page.locator("[role=alert]")).to_have_text("The two passwords differ.")
    first.page.fill("input[name=password]", PASSWORD)
    first.page.fill("input[name=again]", PASSWORD)
    first.page.click("button[type=submit]")
    first.page.wait_for_url("**/admin")
    expect(first.page.locator("tr[data-name=chief]")).to_contain_text("You")
    first.page.fill("input[name=name]", "maria")
    first.page.click(".line-form button")
    expect(first.page.locator(".once input")).to_have_value(re.compile(r"/password#"))
    first.go()
    first.wait_until_connected()
    stranger = person()
    stranger.page.goto(links[0])
    expect(stranger.page.locator("[role=alert]")).to_contain_text("This link works no longer")
    stranger.complaints.clear()


def test_a_mistyped_address_says_so_and_leads_to_the_start(person: MakePerson, house: Server) -> None:
    lost = person(locale="zh-CN").go("/some/where")
    expect(lost.page.locator("h1")).to_have_text("没有此页面")
    lost.page.click(".card .button.wide")
    lost.page.wait_for_url(f"{house.url}/")
    lost.complaints.clear()  # the browser writes down that the page was not found
