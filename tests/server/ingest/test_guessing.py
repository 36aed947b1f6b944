"""Guessing at passwords, from outside: many guesses at once are counted too, and keep nobody out but who makes them."""

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deskbell_server.people.guessing import FAILURES
from tests.desk.server import Server
from tests.server.conftest import PASSWORDS
from tests.web.test_sessions import Caller

LOGIN = "/api/v1/login"
AT_ONCE = 40
SLOW = 6
"""How many more a slow machine may let through: 20 a minute."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, furnished: Path) -> Iterator[Server]:
    """Believes what is said about whose request it is, so that a test can come from anywhere."""
    with Server(tmp_path_factory.mktemp("guessing"), "--trusted-proxy", "127.0.0.1") as server:
        shutil.copytree(furnished, server.data)
        yield server.start()


@pytest.fixture
def addresses() -> Iterator[str]:
    """Ever new ones."""
    return (f"198.51.{next(NETWORKS) % 256}.{number}" for number in itertools.cycle(range(1, 255)))


NETWORKS = itertools.count()


def log_in(office: Server, name: str, address: str, *, password: str = "", known: str = "") -> Any:
    body = {"username": name, "password": password or PASSWORDS[name], "device": "d", "known": known}
    return office.ask("POST", LOGIN, body, X_Forwarded_For=address)


def at_once(guess: Callable[[int], int]) -> Counter[int]:
    """How often each status came back."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(guess, range(AT_ONCE)))


def test_guesses_at_one_account_count_though_they_come_at_once(office: Server, addresses: Iterator[str]) -> None:
    places = list(itertools.islice(addresses, AT_ONCE))
    found = at_once(lambda n: log_in(office, "bob", places[n], password="wrong password").status)
    assert set(found) == {401, 429}
    assert found[401] <= FAILURES.burst + SLOW


def test_names_sprayed_from_one_address_count_though_they_come_at_once(office: Server) -> None:
    found = at_once(lambda n: log_in(office, f"nobody{n}", "203.0.113.1", password="wrong password").status)
    assert set(found) == {401, 429}
    assert found[401] <= FAILURES.burst + SLOW


def test_an_admins_confirmation_counts_guesses_that_come_at_once(office: Server) -> None:
    browser = Caller(office)
    csrf = browser.sign_in("alice", PASSWORDS["alice"])
    wrong = {"password": "wrong password"}
    found = at_once(lambda _: browser.call("POST", "/admin/confirm", wrong, X_CSRF_Token=csrf).status)
    assert set(found) == {401, 429}
    assert found[401] <= FAILURES.burst + SLOW


def exhaust(office: Server, name: str, addresses: Iterator[str], **more: str) -> None:
    """Guess until there is no guess left, from everywhere."""
    places = list(itertools.islice(addresses, AT_ONCE))
    assert at_once(lambda n: log_in(office, name, places[n], password="wrong password", **more).status)[429]


def is_kept_out(
    office: Server, addresses: Iterator[str], name: str, right: str, address: str = "", **more: str
) -> bool:
    """Whether the right password is refused when no guess is left; a slow machine may give one back in between."""
    for _ in range(5):
        exhaust(office, name, addresses, **more)
        if log_in(office, name, address or next(addresses), password=right, **more).status == 429:
            return True
    return False


def test_a_stranger_who_guesses_keeps_neither_a_known_device_out_nor_an_admin_from_confirming(
    office: Server, addresses: Iterator[str]
) -> None:
    here = next(addresses)
    browser = Caller(office)
    csrf = browser.sign_in("alice", PASSWORDS["alice"])
    known = log_in(office, "alice", here).body["known"]
    assert is_kept_out(office, addresses, "alice", PASSWORDS["alice"], here)
    assert log_in(office, "alice", here, known=known).status == 200
    confirmed = browser.call("POST", "/admin/confirm", {"password": PASSWORDS["alice"]}, X_CSRF_Token=csrf)
    assert confirmed.status == 200
    browser.sign_in("alice", PASSWORDS["alice"])


def test_a_known_device_may_not_guess_more_than_a_stranger(office: Server, addresses: Iterator[str]) -> None:
    known = log_in(office, "carol", next(addresses)).body["known"]
    assert is_kept_out(office, addresses, "carol", PASSWORDS["carol"], known=known)
    assert log_in(office, "carol", next(addresses)).status == 200, "others are not slowed by it"


def test_what_is_known_of_one_person_is_nothing_for_another(office: Server, addresses: Iterator[str]) -> None:
    known = log_in(office, "carol", next(addresses)).body["known"]
    office.add_user("dora", "a fourth password")
    assert is_kept_out(office, addresses, "dora", "a fourth password", known=known)


def test_another_password_makes_every_device_unknown(office: Server, addresses: Iterator[str]) -> None:
    office.add_user("emil", "a fifth password")
    known = log_in(office, "emil", next(addresses), password="a fifth password").body["known"]
    office.command("user", "passwd", "emil", stdin="a sixth password\n")
    assert is_kept_out(office, addresses, "emil", "a sixth password", known=known)
