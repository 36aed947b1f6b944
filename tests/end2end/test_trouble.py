"""What can be missing or go wrong around a client: it says so, loses nothing, and works again afterwards."""

import contextlib
import signal
import socket
import subprocess

import pytest

from tests.desk.client import SIGN_IN, Client
from tests.desk.desktop import Desk, Parts
from tests.desk.processes import wait_for
from tests.desk.screen import Area
from tests.desk.server import Login, Server
from tests.end2end.conftest import PASSWORD, MakeClient

pytestmark = pytest.mark.screen

TASK_LIST = Area(20, 4, 180, 22)
"""Where the panel shows the first window of its list."""


def open_window(desk: Desk, client: Client) -> None:
    client.start_again()
    client.wait_until_focused(client.wait_for_window())


def open_by_popup(desk: Desk, client: Client) -> None:
    popup = wait_for(desk.hand.popups, "the popup")[0]
    desk.hand.click_in(popup, 60, 20)
    client.wait_until_focused(client.wait_for_window())


def waiting_in_outbox(client: Client) -> int:
    return int(client.rows("SELECT count(*) FROM outbox")[0][0])


# -- the server ---------------------------------------------------------------------------------------------------


def test_a_server_that_was_gone_gets_what_was_written_meanwhile(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="before")
    open_by_popup(desk, client)
    server.process.signal(signal.SIGKILL)
    client.wait_for_log("disconnected")
    client.write("written while it was gone")
    wait_for(lambda: waiting_in_outbox(client) == 1, "the message in the outbox")
    client.forget_log()
    server.start()
    client.wait_for_log("connected", 40)
    wait_for(lambda: server.bodies_from(alex) == ["written while it was gone"], "it in the server's database")
    wait_for(lambda: waiting_in_outbox(client) == 0, "the outbox to be empty")
    server.publish(maria, "alex", body="after")
    expected = [("before",), ("written while it was gone",), ("after",)]
    sql = "SELECT content ->> 'body' FROM messages ORDER BY n"
    wait_for(lambda: client.rows(sql) == expected, "all three in the client's store")


def test_what_was_written_outlives_the_program(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="before")
    open_by_popup(desk, client)
    server.stop()
    client.wait_for_log("disconnected")
    client.write("then the power went")
    wait_for(lambda: waiting_in_outbox(client) == 1, "the message in the outbox")
    client.process.signal(signal.SIGKILL)
    client.process.wait()
    server.start()
    client.start()
    wait_for(lambda: server.bodies_from(alex) == ["then the power went"], "it in the server's database", 20)


def test_what_somebody_who_is_gone_cannot_get_is_told_on_the_screen(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="Lunch?")
    popup = wait_for(desk.hand.popups, "the popup")[0]
    server.command("user", "disable", "maria")
    with desk.bus.watch("Notify") as notify:
        desk.choose(popup, "Reply")
        client.wait_until_focused(client.wait_for_window("Answer to Maria Garcia"))
        client.write("To nobody")
        wait_for(lambda: notify.calls, "the popup of what was not sent")
        told = ("Not sent to maria", "Nobody here is called “maria”.\nTo nobody", ["default", "Open"])
        assert [call[3:6] for call in notify.calls] == [told]
    client.forget_log()
    desk.hand.click_in(wait_for(desk.hand.popups, "it")[0], 60, 20)
    client.wait_until_focused(client.wait_for_window())
    assert client.rows("SELECT json_extract(item, '$.told'), json_extract(item, '$.state') FROM outbox") == [
        (1, "failed")
    ]
    client.wait_for_log("opened")


def test_a_revoked_device_is_asked_to_sign_in_and_keeps_its_outbox(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="before")
    open_by_popup(desk, client)
    server.stop()
    client.wait_for_log("disconnected")
    client.write("not lost")
    wait_for(lambda: waiting_in_outbox(client) == 1, "the message in the outbox")
    server.command("device", "revoke", str(alex.device["id"]))
    server.start()
    client.wait_for_window(SIGN_IN, 40)
    assert waiting_in_outbox(client) == 1
    assert server.bodies_from(alex) == []
    client.forget_log()
    client.sign_in_again(PASSWORD)
    client.wait_for_log("connected")
    wait_for(lambda: server.bodies_from(alex) == ["not lost"], "it in the server's database")


def test_a_device_revoked_while_connected_hides_everything_at_once_and_the_same_person_finds_it_again(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="before")
    open_by_popup(desk, client)
    desk.hand.type("half a sen")
    server.publish(server.login("陈晓明", PASSWORD, "phone"), "alex", body="not for other eyes")
    wait_for(desk.hand.popups, "the popup")
    office = server.login("alex", PASSWORD, "office")
    assert server.ask("DELETE", f"/api/v1/devices/{alex.device['id']}", token=office.token).status in (200, 204)
    client.wait_for_window(SIGN_IN)
    assert client.windows() == []
    wait_for(lambda: not desk.hand.popups(), "the popup to be taken off")
    client.forget_log()
    client.sign_in_again(PASSWORD)
    client.wait_for_log("connected")
    assert client.rows("SELECT text FROM drafts") == [("half a sen",)]
    open_window(desk, client)


