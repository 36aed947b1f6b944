"""What came while nobody was there, what comes all at once, and what was read somewhere else."""

from collections.abc import Callable

import pytest

from tests.desk.client import Client
from tests.desk.desktop import Desk
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server
from tests.desk.wire import Wire
from tests.end2end.conftest import PASSWORD, MakeClient

pytestmark = pytest.mark.screen

WAITED = 250
BURST = 1000


def numbered(count: int, to: str = "alex") -> list[dict[str, object]]:
    return [{"cid": f"cid-{number}", "to": [to], "body": f"message {number}"} for number in range(count)]


def bodies(count: int) -> list[tuple[str]]:
    return [(f"message {number}",) for number in range(count)]


def test_messages_that_waited_are_all_there_in_order_under_one_popup(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    assert client.stop() == 0
    with Wire(server, maria) as wire:
        answers = wire.send_all(numbered(WAITED))
    assert all(answer["ok"] for answer in answers)
    with desk.bus.watch("Notify") as notify:
        client.start()
        wait_for(lambda: client.rows("SELECT count(*) FROM messages") == [(WAITED,)], "all messages", 20)
        assert client.rows("SELECT content ->> 'body' FROM messages ORDER BY n") == bodies(WAITED)
        assert client.rows("SELECT count(DISTINCT seq) FROM messages") == [(WAITED,)]
        wait_for(lambda: notify.calls, "the summary")
        wait_for(desk.hand.popups, "the summary on the screen")
        assert len(notify.calls) == 1
        assert str(WAITED) in str(notify.calls[0][3])


def test_messages_of_several_people_that_waited_are_summed_up(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    client.stop()
    chen = server.login("陈晓明", PASSWORD)
    for sender in (maria, chen):
        for number in range(5):
            server.publish(sender, "alex", body=f"message {number}")
    with desk.bus.watch("Notify") as notify:
        client.start()
        wait_for(lambda: notify.calls, "the summary")
        summary = notify.calls[0]
    assert "10" in str(summary[3])
    assert "Maria Garcia" in str(summary[4])
    assert "陈晓明" in str(summary[4])


def test_a_burst_loses_nothing_and_shows_at_most_five_popups(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    with desk.bus.watch("Notify") as notify:
        ids = server.publish_at_once(maria, [{"to": ["alex"], "body": f"message {number}"} for number in range(BURST)])
        assert len(set(ids)) == BURST
        wait_for(lambda: client.rows("SELECT count(*) FROM messages") == [(BURST,)], "all messages", 30)
        last = client.rows("SELECT id FROM messages ORDER BY n DESC LIMIT 1")[0][0]
        client.wait_for_log(f"popup {last} shown", 30)
        calls = notify.calls
    log = "SELECT content ->> 'body' FROM views WHERE user_id = ? AND kind = 'message' ORDER BY seq"
    assert client.rows("SELECT content ->> 'body' FROM messages ORDER BY n") == server.rows(log, client.user_id)
    assert 1 <= len([call for call in calls if call[1] == 0]) <= 5
    assert client.process.exit_code is None


def test_reading_on_one_device_clears_the_popup_on_the_other(
    desk: Desk, server: Server, maria: Login, client: Client, make_desk: Callable[..., Desk], make_client: MakeClient
) -> None:
    home = make_desk("home")
    other = make_client(home, "home").sign_in_beforehand(server.login("alex", PASSWORD, "home")).start()
    other.wait_for_log("connected")
    message = server.publish(maria, "alex", body="seen once is enough")
    popup = wait_for(desk.hand.popups, "the popup at the desk")[0]
    wait_for(home.hand.popups, "the popup at home")

    desk.hand.click_in(popup, 60, 20)
    client.wait_for_log(f"opened {message}")
    wait_for(lambda: not home.hand.popups(), "the popup at home to go", 8)  # before a head would come
    wait_for(lambda: other.rows("SELECT unread FROM messages") == [(0,)], "it to be read at home")


def test_what_was_written_on_one_device_stands_on_the_other(
    server: Server, client: Client, make_desk: Callable[..., Desk], make_client: MakeClient
) -> None:
    other = make_client(make_desk("home"), "home").sign_in_beforehand(server.login("alex", PASSWORD, "home")).start()
    other.wait_for_log("connected")
    server.publish(server.login("alex", PASSWORD, "script"), "maria", body="mine, from elsewhere")
    sql = "SELECT content ->> 'body', mine, unread FROM messages"
    expected = [("mine, from elsewhere", 1, 0)]
    wait_for(lambda: client.rows(sql) == other.rows(sql) == expected, "the message on both")
