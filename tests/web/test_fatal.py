"""After what is fatal a page stops and asks its person; after anything else it comes back by itself."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.web.conftest import MakePerson

CONNECT, CONNECT_ERROR, EVENT = "40", "44", "42"
STOPPED = "does not accept this page"


class Gate:
    """Stands before the server's sockets: whoever connects is told one of `refusals`, or then of `farewells`."""

    def __init__(self, page: Page) -> None:
        self.refusals: list[dict[str, Any]] = []
        self.farewells: list[dict[str, Any]] = []
        self.connects = 0
        page.route_web_socket("**/socket.io/**", self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()

        def to_server(frame: str | bytes) -> None:
            if not str(frame).startswith(CONNECT):
                server.send(frame)
                return
            self.connects += 1
            if not self.refusals:
                server.send(frame)
                return
            browser.send(CONNECT_ERROR + json.dumps({"message": "no", "data": self.refusals.pop(0)}))

        def to_browser(frame: str | bytes) -> None:
            browser.send(frame)
            if str(frame).startswith(CONNECT) and self.farewells:
                browser.send(EVENT + json.dumps(["bye", self.farewells.pop(0)]))
                browser.close()

        browser.on_message(to_server)
        server.on_message(to_browser)


@pytest.fixture
def gate(person: MakePerson) -> tuple[Page, Gate]:
    """Of a page on which alex is signed in; the next time that it is loaded, a gate stands there."""
    alex = person("alex")
    gate = Gate(alex.page)
    return alex.page, gate


@pytest.mark.parametrize("code", ["invalid", "not_found", "a_code_of_later"])
def test_a_fatal_refusal_is_the_last_attempt(code: str, gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.refusals = [{"code": code, "fatal": True}]
    page.reload()
    expect(page.locator(".card")).to_contain_text(STOPPED)
    assert stands.connects == 1
    page.click("text=Load again")
    page.wait_for_selector(".side-foot .dot.good")
    assert stands.connects == 2


@pytest.mark.parametrize("code", ["forbidden", "not_found", "unavailable"])
def test_any_other_refusal_is_followed_by_another_attempt(code: str, gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.refusals = [{"code": code, "fatal": False}]
    page.reload()
    page.wait_for_selector(".side-foot .dot.good")
    assert stands.connects == 2


def test_a_farewell_that_is_fatal_is_the_last_and_what_was_written_is_kept(gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.farewells = [{"code": "invalid", "fatal": True, "after_ms": 0}]
    page.reload()
    expect(page.locator(".card")).to_contain_text(STOPPED)
    assert stands.connects == 1


def test_any_other_farewell_is_not(gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.farewells = [{"code": "unavailable", "fatal": False, "after_ms": 100}]
    page.reload()
    wait_for_connects(page, stands, 2)
    page.wait_for_selector(".side-foot .dot.good")


def test_an_old_page_is_loaded_again_once_and_then_asks(gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.refusals = [{"code": "upgrade_required", "fatal": True}] * 2
    page.reload()
    expect(page.locator(".card")).to_contain_text(STOPPED)
    assert stands.connects == 2
    stands.refusals = [{"code": "upgrade_required", "fatal": True}]
    page.reload()
    expect(page.locator(".card")).to_contain_text(STOPPED)
    assert stands.connects == 3
    page.reload()
    page.wait_for_selector(".side-foot .dot.good")
    stands.refusals = [{"code": "upgrade_required", "fatal": True}]
    page.reload()
    wait_for_connects(page, stands, 6)
    page.wait_for_selector(".side-foot .dot.good")


def test_a_sign_in_that_is_refused_though_the_session_is_good_does_not_go_round(gate: tuple[Page, Gate]) -> None:
    page, stands = gate
    stands.refusals = [{"code": "unauthorized", "fatal": True}] * 5
    page.reload()
    expect(page.locator(".card")).to_contain_text(STOPPED)
    assert stands.connects == 1


def wait_for_connects(page: Page, gate: Gate, count: int) -> None:
    """The gate is only manned while Playwright is at work."""
    while gate.connects < count:
        page.wait_for_timeout(50)
