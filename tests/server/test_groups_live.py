"""Groups and everyone as recipients, on a running server."""

from collections.abc import Callable, Iterator

import pytest

from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]
MESSAGES = "/api/v1/messages"


@pytest.fixture
def ops(office: Server) -> Iterator[str]:
    """A group with bob and carol in it."""
    office.command("group", "add", "@Ops", "bob", "carol", "--display", "Operations")
    yield "@Ops"
    office.command("group", "remove", "@ops")


def test_a_groups_message_reaches_its_members_and_belongs_to_the_group(
    office: Server, log_in: LogIn, connect: Connect, ops: str
) -> None:
    bob, carol, alice = (log_in(office, name) for name in ("bob", "carol", "alice"))
    at_bob, at_carol, at_alice = (connect(office, login.token) for login in (bob, carol, alice))
    answer = office.ask("POST", MESSAGES, {"to": ["@OPS"], "body": "deploy"}, bob.token)
    assert (answer.status, answer.body["recipients"]) == (201, 1)
    for wire in (at_bob, at_carol):
        to = wire.wait_for("event")[0]["data"]["to"]
        assert [(party["name"], party["display"], party["kind"]) for party in to] == [("@Ops", "Operations", "group")]
    group = to[0]["id"]
    page = office.ask("GET", f"{MESSAGES}?conversation={group}", token=carol.token).body["events"]
    assert [event["id"] for event in page] == [answer.body["id"]]
    reply = office.ask("POST", MESSAGES, {"reply_to": answer.body["id"], "body": "done"}, carol.token)
    assert at_bob.wait_for("event", 2)[1]["id"] == reply.body["id"]
    assert at_bob.of("event")[1]["data"]["to"] == to
    assert at_alice.of("event") == []


def test_a_sync_says_to_which_groups_one_may_write(office: Server, log_in: LogIn, connect: Connect, ops: str) -> None:
    def may_write(name: str) -> object:
        return connect(office, log_in(office, name).token).sync().get("groups")

    (group,) = office.rows("SELECT id FROM groups WHERE name_key IS NOT NULL")[0]
    assert may_write("bob") == [group]
    assert may_write("alice") is None, "an admin"
    office.command("group", "add", "@everyone", "bob")
    office.command("group", "remove", ops, "bob")
    assert may_write("bob") == ["@everyone"]
    office.command("group", "remove", "@everyone", "bob")
    assert may_write("bob") == []


def test_only_members_and_admins_write_to_a_group(office: Server, log_in: LogIn, ops: str) -> None:
    office.command("group", "remove", ops, "bob")
    bob, alice = log_in(office, "bob"), log_in(office, "alice")
    there, not_there = (
        office.ask("POST", MESSAGES, {"to": [name, "nobody"], "body": "b"}, bob.token) for name in (ops, "@Sop")
    )
    assert there.body["code"] == "unknown_recipient"
    assert (there.status, str(there.body)) == (not_there.status, str(not_there.body).replace("@Sop", ops))
    assert office.ask("POST", MESSAGES, {"to": [ops], "body": "b"}, alice.token).body["recipients"] == 1
    assert ops not in names(office, bob)
    assert {ops, "@everyone"} <= set(names(office, alice))


def test_everyone_is_for_admins_and_whom_they_allow(office: Server, log_in: LogIn, connect: Connect) -> None:
    bob, carol = log_in(office, "bob"), log_in(office, "carol")
    wire = connect(office, carol.token)
    body = {"to": ["@everyone"], "body": "fire drill"}
    assert office.ask("POST", MESSAGES, body, bob.token).status == 403
    office.command("group", "add", "@everyone", "bob")
    assert "bob" in office.command("group", "list")
    wait_for(lambda: office.ask("POST", MESSAGES, body, bob.token).status == 201, "it to be allowed", 8.0)
    assert wire.wait_for("event")[0]["data"]["to"][0]["kind"] == "group"
    office.command("group", "remove", "@everyone", "bob")
    wait_for(lambda: office.ask("POST", MESSAGES, body, bob.token).status == 403, "it to be forbidden", 8.0)


def test_the_right_to_write_to_everyone_ends_on_an_open_connection_too(
    office: Server, log_in: LogIn, connect: Connect
) -> None:
    wire = connect(office, log_in(office, "bob").token)

    def send(cid: str) -> str:
        return str(wire.ask("send", {"to": ["@everyone"], "body": "fire drill", "cid": cid}).get("code", "ok"))

    assert send("refused") == "forbidden"
    office.command("group", "add", "@Everyone", "bob")
    assert send("allowed") == "ok"
    office.command("group", "remove", "@EVERYONE", "bob")
    assert send("refused again") == "forbidden"


def test_who_is_named_twice_is_one_recipient_and_hears_of_one_publish(
    office: Server, log_in: LogIn, connect: Connect, ops: str
) -> None:
    alice, bob = log_in(office, "alice"), log_in(office, "bob")
    wire = connect(office, bob.token)
    answer = office.ask("POST", MESSAGES, {"to": ["bob", "BOB", ops, "carol"], "body": "once"}, alice.token)
    assert answer.body["recipients"] == 2
    single, in_group = wire.wait_for("event", 2)
    assert [event["data"]["to"][0]["name"] for event in (single, in_group)] == ["bob", "@Ops"]
    assert (single["id"], in_group["data"]["publish"]) == (answer.body["id"], answer.body["id"])
    page = office.ask("GET", MESSAGES, token=log_in(office, "carol").token).body["events"][:2]
    assert [event["data"]["publish"] for event in page] == [answer.body["id"]] * 2


def test_who_joins_sees_what_comes_and_who_leaves_what_came(
    office: Server, log_in: LogIn, connect: Connect, ops: str
) -> None:
    alice, carol = log_in(office, "alice"), log_in(office, "carol")
    wire = connect(office, carol.token)
    head = wire.sync(limit=1)["head"]
    said = ["while carol is in it", "without her", "and again"]
    for body, act in zip(said, ("remove", "add", "remove"), strict=True):
        office.publish(alice, ops, body=body)
        office.command("group", act, ops, "carol")
    office.publish(alice, "carol", body="the end")
    events = wire.wait_for("event", 6)
    assert [event["data"].get("body", event["data"].get("joined")) for event in events] == [
        said[0], False, True, said[2], False, "the end",
    ]  # fmt: skip
    assert [event["prev"] for event in events] == [head, *(event["seq"] for event in events[:-1])]
    answer = wire.sync(wire.sync(limit=1)["epoch"], head)
    assert [event["seq"] for event in answer["events"]] == [event["seq"] for event in events]


@pytest.mark.parametrize(
    "arguments",
    [
        ("group", "add", "@ops", "nobody"),
        ("group", "add", "@bad name", "bob"),
        ("group", "remove", "@nothing"),
        ("group", "remove", "@everyone"),
    ],
)
def test_a_bad_command_says_why_and_changes_nothing(office: Server, arguments: tuple[str, ...]) -> None:
    before = office.command("group", "list")
    with pytest.raises(RuntimeError, match="Error:"):
        office.command(*arguments)
    assert office.command("group", "list") == before


def names(office: Server, who: Login) -> list[str]:
    return [party["name"] for party in office.ask("GET", "/api/v1/users?q=", token=who.token).body["users"]]
