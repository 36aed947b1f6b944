"""The network's thread against the real server, and the same account there and back."""

import logging
import threading

import pytest

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.account import SignInFailed
from deskbell_desktop.core.words import Words
from deskbell_desktop.io import results
from deskbell_desktop.io.connection import Backoff
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.network import Network
from deskbell_protocol import wire
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id
from deskbell_protocol.wire import Content
from tests.desk.server import Login, Server
from tests.desktop.io.conftest import PASSWORD, Posts


def send(cid: str, body: str, *to: str, reply_to: str | None = None) -> do.SendMessage:
    return do.SendMessage(cid, to, reply_to, Content(body=body))


def connected(network: Network, posts: Posts, server: Server, login: Login) -> None:
    network.open(server.url, login.token)
    posts.next(on.LinkUp)


def synced(network: Network, posts: Posts) -> on.SyncAnswered:
    network.request(do.RequestSync(None, 0))
    return posts.next(on.SyncAnswered)


def test_the_password_becomes_a_token(network: Network, posts: Posts, server: Server) -> None:
    network.login(server.url, "maria", PASSWORD, allow_plain_http=False)
    found = posts.next(results.LoginSucceeded)
    assert found.account.server == server.url
    assert found.account.user.name == "maria"
    assert server.ask("GET", "/api/v1/me", token=found.token).status == 200
    assert found.token not in repr(found)


def test_what_a_server_said_at_the_last_login_goes_to_that_server_only(
    network: Network, posts: Posts, server: Server
) -> None:
    server.add_user("nora", PASSWORD)
    network.login(server.url, "nora", PASSWORD, allow_plain_http=False)
    known = posts.next(results.LoginSucceeded).known
    for _ in range(20):
        server.ask("POST", "/api/v1/login", {"username": "nora", "password": "wrong", "device": "d"})
    network.login(server.url, "nora", PASSWORD, allow_plain_http=False, known={"https://another.test": known})
    assert "Too many" in posts.next(SignInFailed).problem
    network.login(server.url, "nora", PASSWORD, allow_plain_http=False, known={server.url: known})
    assert posts.next(results.LoginSucceeded).known not in ("", known)


