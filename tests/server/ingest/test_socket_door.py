"""The Socket.IO door on a running server, with stock clients: connecting, the four events, and what is pushed."""

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from deskbell_protocol import limits
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]


@pytest.fixture
def alice(office: Server, log_in: LogIn) -> Login:
    return log_in(office, "alice")


@pytest.fixture
def bob(office: Server, log_in: LogIn) -> Login:
    return log_in(office, "bob")


# -- connecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ({"v": 2, "client": "t"}, "invalid"),
        ({"v": 2, "token": "nope", "client": "t"}, "unauthorized"),
        ({"v": 2, "token": "", "client": "t"}, "invalid"),
        ({"v": 2, "token": 7, "client": "t"}, "invalid"),
        ({"v": 2, "token": "x" * 300, "client": "t"}, "invalid"),
        ({"v": 2, "token": "nope", "client": "t", "admin": True}, "invalid"),
        ({"v": 3, "token": "nope", "client": "t", "new": 1}, "upgrade_required"),
        ({"v": 1, "token": "nope", "client": "t"}, "upgrade_required"),
        ({"v": True, "token": "nope", "client": "t"}, "upgrade_required"),
        ({"v": "2", "token": "nope", "client": "t"}, "upgrade_required"),
        ({"token": "nope"}, "upgrade_required"),
        ({}, "upgrade_required"),
        ([1], "unauthorized"),
        ("nope", "unauthorized"),
    ],
)
def test_a_bad_login_is_refused_and_the_transport_closed(office: Server, auth: Any, code: str) -> None:
    with Wire(office.url, auth=auth) as wire:
        assert wire.refusal["data"]["code"] == code
        assert wire.refusal["data"]["fatal"] is True  # it cannot do better the next time
        assert isinstance(wire.refusal["message"], str)
        wait_for(lambda: not wire.connected, "the transport to be closed", 5.0)
        assert wire.received == []


def test_a_revoked_token_is_told_so(office: Server, bob: Login) -> None:
    office.ask("POST", "/api/v1/logout", token=bob.token)
    with Wire(office.url, bob.token) as wire:
        assert (wire.refusal["data"]["code"], wire.refusal["data"]["fatal"]) == ("revoked", True)


def test_a_device_has_five_sockets_and_is_told_about_the_sixth(office: Server, bob: Login, connect: Connect) -> None:
    wires = [connect(office, bob.token) for _ in range(limits.SOCKETS_PER_DEVICE)]
    with Wire(office.url, bob.token) as sixth:
        data = sixth.refusal["data"]
        assert (data["code"], data["fatal"]) == ("too_many", False)
        assert data["retry_after_s"] > 0
    wires[0].close()
    wait_for(lambda: connects(office, bob.token), "room for another one")
    assert all(wire.connected for wire in wires[1:])


@pytest.mark.parametrize("broken", ["devices", "users"])
def test_an_error_while_the_token_is_looked_up_lets_nobody_in(
    server: Server, log_in: LogIn, connect: Connect, broken: str
) -> None:
    server.start()
    alice, bob = log_in(server, "alice"), log_in(server, "bob")
    with closing(sqlite3.connect(server.data / "deskbell.db")) as database:
        database.execute(f"ALTER TABLE {broken} RENAME TO elsewhere")
    with Wire(server.url, bob.token) as wire:
        assert (wire.refusal["data"]["code"], wire.refusal["data"]["fatal"]) == ("unavailable", False)
        wait_for(lambda: not wire.connected, "the transport to be closed", 5.0)
        assert wire.received == []
    assert server.ask("GET", "/api/v1/me", token=alice.token).status == 500
    with closing(sqlite3.connect(server.data / "deskbell.db")) as database:
        database.execute(f"ALTER TABLE elsewhere RENAME TO {broken}")
    assert connect(server, bob.token).sync()["ok"]


# -- sync ----------------------------------------------------------------------------------------------------------


def test_a_first_sync_pages_through_everything_in_order(
    office: Server, alice: Login, bob: Login, connect: Connect
) -> None:
    sent = [office.publish(alice, "bob", body=f"m{n}") for n in range(25)]
    wire = connect(office, bob.token)
    answer = wire.sync(limit=10)
    epoch, found = answer["epoch"], list(answer["events"])
    while answer["upto"] < answer["head"]:
        answer = wire.sync(epoch, found[-1]["seq"], limit=10)
        found += answer["events"]
    assert [event["seq"] for event in found] == list(range(1, answer["head"] + 1))
    assert [event["id"] for event in found if event["id"] in sent] == sent
    assert {event["epoch"] for event in found} == {epoch}
    assert [event["prev"] for event in found] == list(range(answer["head"]))
    assert wire.sync(epoch, answer["head"]) == {
        "ok": True,
        "epoch": epoch,
        "after": answer["head"],
        "upto": answer["head"],
        "head": answer["head"],
        "events": [],
        "groups": [],
    }


