"""The main job, with nothing but real parts: a message becomes a popup, a click opens it, the answer goes back."""

import signal
from pathlib import Path

import pytest

from tests.desk.client import SIGN_IN, Client
from tests.desk.desktop import Desk
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.end2end.conftest import PASSWORD, MakeClient

pytestmark = pytest.mark.screen


def test_a_message_becomes_a_popup_a_click_opens_it_the_answer_goes_back(
    desk: Desk, server: Server, maria: Login, make_client: MakeClient
) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_for_log("connected")
    assert len(desk.tray_items()) == 1

    question = server.publish(maria, "alex", body="Lunch at 12:30?")
    client.wait_for_log(f"event {question} received")
    popup = wait_for(desk.hand.popups, "the popup")[0]
    desk.hand.click_in(popup, 60, 20)
    window = client.wait_for_window()
    client.wait_for_log(f"opened {question}")
    client.wait_until_focused(window)
    client.write("Yes, see you there")

    sql = "SELECT sender_id, reply_to FROM messages WHERE content ->> 'body' = 'Yes, see you there'"
    alex = server.rows("SELECT id FROM users WHERE name = 'alex'")[0][0]
    assert wait_for(lambda: server.rows(sql), "the answer in the server's database") == [(alex, question)]
    wait_for(lambda: not desk.hand.popups(), "the popup to go, for what is open is read")
    unread = "SELECT count(*) FROM views WHERE user_id = ? AND unread = 1"
    wait_for(lambda: server.rows(unread, alex) == [(0,)], "the server to know that it was read")


def test_the_next_start_signs_in_from_the_keyring(desk: Desk, server: Server, make_client: MakeClient) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_for_log("connected")
    assert client.stop() == 0
    client.start()
    client.wait_for_log("connected")
    assert client.windows(SIGN_IN) == []
    assert not (client.profile / "token.json").exists()
    kept = [*client.profile.rglob("*"), *Path(desk.env["XDG_RUNTIME_DIR"]).glob("deskbell-*")]
    assert len(kept) >= 5
    assert [path for path in kept if path.stat().st_mode & 0o077] == []  # for its user only
    token_of = "SELECT count(*) FROM devices WHERE revoked_at IS NULL"
    assert server.rows(token_of) == [(1,)]


def test_a_second_start_raises_the_first(desk: Desk, client: Client) -> None:
    for workspace in (0, 2):
        desk.hand.go_to_workspace(workspace)
        assert client.windows() == []
        assert client.start_again() == 0
        client.wait_until_focused(client.wait_for_window())
        assert desk.hand.workspace() == workspace
    assert client.process.exit_code is None


def test_a_click_on_the_tray_icon_opens_the_window(desk: Desk, client: Client) -> None:
    desk.click_tray()
    client.wait_until_focused(client.wait_for_window())


def test_it_ends_in_order_when_its_session_does(desk: Desk, server: Server, maria: Login, client: Client) -> None:
    server.publish(maria, "alex", body="Lunch?")
    desk.hand.click_in(wait_for(desk.hand.popups, "the popup")[0], 60, 20)
    client.wait_until_focused(client.wait_for_window())
    wait_for(lambda: not desk.hand.popups(), "the popup to go")
    desk.hand.type("Yes, at")
    server.publish(server.login("陈晓明", PASSWORD, "phone"), "alex", body="FYI")
    desk.choose(wait_for(desk.hand.popups, "another popup")[0], "Reply")
    client.wait_until_focused(client.wait_for_window("Answer to 陈晓明"))
    desk.hand.type("Noted")
    server.publish(maria, "alex", body="Or at one?")
    wait_for(desk.hand.popups, "a popup, for nobody looks at the window")
    client.process.signal(signal.SIGHUP)
    assert client.process.wait() == 0
    wait_for(lambda: not desk.hand.popups(), "the popup to be taken along")
    assert client.rows("SELECT text FROM drafts ORDER BY text") == [("Noted",), ("Yes, at",)]


def test_reply_is_chosen_on_the_popup(desk: Desk, server: Server, maria: Login, alex: Login, client: Client) -> None:
    question = server.publish(maria, "alex", body="Lunch?")
    desk.choose(wait_for(desk.hand.popups, "the popup")[0], "Reply")
    answer = client.wait_for_window("Answer to Maria Garcia")
    wait_for(lambda: not desk.hand.popups(), "the answered popup to go")
    server.publish(server.login("陈晓明", PASSWORD, "phone"), "alex", body="And now?")
    assert not wait_for(desk.hand.popups, "another popup")[0].overlaps(answer)
    assert client.rows("SELECT unread FROM messages") == [(1,), (1,)]
    client.wait_until_focused(answer)
    client.write("From the popup")
    sql = "SELECT reply_to FROM messages WHERE content ->> 'body' = 'From the popup'"
    assert wait_for(lambda: server.rows(sql), "the answer in the server's database") == [(question,)]
    assert client.windows() == []


def test_mark_read_is_chosen_on_the_popup(desk: Desk, server: Server, maria: Login, client: Client) -> None:
    server.publish(maria, "alex", body="FYI")
    wait_for(lambda: client.rows("SELECT unread FROM messages") == [(1,)], "the message, unread")
    desk.choose(wait_for(desk.hand.popups, "the popup")[0], "Mark read")
    wait_for(lambda: client.rows("SELECT unread FROM messages") == [(0,)], "it to be read")
    wait_for(lambda: not desk.hand.popups(), "the popup to go")
    assert client.windows() == []


def test_a_new_message_is_written_to_somebody(desk: Desk, server: Server, alex: Login, client: Client) -> None:
    client.start_again()
    client.wait_until_focused(client.wait_for_window())
    desk.hand.press("ctrl+n")
    desk.hand.type("maria")
    desk.hand.press("Tab")
    client.write("Good morning")
    wait_for(lambda: server.bodies_from(alex) == ["Good morning"], "the message in the server's database")


def test_what_is_on_the_screen_already_does_not_ring(desk: Desk, server: Server, maria: Login, client: Client) -> None:
    first = server.publish(maria, "alex", body="one")
    popup = wait_for(desk.hand.popups, "the popup")[0]
    desk.hand.click_in(popup, 60, 20)
    client.wait_for_log(f"opened {first}")
    client.wait_until_focused(client.wait_for_window())
    wait_for(lambda: not desk.hand.popups(), "the popup to go")
    with desk.bus.watch("Notify") as notify:
        second = server.publish(maria, "alex", body="two")
        client.wait_for_log(f"event {second} received")
        sql = "SELECT unread FROM messages ORDER BY n"
        wait_for(lambda: client.rows(sql) == [(0,), (0,)], "both to be read")
        assert notify.calls == []