def test_a_wrong_password_can_be_mended(desk: Desk, make_client: MakeClient) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", "wrong horse")
    client.wait_until_refused()
    assert client.logged("connected") == []
    client.sign_in_again(PASSWORD)
    client.wait_for_log("connected")


def test_no_server_there_can_be_waited_for(desk: Desk, server: Server, make_client: MakeClient) -> None:
    server.stop()
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_until_refused()
    server.start()
    desk.hand.press("Return")  # nothing has to be typed anew
    client.wait_for_log("connected")


def test_a_server_that_takes_the_call_and_is_silent_need_not_be_waited_for(desk: Desk, make_client: MakeClient) -> None:
    """As behind a firewall, or where TLS hangs."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        client = make_client(desk).start(server=f"https://127.0.0.1:{silent.getsockname()[1]}")
        client.sign_in("alex", PASSWORD)
        taken, _ = silent.accept()
        with taken:
            taken.settimeout(5)
            assert taken.recv(1) == b"\x16"  # its handshake has begun
            desk.hand.press("Escape")
            wait_for(lambda: not taken.recv(65536), "the connection to be given up", 5)
        assert client.windows(SIGN_IN)
        client.sign_in_again(PASSWORD)  # the form is there for the next attempt
        again, _ = silent.accept()
        again.close()
        client.wait_until_refused()


# -- the keyring --------------------------------------------------------------------------------------------------


def test_a_locked_keyring_asks_for_the_password(desk: Desk, make_client: MakeClient) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_for_log("connected")
    client.stop()
    desk.lock_keyring()
    client.start()
    client.wait_for_window(SIGN_IN)
    client.sign_in_again(PASSWORD)
    client.wait_for_log("connected")


@pytest.mark.parametrize("desk", [Parts(keyring=False)], indirect=True)
def test_that_nothing_can_be_kept_is_told_also_where_the_first_window_is_closed(
    desk: Desk, make_client: MakeClient
) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_for_log("popup notice shown")
    client.wait_until_focused(client.wait_for_window())
    desk.hand.press("ctrl+w")
    wait_for(lambda: not client.windows(), "the window to leave the bell in the tray")
    popup = wait_for(desk.hand.popups, "the popup")[0]
    desk.hand.click_in(popup, 60, 20)
    client.wait_until_focused(client.wait_for_window())
    assert len(client.logged("popup notice shown")) == 1


@pytest.mark.parametrize("desk", [Parts(keyring=False)], indirect=True)
def test_no_keyring_keeps_nothing_and_asks_at_each_start(desk: Desk, make_client: MakeClient) -> None:
    client = make_client(desk).start()
    client.sign_in("alex", PASSWORD)
    client.wait_for_log("connected")
    client.stop()
    assert not (client.profile / "token.json").exists()
    client.forget_log()
    client.start()
    client.wait_for_window(SIGN_IN)


# -- this computer ------------------------------------------------------------------------------------------------


def test_a_damaged_store_is_put_aside_and_filled_again(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    for number in range(3):
        server.publish(maria, "alex", body=f"message {number}")
    wait_for(lambda: client.rows("SELECT count(*) FROM messages") == [(3,)], "the messages")
    client.stop()
    client.store.write_bytes(b"SQLite format 3\0" + b"\xa5" * 8192)
    client.start()
    client.wait_for_log("connected")
    sql = "SELECT content ->> 'body' FROM messages ORDER BY n"
    wait_for(lambda: client.rows(sql) == [(f"message {number}",) for number in range(3)], "the messages again")
    assert [path for path in client.profile.iterdir() if "damaged" in path.name]


@pytest.mark.parametrize("desk", [Parts(notifications=False)], indirect=True)
def test_without_a_notification_daemon_our_own_popup_shows(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    message = server.publish(maria, "alex", body="Lunch?")
    popup = client.wait_for_window("Maria Garcia")
    desk.hand.click_in(popup, 60, 20)
    client.wait_until_focused(client.wait_for_window())
    client.wait_for_log(f"opened {message}")
    client.write("Yes")
    wait_for(lambda: server.bodies_from(alex) == ["Yes"], "the answer in the server's database")


@pytest.mark.parametrize("desk", [Parts(notifications=False)], indirect=True)
def test_our_own_popup_stands_in_no_list_of_windows(desk: Desk, server: Server, maria: Login, client: Client) -> None:
    server.publish(maria, "alex", body="Lunch?")
    popup = client.wait_for_window("Maria Garcia")
    assert desk.screen.is_plain(TASK_LIST)
    low = popup.height
    server.publish(maria, "alex", body="A longer message, which goes over several lines of a popup. " * 4)
    wait_for(lambda: client.windows("Maria Garcia")[0].height > low + 40, "the popup to grow with its words")
    assert desk.screen.is_plain(TASK_LIST)
    open_window(desk, client)
    wait_for(lambda: not desk.screen.is_plain(TASK_LIST), "the window in the panel's list")


def test_a_notification_daemon_that_dies_is_replaced_and_taken_again(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    desk.end("dunst")
    server.publish(maria, "alex", body="nobody shows this natively")
    client.wait_for_window("Maria Garcia")
    desk.start_notifications()
    client.wait_for_log("shows popups again")
    chen = server.login("陈晓明", PASSWORD)
    server.publish(chen, "alex", body="native again")
    wait_for(desk.hand.popups, "the native popup")


@pytest.mark.parametrize("desk", [Parts(panel=False)], indirect=True)
def test_without_a_tray_it_ends_when_it_is_told_to(desk: Desk, client: Client) -> None:
    client.wait_for_window()
    assert client.stop() == 0


@pytest.mark.parametrize("desk", [Parts(panel=False)], indirect=True)
def test_without_a_tray_the_window_is_the_way_in(desk: Desk, client: Client) -> None:
    window = client.wait_for_window()
    desk.hand.close(window)
    wait_for(lambda: not client.windows(), "the window to be minimised")
    assert client.process.exit_code is None
    client.start_again()
    client.wait_for_window()
    desk.start_panel()
    wait_for(desk.tray_items, "the icon in the panel that came later")


# -- what people write --------------------------------------------------------------------------------------------

HOSTILE = [
    "<b>bold?</b> & <script>alert(1)</script>",
    "<img src=file:///etc/passwd><img src='http://127.0.0.1:9/x.png'>",
    "![x](file:///etc/passwd) [click](javascript:alert(1))",
    "<table><tr><td>" * 25 + "deep" + "</td></tr></table>" * 25,
    "> " * 300 + "quote",
    "\u202egnp.exe\u202c 陈晓明 😀👨‍👩‍👧‍👦 \u0301\u0301\u0301\u0301",
    "x" * 16_000,
    "\n" * 4000 + "end",
]


def test_whatever_is_written_is_shown_as_text_and_freezes_nothing(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    for body in HOSTILE:
        server.publish(maria, "alex", body=body, title=body[:50].strip())
    sql = "SELECT content ->> 'body' FROM messages ORDER BY n"
    wait_for(lambda: client.rows(sql) == [(body,) for body in HOSTILE], "all of it in the store")
    open_window(desk, client)
    desk.hand.press("ctrl+Home")
    open_by_popup(desk, client)
    client.write("still here")
    wait_for(lambda: server.bodies_from(alex) == ["still here"], "the answer in the server's database")


def test_a_message_that_is_too_long_is_kept_and_said(
    desk: Desk, server: Server, maria: Login, alex: Login, client: Client
) -> None:
    server.publish(maria, "alex", body="write me a novel")
    open_by_popup(desk, client)
    answer = server.ask("POST", "/api/v1/messages", {"to": ["maria"], "body": "x" * 17_000}, alex.token)
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    answer = server.ask("POST", "/api/v1/messages", {"to": ["nobody"], "body": "x"}, alex.token)
    assert (answer.status, answer.body["code"]) == (422, "unknown_recipient")
    assert "nobody" in answer.body["message"]


# -- the disk -----------------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_before_the_end_and_in_its_exit_code(desk: Desk, server: Server, alex: Login) -> None:
    server.publish(server.login("maria", PASSWORD, "phone"), "alex", body="before")
    client = Client(desk, server)
    client.profile.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", client.profile], check=False).returncode:
        pytest.skip("a small disk of its own needs root")
    try:
        with client.sign_in_beforehand(alex).start():
            open_by_popup(desk, client)
            server.stop()
            client.wait_for_log("disconnected")
            with (client.profile / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
                while True:
                    rest.write(b"x" * 4096)
            client.write("nowhere to keep it")
            window = client.wait_for_window()
            desk.hand.press("ctrl+q")
            question = wait_for(lambda: [w for w in client.windows() if w.id != window.id], "the question")[0]
            client.wait_until_focused(question)
            desk.hand.press("Escape")
            wait_for(lambda: [w.id for w in client.windows()] == [window.id], "the question to be gone")
            client.process.signal(signal.SIGTERM)
            assert client.process.wait() == 1
            assert "cannot write to this computer's disk" in client.complaints()
    finally:
        subprocess.run(["umount", "-l", client.profile], check=True)
