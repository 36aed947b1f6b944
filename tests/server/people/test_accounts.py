"""Accounts, devices and guessing, on real services and a real database in this process."""

import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from argon2 import PasswordHasher

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Login
from deskbell_server.errors import LimitedError, RefusedError
from deskbell_server.people.guessing import FAILURES, place
from deskbell_server.people.passwords import AT_ONCE, Passwords
from deskbell_server.people.people import People

SECRET = "a good password"


def login(people: People, name: str, password: str = SECRET, address: str = "192.0.2.1") -> str:
    return people.accounts.login(Login(username=name, password=password, device="d"), address).token


def refusal(people: People, name: str, password: str, address: str = "192.0.2.1") -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        login(people, name, password, address)
    return refused.value


def test_names_are_unique_whatever_their_case_or_form(people: People) -> None:
    people.accounts.add("José", SECRET)
    for name in ("josé", "JOSÉ", "Jose\u0301"):
        with pytest.raises(RefusedError, match="already"):
            people.accounts.add(name, SECRET)
    assert people.devices.identify(login(people, "JOSE\u0301")).name == "José"


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [("p\xe4ssword", "pa\u0308ssword"), ("pa\u0308ssword", "p\xe4ssword"), ("a\xa0password", "a password")],
)
def test_a_password_is_the_same_however_a_keyboard_composes_it(people: People, chosen: str, typed: str) -> None:
    people.accounts.add("bob", chosen)
    assert login(people, "bob", typed)


@pytest.mark.parametrize("password", ["a\u3000password", "pa\u0308ssword", SECRET])
def test_an_account_from_before_names_had_one_width_is_still_found(people: People, password: str) -> None:
    """As it was kept then: the name without case, the password as it was typed."""
    people.accounts.add("bob", SECRET)
    people.accounts.add("older", SECRET)
    row = ("ＢＯＢ", "ｂｏｂ", PasswordHasher().hash(password), "older")
    people.database.write(
        lambda c: c.execute("UPDATE users SET name = ?, name_key = ?, password_hash = ? WHERE name = ?", row)
    )
    assert refusal(people, "bob", password + "!").code is Code.UNAUTHORIZED
    assert people.devices.identify(login(people, "ＢＯＢ", password)).name == "ＢＯＢ"
    people.accounts.set_password("ｂｏｂ", "another password")
    assert people.devices.identify(login(people, "ｂｏｂ", "another password")).name == "ＢＯＢ"
    assert people.devices.identify(login(people, "bob")).name == "bob"


def test_a_password_may_hold_an_emoji(people: People) -> None:
    people.accounts.add("bob", "👩\u200d👧 ❤\ufe0f secret")
    assert login(people, "bob", "👩\u200d👧 ❤\ufe0f secret")
    assert refusal(people, "bob", "👩👧 ❤ secret").code is Code.UNAUTHORIZED


def test_the_last_admin_stays(people: People) -> None:
    people.accounts.add("alice", SECRET, admin=True)
    people.accounts.add("bob", SECRET, admin=True)
    people.accounts.set_disabled("bob", True)
    with pytest.raises(RefusedError, match="last admin"):
        people.accounts.set_disabled("alice", True)
    people.accounts.set_disabled("bob", False)
    people.accounts.set_disabled("alice", True)


def test_neither_password_nor_token_is_stored(people: People) -> None:
    people.accounts.add("bob", SECRET)
    token = login(people, "bob")
    dump = people.database.read(
        lambda c: [c.execute(f"SELECT * FROM {table}").fetchall() for table in ("users", "devices", "audit", "meta")]
    )
    assert SECRET not in repr(dump)
    assert token not in repr(dump)
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in repr(dump)


def test_a_token_names_its_device_until_it_is_revoked(people: People) -> None:
    people.accounts.add("bob", SECRET)
    first, second = login(people, "bob"), login(people, "bob")
    assert first != second
    principal = people.devices.identify(first)
    heard: list[str] = []
    people.devices.on_revoked(heard.extend)
    people.devices.revoke(principal.device_id, "test")
    assert heard == [principal.device_id]
    with pytest.raises(RefusedError) as refused:
        people.devices.identify(first)
    assert refused.value.code is Code.REVOKED
    assert people.devices.identify(second).name == "bob"


def test_a_disabled_user_is_out_everywhere_and_stays_out(people: People) -> None:
    people.accounts.add("bob", SECRET)
    token = login(people, "bob")
    people.accounts.set_disabled("bob", True)
    with pytest.raises(RefusedError):
        people.devices.identify(token)
    assert refusal(people, "bob", SECRET).message == refusal(people, "nobody", SECRET).message
    people.accounts.set_disabled("bob", False)
    with pytest.raises(RefusedError):
        people.devices.identify(token)
    assert people.devices.identify(login(people, "bob")).name == "bob"


def test_another_password_and_logging_out_with_it(people: People) -> None:
    people.accounts.add("bob", SECRET)
    token = login(people, "bob")
    people.accounts.set_password("bob", "another password")
    assert refusal(people, "bob", SECRET).code is Code.UNAUTHORIZED
    assert people.devices.identify(token).name == "bob"
    people.accounts.set_password("bob", "a third password", log_out=True)
    with pytest.raises(RefusedError):
        people.devices.identify(token)


def test_twenty_devices_and_not_more(people: People) -> None:
    people.accounts.add("bob", SECRET)
    tokens = [people.devices.add(people.accounts.everyone()[0], f"d{n}")[1] for n in range(limits.DEVICES_PER_USER)]
    assert refusal(people, "bob", SECRET).code is Code.TOO_MANY
    people.devices.revoke(people.devices.identify(tokens[0]).device_id, "test")
    assert login(people, "bob")


