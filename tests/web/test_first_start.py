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
    for name, value in {"name": "chief", "display": "The Chief", "password": PASSWORD, "again": "mistyped"}.items():
        first.page.fill(f"input[name={name}]", value)
    first.page.click("button")
    expect(first.page.locator("[role=alert]")).to_have_text("The two passwords differ.")
    first.page.fill("input[name=password]", PASSWORD)
    first.page.fill("input[name=again]", PASSWORD)
    first.page.click("button")
    first.page.wait_for_url("**/admin")
    expect(first.page.locator("tr[data-name=chief]")).to_contain_text("You")
    first.page.fill("input[name=name]", "maria")
    first.page.click(".line-form button")
    expect(first.page.locator(".once input")).to_have_value(re.compile(r"/password#"))
    first.go()
    first.wait_until_connected()
    first.complaints.clear()  # the browser writes down the answer to the two passwords that differ
    stranger = person()
    stranger.page.goto(links[0])
    expect(stranger.page.locator("[role=alert]")).to_contain_text("This link works no longer")
    stranger.complaints.clear()