def test_a_sync_answer_ends_at_256_kib(office: Server, alice: Login, bob: Login, connect: Connect) -> None:
    start = connect(office, bob.token).sync(limit=1)["head"]
    for _ in range(20):
        office.publish(alice, "bob", body="x" * limits.BODY_BYTES)
    wire = connect(office, bob.token)
    first = wire.sync(limit=1)
    answer = wire.sync(first["epoch"], start)
    assert answer["upto"] < answer["head"]
    assert 10 < len(answer["events"]) < 17
    rest = wire.sync(first["epoch"], answer["upto"])
    assert len(answer["events"]) + len(rest["events"]) == 20


@pytest.mark.parametrize("case", ["other epoch", "beyond head", "no epoch, but a cursor"])
def test_a_cursor_of_another_log_starts_over(office: Server, bob: Login, connect: Connect, case: str) -> None:
    wire = connect(office, bob.token)
    first = wire.sync(limit=1)
    epoch = first["epoch"]
    asked = {"other epoch": ("f" * 16, 1), "beyond head": (epoch, 2**40), "no epoch, but a cursor": (None, 5)}[case]
    answer = wire.sync(*asked, limit=1)
    assert (answer["reset"], answer["after"]) == (True, 0)
    assert answer["events"] == first["events"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        7,
        {},
        {"epoch": None},
        {"epoch": None, "after": -1},
        {"epoch": None, "after": 2**60},
        {"epoch": None, "after": 0, "limit": 0},
        {"epoch": None, "after": 0, "limit": 201},
        {"epoch": None, "after": True},
        {"epoch": 7, "after": 0},
        {"epoch": None, "after": 0, "user_id": "x"},
        {"epoch": None, "after": 1.5},
    ],
)
@pytest.mark.parametrize("event", ["sync", "ack", "read", "send"])
def test_a_payload_of_another_shape_is_invalid(
    office: Server, bob: Login, connect: Connect, event: str, data: Any
) -> None:
    answer = connect(office, bob.token).ask(event, data)
    assert (answer["ok"], answer["code"]) == (False, "invalid")
    assert "Traceback" not in answer["message"]


def test_an_unknown_event_is_answered(office: Server, bob: Login, connect: Connect) -> None:
    answer = connect(office, bob.token).ask("delete_everything", {"really": True})
    assert (answer["ok"], answer["code"]) == (False, "unknown_event")


@pytest.mark.parametrize("event", ["connect", "disconnect"])
def test_a_reserved_event_changes_nothing(office: Server, bob: Login, connect: Connect, event: str) -> None:
    wire = connect(office, bob.token)
    wire.emit(event, {"v": 1, "token": "nope", "client": "t"})
    assert wire.sync()["ok"]
    office.publish(bob, "bob", body="still here")
    wire.wait_for("event")


# -- ack -----------------------------------------------------------------------------------------------------------


def test_acks_are_kept_and_only_grow(office: Server, alice: Login, bob: Login, connect: Connect) -> None:
    office.publish(alice, "bob", body="1")
    wire = connect(office, bob.token)
    answer = wire.sync(limit=1)
    epoch, head = answer["epoch"], answer["head"]
    assert wire.ask("ack", {"epoch": epoch, "seq": head, "shown": head}) == {"ok": True}
    assert wire.ask("ack", {"epoch": epoch, "seq": head - 1}) == {"ok": True}
    kept = office.rows("SELECT acked_seq, shown_seq FROM devices WHERE id = ?", bob.device["id"])
    assert kept == [(head, head)]


@pytest.mark.parametrize("more", [{"seq": 2**40}, {"seq": 0, "shown": 2**40}, {"seq": 0, "epoch": "other"}])
def test_an_ack_of_what_was_never_given_is_refused(office: Server, bob: Login, connect: Connect, more: Any) -> None:
    wire = connect(office, bob.token)
    answer = wire.ask("ack", {"epoch": wire.sync(limit=1)["epoch"]} | more)
    assert (answer["ok"], answer["code"]) == (False, "invalid")


# -- read ----------------------------------------------------------------------------------------------------------