def test_only_the_first_account_can_be_set_up(people: People) -> None:
    outcomes = []

    def set_up(name: str) -> None:
        try:
            outcomes.append(people.accounts.add(name, SECRET, admin=True, first=True).name)
        except RefusedError as refused:
            outcomes.append(refused.code)

    gevent.joinall([gevent.spawn(set_up, name) for name in ("eve", "mallory")], timeout=20, raise_error=True)
    assert sorted(outcomes) in (["eve", "forbidden"], ["forbidden", "mallory"])
    assert len(people.accounts.everyone()) == 1


def while_verified(people: People, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """From now on `happens` when a password has been verified, before its owner is let in."""
    verify = people.accounts._passwords.verify

    def meanwhile(password_hash: str | None, password: str) -> bool:
        good = verify(password_hash, password)
        happens()
        return good

    monkeypatch.setattr(people.accounts._passwords, "verify", meanwhile)


def test_who_logs_in_while_the_password_is_changed_is_not_let_in(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.accounts.add("bob", SECRET)
    with monkeypatch.context() as patched:
        while_verified(people, patched, lambda: people.accounts.set_password("bob", "another secret 2", log_out=True))
        assert refusal(people, "bob", SECRET).code is Code.UNAUTHORIZED
    assert people.devices.everyones() == []
    assert login(people, "bob", "another secret 2")


def test_who_logs_in_while_the_account_is_disabled_has_no_device_when_it_is_enabled_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.accounts.add("bob", SECRET)
    while_verified(people, monkeypatch, lambda: people.accounts.set_disabled("bob", True))
    assert refusal(people, "bob", SECRET).code is Code.UNAUTHORIZED
    people.accounts.set_disabled("bob", False)
    assert people.devices.everyones() == []


def test_a_ticket_is_no_good_once_its_device_is_logged_out_even_while_it_is_looked_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.accounts.add("bob", SECRET)
    principal = people.devices.identify(login(people, "bob"))
    ticket = people.devices.ticket(principal, 60.0)
    assert people.devices.identify(ticket) == principal
    read = people.database.read

    def meanwhile(job: Any) -> Any:
        found = read(job)
        monkeypatch.setattr(people.database, "read", read)
        people.devices.revoke(principal.device_id, principal.user_id)
        return found

    monkeypatch.setattr(people.database, "read", meanwhile)
    with pytest.raises(RefusedError, match="signed out"):
        people.devices.identify(ticket)


# -- guessing ------------------------------------------------------------------------------------------------------


def test_an_address_that_guesses_must_wait_and_others_need_not(people: People) -> None:
    for name in ("bob", "carol"):
        people.accounts.add(name, SECRET)
    for number in range(int(FAILURES.burst)):
        assert refusal(people, f"nobody{number}", "wrong password").code is Code.UNAUTHORIZED
    for _ in range(20):  # some more are allowed meanwhile where the machine is slow
        if isinstance(refusal(people, "nobody", "wrong password"), LimitedError):
            break
    limited = refusal(people, "bob", SECRET)
    assert isinstance(limited, LimitedError)
    assert 0 < (limited.retry_after_s or 0) <= 3.1
    assert login(people, "bob", address="192.0.2.2")


def test_guesses_through_a_proxy_on_this_machine_shut_out_nobody_else(people: People) -> None:
    people.accounts.add("bob", SECRET)
    for number in range(int(FAILURES.burst) + 5):
        assert refusal(people, f"nobody{number}", "wrong password", address="127.0.0.1").code is Code.UNAUTHORIZED
    assert login(people, "bob", address="127.0.0.1")


def test_an_account_that_is_guessed_at_from_many_places_is_closed_for_a_moment(people: People) -> None:
    people.accounts.add("bob", SECRET)
    people.accounts.add("carol", SECRET)
    for number in range(int(FAILURES.burst) + 5):  # some more are allowed meanwhile where the machine is slow
        refusal(people, "bob", "wrong password", address=f"192.0.2.{number}")
    assert refusal(people, "bob", SECRET, address="198.51.100.1").code is Code.RATE_LIMITED
    assert login(people, "carol", address="192.0.2.1")


def test_an_office_behind_one_address_is_not_limited(people: People) -> None:
    for number in range(25):
        people.accounts.add(f"user{number}", SECRET)
    assert all(login(people, f"user{number}") for number in range(25))


def test_unknown_users_take_as_long_as_wrong_passwords(people: People) -> None:
    people.accounts.add("bob", SECRET)

    def seconds(name: str, address: str) -> float:
        begin = time.perf_counter()
        refusal(people, name, "wrong password", address)
        return time.perf_counter() - begin

    both = [(seconds("bob", f"10.0.0.{n}"), seconds(f"no{n}", f"10.0.1.{n}")) for n in range(15)]
    known, unknown = (min(times) for times in zip(*both, strict=True))  # without what others took of the machine
    assert 0.5 < known / unknown < 2.0


def test_the_loop_turns_while_passwords_are_reckoned() -> None:
    passwords = Passwords()
    turns = 0

    def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0.001)

    beside = gevent.spawn(turn)
    work = [gevent.spawn(passwords.hash, SECRET) for _ in range(3 * AT_ONCE)]
    gevent.joinall(work, timeout=20, raise_error=True)
    beside.kill()
    passwords.close()
    assert turns > 10
    assert len({greenlet.value for greenlet in work}) == len(work)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("nonsense", "nonsense"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
    ],
)
def test_an_address_is_one_customers(address: str, key: str) -> None:
    assert place(address) == key
