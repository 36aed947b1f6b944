"""Every form of event on the diagnostics page, clicked and checked in its log; who gets in, and who does not."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect
from websockets import Origin
from websockets.sync.client import ClientConnection, connect

from tests.desk.server import Server
from tests.web.chromium import Person
from tests.web.conftest import PASSWORD, MakePerson

OPTIONS = ("--diagnostics", "--polling")
READY = "[data-fact=state].good"


@pytest.fixture
def house(house_of_the_module: Server) -> Server:
    return house_of_the_module


@pytest.fixture
def bench(person: MakePerson) -> Person:
    alex = person("alex").go("/diagnostics")
    alex.page.wait_for_selector(READY)
    return alex


def lines(bench: Person) -> list[str]:
    return bench.page.locator(".lines .line pre").all_inner_texts()


def wait_for_lines(bench: Person, *wanted: str) -> None:
    """The log ends with these, in this order."""
    ends = """([wanted]) => JSON.stringify([...document.querySelectorAll('.lines .line pre')].slice(-wanted.length)
        .map(line => line.innerText)) === JSON.stringify(wanted)"""
    try:
        bench.page.wait_for_function(ends, arg=[list(wanted)], timeout=8000)
    except PlaywrightTimeoutError:
        assert lines(bench)[-len(wanted) :] == list(wanted)


FORMS: dict[str, tuple[str, ...]] = {
    "message": ('message "hello"', 'message "hello"'),
    "json": ('json {"a":1}', 'json {"a":1}'),
    "named": ('my_event {"data":"ring"}', 'my_response {"data":"ring"}'),
    "args": ('my event "one", "two", "three"', 'my_response "one", "two", "three"'),
    "ack": ('my_ack {"data":"ring"}', 'my_response {"data":"ring"}', 'ack of my_ack "one", 1'),
    "callback": (
        'my_callback {"data":"ring"}',
        'my_question {"data":"ring"}',
        'ack of my_question "received", 1',
        'my_acknowledged {"values":["received",1]}',
    ),
    "broadcast": ('my_broadcast {"data":"all of you"}', 'my_response {"data":"all of you"}'),
    "background": (
        'my_background {"data":"later"}',
        *(f'my_response {{"data":{{"data":"later"}},"count":{number}}}' for number in (1, 2, 3)),
    ),
}


def test_each_form_answers(bench: Person) -> None:
    for form, wanted in FORMS.items():
        bench.page.click(f"[data-form={form}] button")
        wait_for_lines(bench, *wanted)


def test_the_first_lines_are_the_connection(bench: Person) -> None:
    sid = bench.page.inner_text("[data-fact=sid]")
    wait_for_lines(bench, f'connect "{sid}"', 'my response {"data":"Connected"}')
    assert bench.page.inner_text("[data-fact=mode]") == "gevent"
    assert bench.page.inner_text("[data-fact=transport]") == "websocket"


def test_rooms(bench: Person, person: MakePerson) -> None:
    other = person("alex").go("/diagnostics")
    other.page.wait_for_selector(READY)
    for who in (bench, other):
        who.page.click("[data-form=room] [data-do=join]")
        wait_for_lines(who, 'message "ana has entered the room."')
    bench.page.click("[data-form=room] [data-do=say]")
    wait_for_lines(other, 'my_response {"data":"ana"}')
    other.page.click("[data-form=room] [data-do=leave]")
    wait_for_lines(bench, 'message "ana has left the room."')
    count = len(lines(other))
    bench.page.click("[data-form=room] [data-do=say]")
    wait_for_lines(bench, 'my_room_event {"room":"lobby","data":"ana"}', 'my_response {"data":"ana"}')
    assert len(lines(other)) == count, "who left hears nothing more"


def test_a_sid_is_a_room_of_its_own(bench: Person, person: MakePerson) -> None:
    other = person("alex").go("/diagnostics")
    other.page.wait_for_selector(READY)
    sid = other.page.inner_text("[data-fact=sid]")
    bench.page.fill("[data-form=own] input >> nth=0", sid)
    bench.page.click("[data-form=own] button")
    wait_for_lines(other, 'my_response {"data":"only you"}')
    wait_for_lines(bench, f'my_room_event {{"room":"{sid}","data":"only you"}}')


def test_a_broadcast_reaches_the_others(bench: Person, person: MakePerson) -> None:
    other = person("alex").go("/diagnostics")
    other.page.wait_for_selector(READY)
    bench.page.click("[data-form=broadcast] button")
    wait_for_lines(other, 'my_response {"data":"all of you"}')


def test_errors_show_what_the_handler_saw(bench: Person) -> None:
    for form, handler, where in (("error", "on_error", ""), ("error-default", "on_error_default", "/test-default ")):
        bench.page.click(f"[data-form={form}] button")
        seen = f'{{"handler":"{handler}","error":"as you asked","message":"my_error","args":[{{"data":"wrong"}}]}}'
        wait_for_lines(bench, f"{where}my_error_response {seen}", f"ack of my_error {seen}")


def test_a_refused_connection_says_why(bench: Person) -> None:
    bench.page.click("[data-do=refuse]")
    wait_for_lines(
        bench, 'connect {"refuse":true}', 'connect_error "refused, as you asked", {"code":"forbidden","fatal":false}'
    )
    expect(bench.page.locator(READY)).to_be_visible()


def test_other_transports_and_ping_times(bench: Person) -> None:
    times = re.compile(r"^min \d+\.\d · median \d+\.\d · max \d+\.\d ms$")
    for transports in ("polling", "polling,websocket"):
        bench.page.click("[data-do=disconnect]")
        expect(bench.page.locator("[data-fact=state]")).to_have_text("Not connected")
        bench.page.select_option("select", transports)
        bench.page.click("[data-do=connect]")
        bench.page.wait_for_selector(READY)
        expect(bench.page.locator("[data-fact=transport]")).to_have_text(transports.split(",")[-1])
        bench.page.click("[data-form=ack] button")
        wait_for_lines(bench, *FORMS["ack"])
        bench.page.click("[data-do=ping]")
        expect(bench.page.locator("[data-fact=ping]")).to_have_text(times)


def test_the_log_is_copied_and_cleared(bench: Person) -> None:
    bench.context.grant_permissions(["clipboard-read", "clipboard-write"])
    bench.page.click("[data-do=copy]")
    expect(bench.page.locator("[data-do=copy]")).to_have_text("Copied")
    assert "my response" in bench.page.evaluate("navigator.clipboard.readText()")
    bench.page.click("[data-do=clear]")
    assert lines(bench) == []


def test_the_page_is_for_admins(person: MakePerson) -> None:
    maria = person("maria").go("/diagnostics")
    expect(maria.page.locator("main")).to_contain_text("Sign in as an admin first.")
    assert maria.complaints
    maria.complaints.clear()


@contextmanager
def connection(house: Server) -> Iterator[ClientConnection]:
    """A bare one: the stock client may take two seconds to notice that it was let go."""
    address = house.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    with connect(address, ping_interval=None) as opened:
        assert str(opened.recv(timeout=5)).startswith("0{")
        yield opened


def enter(opened: ClientConnection, namespace: str, auth: object = None) -> str:
    """Asks to be let into a namespace; what comes back."""
    opened.send(f"40{namespace}," + ("" if auth is None else json.dumps(auth)))
    return str(opened.recv(timeout=5))


def test_the_namespace_lets_in_admins_alone(house: Server) -> None:
    maria, alex = house.login("maria", PASSWORD).token, house.login("alex", PASSWORD).token
    wrong: list[object] = [None, {}, [], {"token": ""}, {"token": "invented"}, {"token": 5}, {"token": maria}]
    for namespace in ("/test", "/test-default"):
        for auth in wrong:
            with connection(house) as opened:
                assert (auth, enter(opened, namespace, auth)[:3]) == (auth, "44/")
        with connection(house) as opened:
            assert enter(opened, namespace, {"token": alex}).startswith(f'40{namespace},{{"sid":')


def test_open_is_for_this_machine_and_not_for_names_that_lead_to_it(tmp_path: Path) -> None:
    with Server(tmp_path, "--diagnostics=open") as server:
        server.start()
        for host, answer in (("localhost", "40/test,"), ("rebound.test", "44/test,")):
            place = f"{host}:{server.port}"
            wire = socket.create_connection(("127.0.0.1", server.port))
            address = f"ws://{place}/socket.io/?EIO=4&transport=websocket"
            with connect(address, sock=wire, origin=Origin(f"http://{place}"), ping_interval=None) as opened:
                assert str(opened.recv(timeout=5)).startswith("0{")
                assert enter(opened, "/test").startswith(answer)


def test_a_revoked_admin_is_closed_out(house: Server) -> None:
    alex = house.login("alex", PASSWORD)
    with connection(house) as opened:
        assert enter(opened, "/test", {"token": alex.token}).startswith("40/test,")
        house.ask("POST", "/api/v1/logout", token=alex.token)
        frames = iter(lambda: str(opened.recv(timeout=8)), "41/test,")
        assert all("Connected" in frame for frame in frames)


def test_nothing_of_deskbell_travels_here(bench: Person, house: Server) -> None:
    before = len(lines(bench))
    house.publish(house.login("maria", PASSWORD), "alex", body="private")
    bench.page.click("[data-form=named] button")
    wait_for_lines(bench, *FORMS["named"])
    assert len(lines(bench)) == before + 2
