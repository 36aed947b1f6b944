"""Two browsers and the tray program see one message, and agree who has read it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

import vendor
from tests.conftest import absent
from tests.desk.client import Client
from tests.desk.desktop import Desk
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.end2end.conftest import PASSWORD
from tests.web.chromium import PHONE, Person, find_chromium, running_browser

pytestmark = pytest.mark.screen


@pytest.fixture
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        absent("chromium")
    vendor.bring()
    with running_browser() as running:
        yield running


def test_one_message_agrees_in_all_three(
    desk: Desk, client: Client, server: Server, alex: Login, maria: Login, browser: Browser
) -> None:
    wide, phone = (
        Person(browser, server, **options).sign_in("alex", PASSWORD) for options in ({}, {"viewport": PHONE})
    )
    sent = server.publish(maria, "alex", body="One message, three places")
    client.wait_for_log(f"event {sent} received")
    wait_for(desk.hand.popups, "the popup")
    for person in (wide, phone):
        person.wait_for_unread(1)
    unread = "SELECT count(*) FROM messages WHERE unread = 1"
    assert client.rows(unread) == [(1,)]
    phone.open_conversation("Maria Garcia")
    assert phone.bodies() == ["One message, three places"]
    # two seconds are promised; eight are for a slow machine, and before a head would come
    wide.wait_for_unread(0, timeout_ms=8000)
    wait_for(lambda: client.rows(unread) == [(0,)], "the tray program to know it, too", 8)
    wait_for(lambda: not desk.hand.popups(), "the popup to go", 8)
    wide.open_conversation("Maria Garcia")
    wide.reply("Answered in a browser")
    phone.wait_for_bodies("One message, three places", "Answered in a browser")
    mine = "SELECT count(*) FROM messages WHERE content ->> 'body' = 'Answered in a browser'"
    wait_for(lambda: client.rows(mine) == [(1,)], "the answer in the tray program's store")
    assert server.bodies_from(alex) == ["Answered in a browser"]
    for person in (wide, phone):
        assert person.complaints == []
        person.close()