def test_a_server_without_encryption_says_so_before_anything_is_told(
    network: Network, posts: Posts, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The server waits for the end of a line that never comes: no answer would be there in time."""
    host = server.url.removeprefix("http://")
    network.login(f"https://{host}", "maria", PASSWORD, allow_plain_http=False)
    failed = posts.next(SignInFailed, timeout=8)
    assert failed == SignInFailed(Words().plain_server(host), at_server=True)


@pytest.mark.parametrize(("name", "password"), [("maria", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_password_and_a_wrong_name_read_the_same(
    network: Network, posts: Posts, server: Server, name: str, password: str
) -> None:
    network.login(server.url, name, password, allow_plain_http=False)
    assert posts.next(SignInFailed) == SignInFailed(Words().wrong_password(), at_server=False)


def test_a_message_comes_and_an_answer_goes(
    network: Network, posts: Posts, intake: Intake, server: Server, maria: Login, bob: Login
) -> None:
    connected(network, posts, server, maria)
    answer = synced(network, posts).answer
    id_ = server.publish(bob, "maria", body="Lunch? 陈晓明 🍜")
    posts.next(results.PushesWaiting)
    pushed = intake.take()[0]
    assert isinstance(pushed, on.FramesPushed)
    event = pushed.frames[0]
    assert isinstance(event, wire.Event)
    assert (event.id, event.seq, event.epoch) == (id_, answer.head + 1, answer.epoch)
    assert event.data["body"] == "Lunch? 陈晓明 🍜"

    cid = new_id()
    network.request(send(cid, "Yes", reply_to=id_))
    sent = posts.next(on.SendAnswered)
    network.request(send(cid, "Yes", reply_to=id_))
    assert posts.next(on.SendAnswered) == sent
    network.request(do.SendRead((id_,)))
    assert posts.next(on.ReadAnswered).ids == (id_,)
    network.request(do.SendAck(event.epoch, event.seq))
    network.request(do.RequestSync(event.epoch, event.seq))
    assert [found.kind for found in posts.next(on.SyncAnswered).answer.events] == ["message", "read"]


def test_refusals_come_back_with_their_code(network: Network, posts: Posts, server: Server, maria: Login) -> None:
    connected(network, posts, server, maria)
    network.request(send(new_id(), "Hello", "nobody-of-this-name"))
    failed = posts.next(on.SendFailed)
    assert failed.code == Code.UNKNOWN_RECIPIENT
    assert failed.names == ("nobody-of-this-name",)
    network.request(send(new_id(), "a\x00b", "bob"))
    assert posts.next(on.SendFailed).code == Code.INVALID
    cid = new_id()
    network.request(send(cid, "one", "bob"))
    posts.next(on.SendAnswered)
    network.request(send(cid, "two", "bob"))
    assert posts.next(on.SendFailed).code == Code.IDEMPOTENCY_CONFLICT


def test_people_are_found(network: Network, posts: Posts, server: Server, maria: Login) -> None:
    network.search(server.url, maria.token, "bo")
    found = posts.next(results.PeopleFound)
    assert [party.name for party in found.people or ()] == ["bob"]
    network.search("http://127.0.0.1:1", maria.token, "bo")
    assert posts.next(results.PeopleFound) == results.PeopleFound("bo", None)


def test_logging_out_revokes_the_device(network: Network, posts: Posts, server: Server, maria: Login) -> None:
    connected(network, posts, server, maria)
    network.logout(server.url, maria.token)
    refused = posts.next(on.Refused)
    assert refused.fatal
    assert server.ask("GET", "/api/v1/me", token=maria.token).status == 401


def test_a_token_that_nobody_knows_is_final(network: Network, posts: Posts, server: Server) -> None:
    network.open(server.url, "x" * 43)
    refused = posts.next(on.Refused)
    assert (refused.code, refused.fatal) == (Code.UNAUTHORIZED, True)
    assert refused.message


def test_a_device_revoked_meanwhile_is_told_within_two_seconds(
    network: Network, posts: Posts, server: Server, maria: Login, bob: Login
) -> None:
    connected(network, posts, server, maria)
    other = server.login("maria", PASSWORD)
    assert server.ask("DELETE", f"/api/v1/devices/{maria.device['id']}", token=other.token).status == 204
    assert posts.next(on.Refused, timeout=8).fatal  # for a slow machine; before a head would come


def test_another_account_takes_the_place_of_the_first(
    network: Network, posts: Posts, intake: Intake, server: Server, maria: Login, bob: Login
) -> None:
    connected(network, posts, server, maria)
    connected(network, posts, server, bob)
    assert posts.of(on.LinkDown) == []
    server.publish(bob, "maria", body="only for maria")
    network.request(do.RequestSync(None, 0))
    events = posts.next(on.SyncAnswered).answer.events
    assert all(event.data["from"]["name"] == "bob" for event in events if event.data.get("body") == "only for maria")


def test_nothing_secret_is_in_the_log(
    network: Network, posts: Posts, server: Server, maria: Login, bob: Login, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    network.login(server.url, "bob", PASSWORD, allow_plain_http=False)
    token = posts.next(results.LoginSucceeded).token
    connected(network, posts, server, maria)
    server.publish(bob, "maria", body="the secret recipe")
    posts.next(results.PushesWaiting)
    network.request(send(new_id(), "the secret answer", "bob"))
    posts.next(on.SendAnswered)
    network.shut()
    for secret in (maria.token, token, PASSWORD, "secret"):
        assert secret not in caplog.text
    assert "received" in caplog.text


def test_the_server_goes_and_comes_back(
    network: Network, posts: Posts, server: Server, maria: Login, bob: Login
) -> None:
    connected(network, posts, server, maria)
    try:
        server.stop()
        posts.next(on.LinkDown)
        problem = posts.next(on.LinkDown, where=lambda event: bool(event.problem)).problem
        assert problem == Words().nothing_listens(f"127.0.0.1:{server.port}")
    finally:
        server.start()
    posts.next(on.LinkUp, timeout=31)
    assert synced(network, posts).answer.ok


def test_a_hurry_does_not_wait(
    network: Network, posts: Posts, server: Server, maria: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "wait", lambda *_: 60.0)
    connected(network, posts, server, maria)
    try:
        server.stop()
        posts.next(on.LinkDown)
    finally:
        server.start()
    network.hurry()
    posts.next(on.LinkUp)


def test_a_killed_server_is_noticed_at_once(network: Network, posts: Posts, server: Server, maria: Login) -> None:
    connected(network, posts, server, maria)
    try:
        server.process.signal(9)
        posts.next(on.LinkDown)
    finally:
        server.start()
    posts.next(on.LinkUp, timeout=31)


def test_closing_ends_the_thread_whatever_it_does(posts: Posts, intake: Intake, server: Server, maria: Login) -> None:
    for wait in (False, True):
        network = Network(posts, intake, Words(), client="t", device="t", ca_file=None)
        network.open(server.url, maria.token)
        network.login(server.url, "maria", PASSWORD, allow_plain_http=False)
        if wait:
            posts.next(on.LinkUp)
        network.close()
        assert "network" not in [thread.name for thread in threading.enumerate()]


def test_closing_what_never_began_is_nothing(posts: Posts, intake: Intake) -> None:
    network = Network(posts, intake, Words(), client="t", device="t", ca_file=None)
    network.hurry()
    network.close()
    assert posts.all == []
