"""Read means seen, on the real screen: who has scrolled up is told of what came below, and reads it by going there."""

import pytest

from tests.desk.client import Client
from tests.desk.desktop import Desk
from tests.desk.processes import wait_for
from tests.desk.server import Login, Server

pytestmark = pytest.mark.screen

HERE = "SELECT content ->> 'body' FROM messages WHERE unread = 1 ORDER BY n"
THERE = "SELECT content ->> 'body' FROM views WHERE user_id = ? AND unread = 1 ORDER BY seq"
UP, DOWN = 4, 5
"""The wheel, as X counts buttons."""


def test_scrolled_up_an_ordinary_message_is_counted_an_urgent_one_rings_and_neither_is_read(
    desk: Desk, server: Server, maria: Login, client: Client
) -> None:
    def unread() -> tuple[list[str], list[str]]:
        return [row[0] for row in client.rows(HERE)], [row[0] for row in server.rows(THERE, client.user_id)]

    def turn(wheel: int) -> None:
        for _ in range(10):
            desk.hand.click(window.x + window.width - 200, window.y + 300, wheel)

    def all_read_on_the_way_down() -> bool:
        turn(DOWN)
        return unread() == ([], [])

    for number in range(20):
        server.publish(maria, "alex", body=f"message {number}")
    desk.click_tray()
    window = client.wait_for_window()
    client.wait_until_focused(window)
    desk.hand.press("alt+Down")
    wait_for(lambda: unread()[0][:1] not in ([], ["message 0"]), "what stands in the view to be read")
    assert "message 19" in unread()[1]
    wait_for(all_read_on_the_way_down, "all of it, seen one after the other, to be read")
    wait_for(lambda: not desk.hand.popups(), "the popups to go")

    turn(UP)
    with desk.bus.watch("Notify") as notify:
        ordinary = server.publish(maria, "alex", body="ordinary")
        client.wait_for_log(f"event {ordinary} received")
        urgent = server.publish(maria, "alex", body="urgent", priority="urgent")
        client.wait_for_log(f"popup {urgent} shown")
        wait_for(desk.hand.popups, "its popup")
        assert ["urgent" in str(call[4]) for call in notify.calls] == [True]
    client.wait_for_window(r"^Deskbell \(2\)$")
    assert unread() == (["ordinary", "urgent"],) * 2
    turn(DOWN)
    wait_for(lambda: unread() == ([], []), "both to be read where they are seen")
    wait_for(lambda: not desk.hand.popups(), "the popup to go")