def test_reading_is_an_event_for_every_device_and_only_once(
    office: Server, alice: Login, bob: Login, log_in: LogIn, connect: Connect
) -> None:
    message = office.publish(alice, "bob", body="read me")
    here, there = connect(office, bob.token), connect(office, log_in(office, "bob").token)
    seq = here.sync(limit=1)["head"]
    assert here.ask("read", {"ids": [message]}) == {"ok": True, "seq": seq + 1}
    for wire in (here, there):
        event = wire.wait_for("event")[0]
        assert (event["seq"], event["kind"], event["data"]) == (seq + 1, "read", {"ids": [message]})
    assert here.ask("read", {"ids": [message]}) == {"ok": True, "seq": None}
    assert here.ask("read", {"up_to": seq}) == {"ok": True, "seq": seq + 2}
    assert here.ask("read", {"up_to": seq}) == {"ok": True, "seq": None}
    assert here.ask("read", {"up_to": seq - 1}) == {"ok": True, "seq": None}
    assert here.sync(limit=1)["head"] == seq + 2


def test_only_what_is_new_is_in_the_mark(office: Server, alice: Login, bob: Login, connect: Connect) -> None:
    first, second = (office.publish(alice, "bob", body=body) for body in "12")
    wire = connect(office, bob.token)
    wire.ask("read", {"ids": [first]})
    wire.ask("read", {"ids": [second, first, second]})
    assert wire.wait_for("event", 2)[1]["data"] == {"ids": [second]}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"up_to": 1, "ids": []}, "invalid"),
        ({"up_to": 2**40}, "invalid"),
        ({"ids": ["short"]}, "not_found"),
        ({"ids": ["x" * 37]}, "invalid"),
        ({"up_to": 0, "epoch": "another"}, "invalid"),
        ({"ids": [str(uuid.uuid4())]}, "not_found"),
        ({"ids": [str(uuid.uuid4())] * (limits.READ_IDS + 1)}, "invalid"),
    ],
)
def test_a_bad_mark_is_refused(office: Server, bob: Login, connect: Connect, data: Any, code: str) -> None:
    answer = connect(office, bob.token).ask("read", data)
    assert (answer["ok"], answer["code"]) == (False, code)


def test_another_ones_message_cannot_be_marked(office: Server, alice: Login, bob: Login, connect: Connect) -> None:
    private = office.publish(alice, "carol", body="not yours")
    assert connect(office, bob.token).ask("read", {"ids": [private]})["code"] == "not_found"
    assert office.rows("SELECT unread FROM views WHERE id = ? AND unread = 1", private) == [(1,)]


# -- send ----------------------------------------------------------------------------------------------------------


def test_a_message_rings_at_the_other_and_echoes_with_its_cid(
    office: Server, alice: Login, bob: Login, log_in: LogIn, connect: Connect
) -> None:
    a, also_a, b = (connect(office, token) for token in (alice.token, log_in(office, "alice").token, bob.token))
    answer = a.ask("send", {"cid": "c-1", "to": ["bob"], "body": "hi", "title": "T"})
    assert answer["ok"]
    assert answer["duplicate"] is False
    at_bob = b.wait_for("event")[0]
    assert (at_bob["kind"], at_bob["id"], at_bob["data"]["body"]) == ("message", answer["id"], "hi")
    assert at_bob["data"]["from"]["name"] == "alice"
    assert [party["name"] for party in at_bob["data"]["to"]] == ["bob"]
    assert "cid" not in at_bob["data"]
    for wire in (a, also_a):
        echo = wire.wait_for("event")[0]
        assert (echo["seq"], echo["data"]["cid"]) == (answer["seq"], "c-1")
    again = a.ask("send", {"cid": "c-1", "to": ["bob"], "body": "hi", "title": "T"})
    assert again == answer | {"duplicate": True}
    conflict = a.ask("send", {"cid": "c-1", "to": ["bob"], "body": "other"})
    assert conflict["code"] == "idempotency_conflict"


def test_what_is_pushed_is_what_a_sync_says(office: Server, alice: Login, bob: Login, connect: Connect) -> None:
    a, b = connect(office, alice.token), connect(office, bob.token)
    at = {wire: wire.sync(limit=1) for wire in (a, b)}
    a.ask("send", {"cid": uuid.uuid4().hex, "to": ["bob"], "body": "1", "priority": "urgent"})
    a.ask("send", {"cid": uuid.uuid4().hex, "to": ["bob", "carol"], "body": "2"})
    a.ask("send", {"cid": uuid.uuid4().hex, "to": ["@everyone"], "body": "3"})
    office.publish(alice, "bob", body="4")
    b.ask("read", {"up_to": at[b]["head"] + 1})
    for wire, count in ((a, 5), (b, 5)):
        pushed = wire.wait_for("event", count)
        assert pushed == wire.sync(at[wire]["epoch"], at[wire]["head"])["events"]


