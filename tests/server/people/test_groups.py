"""Groups, on each database."""

import pytest

from deskbell_server.people.accounts import Accounts
from deskbell_server.people.groups import FOUND_MAX
from deskbell_server.people.people import People
from deskbell_server.principals import Principal

SECRET = "correct horse 1"


def principal(accounts: Accounts, name: str) -> Principal:
    accounts.add(name, SECRET, admin=True)
    return accounts.writer(name)


@pytest.mark.parametrize("count", [FOUND_MAX - 2, FOUND_MAX - 1, FOUND_MAX, FOUND_MAX + 1])
def test_so_many_are_found_and_not_more(people: People, count: int) -> None:
    admin = principal(people.accounts, "engineer")
    for number in range(count):
        people.groups.add(f"team{number:02}e", [])
    found = [party.name for party in people.groups.whom(admin, "e")]
    assert len(found) == min(FOUND_MAX, 1 + count + 1)
    assert found[:2] == ["engineer", "@everyone"]


def test_whose_name_begins_so_comes_before_whose_name_has_it_somewhere(people: People) -> None:
    admin = principal(people.accounts, "root")
    for name, display in (("bea", "Bea Ames"), ("zamir", ""), ("amy", ""), ("carl", "Carl Oam")):
        people.accounts.add(name, SECRET, display=display)
    for group in ("dam", "ambulance", "am"):
        people.groups.add(group, [])
    found = [party.name for party in people.groups.whom(admin, "Am")]
    assert found == ["amy", "bea", "@am", "@ambulance", "carl", "zamir", "@dam"]


@pytest.mark.parametrize("name", ["Om", "@om"])
def test_who_is_called_just_so_is_found_first_among_however_many(people: People, name: str) -> None:
    admin = principal(people.accounts, "ana")
    people.accounts.add("om", SECRET)
    for group in ("om", *(f"a{number}" for number in range(FOUND_MAX + 1))):
        people.groups.add(group, [], f"with {name.casefold()}")
    found = people.groups.whom(admin, name)
    assert len(found) == FOUND_MAX
    assert found[0].name == name.casefold()


def test_everyone_is_one_however_it_is_written(people: People) -> None:
    principal(people.accounts, "ana")
    people.accounts.add("bob", SECRET)
    for written in ("@Everyone", "EVERYONE", "everyone"):
        people.groups.add(written, ["bob"])
        assert [(row.name, row.members) for row in people.groups.listed()] == [("@everyone", ["bob"])]
        people.groups.remove(written, ["bob"])
        assert [(row.name, row.members) for row in people.groups.listed()] == [("@everyone", [])]