def test_a_reply_goes_to_the_sender_and_names_what_it_answers(
    office: Server, alice: Login, bob: Login, connect: Connect
) -> None:
    message = office.publish(alice, "bob", body="question")
    a, b = connect(office, alice.token), connect(office, bob.token)
    b.ask("send", {"cid": "r-1", "reply_to": message, "body": "answer"})
    data = a.wait_for("event")[0]["data"]
    assert (data["from"]["name"], data["reply_to"], data["body"]) == ("bob", message, "answer")
    a.ask("send", {"cid": "r-2", "reply_to": message, "body": "my own"})
    assert b.wait_for("event", 2)[1]["data"]["body"] == "my own"


def test_a_note_to_oneself_is_one_event(office: Server, bob: Login, connect: Connect) -> None:
    wire = connect(office, bob.token)
    head = wire.sync(limit=1)["head"]
    answer = wire.ask("send", {"cid": "self", "to": ["bob"], "body": "remember"})
    assert answer["seq"] == head + 1
    assert wire.wait_for("event")[0]["data"]["to"][0]["name"] == "bob"
    assert wire.sync(limit=1)["head"] == head + 1


def test_several_people_do_not_see_each_other(
    office: Server, alice: Login, bob: Login, log_in: LogIn, connect: Connect
) -> None:
    b, c, a = (connect(office, who.token) for who in (bob, log_in(office, "carol"), alice))
    a.ask("send", {"cid": "many", "to": ["bob", "carol"], "body": "both"})
    assert [party["name"] for party in b.wait_for("event")[0]["data"]["to"]] == ["bob"]
    assert [party["name"] for party in c.wait_for("event")[0]["data"]["to"]] == ["carol"]
    first, second = a.wait_for("event", 2)
    assert [party["name"] for event in (first, second) for party in event["data"]["to"]] == ["bob", "carol"]
    assert (first["data"]["cid"], "publish" in first["data"]) == ("many", False)
    assert ("cid" in second["data"], second["data"]["publish"]) == (False, first["id"])


def test_sends_of_one_connection_stay_in_order(office: Server, bob: Login, alice: Login, connect: Connect) -> None:
    a, b = connect(office, alice.token), connect(office, bob.token)
    for number in range(60):
        a.emit("send", {"cid": f"o{number}", "to": ["bob"], "body": str(number)})
    events = sorted(b.wait_for("event", 60), key=lambda event: event["seq"])  # the client has a thread for each
    assert [event["data"]["body"] for event in events] == [str(number) for number in range(60)]
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], events[0]["seq"] + 60))


def test_too_many_sends_are_told_when_to_come_back(office: Server, bob: Login, connect: Connect) -> None:
    wire = connect(office, bob.token)
    # An empty one counts as well, and does not wait for a disk that may be slower than the rate.
    answers = [wire.ask("send", {"cid": f"f{n}", "to": ["bob"], "body": " "}) for n in range(200)]
    assert all(answer["code"] == "invalid" for answer in answers[:100])
    refused = [answer for answer in answers if answer["code"] != "invalid"]
    assert refused
    assert all(answer["code"] == "rate_limited" and answer["retry_after_s"] > 0 for answer in refused)


def test_reading_has_a_limit_of_its_own_and_is_answered(office: Server, bob: Login, connect: Connect) -> None:
    wire = connect(office, bob.token)
    epoch = wire.sync(limit=1)["epoch"]
    assert all(wire.ask("ack", {"epoch": epoch, "seq": 0})["ok"] for _ in range(150))
    for _ in range(1000):
        wire.emit("ack", {"epoch": epoch, "seq": 0})
    answer = wire.ask("ack", {"epoch": epoch, "seq": 0})
    assert (answer["ok"], answer["code"]) == (False, "rate_limited")
    assert answer["retry_after_s"] > 0


def test_somebody_elses_events_never_arrive(
    office: Server, alice: Login, bob: Login, log_in: LogIn, connect: Connect
) -> None:
    c = connect(office, log_in(office, "carol").token)
    a, b = connect(office, alice.token), connect(office, bob.token)
    a.ask("send", {"cid": "p", "to": ["bob"], "body": "private"})
    b.ask("read", {"up_to": b.wait_for("event")[0]["seq"]})
    a.ask("send", {"cid": "q", "to": ["carol"], "body": "for carol"})
    assert [event["data"].get("body") for event in c.wait_for("event")] == ["for carol"]
    assert len(c.of("event")) == 1


def connects(office: Server, token: str) -> bool:
    with Wire(office.url, token) as wire:
        return wire.connected
