"""Our notifier with a real daemon on a real screen, clicked with a real pointer."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.freedesktop import FreedesktopNotifier
from deskbell_desktop.qt.session_bus import SessionBus
from tests.desk.desktop import Desk, Parts
from tests.desktop.notify.conftest import MARIA, Heard

HELLO = Popup("c1", "Maria Garcia", "Lunch at 12:30?", MARIA, "m1")

pytestmark = [pytest.mark.screen, pytest.mark.parametrize("desk", [Parts(panel=False, keyring=False)], indirect=True)]


@pytest.fixture
def native(desk: Desk, qapp: object) -> Iterator[FreedesktopNotifier]:
    session = SessionBus(desk.bus.address)
    yield FreedesktopNotifier(session)
    session.close()


@pytest.fixture(autouse=True)
def opened(native: FreedesktopNotifier) -> None:
    native._bus.open()


def test_a_click_on_the_popup_opens(desk: Desk, native: FreedesktopNotifier, qtbot: QtBot) -> None:
    heard = Heard(native)
    native.show(HELLO)
    qtbot.waitUntil(lambda: bool(desk.hand.popups()))
    desk.hand.click_in(desk.hand.popups()[0], 60, 20)
    qtbot.waitUntil(lambda: heard.events[:1] == [("opened", "c1", "")])
    qtbot.waitUntil(lambda: not desk.hand.popups())


def test_it_is_replaced_and_withdrawn(desk: Desk, native: FreedesktopNotifier, qtbot: QtBot) -> None:
    heard = Heard(native)
    native.show(HELLO)
    native.show(replace(HELLO, body="13:00 then"))
    qtbot.waitUntil(lambda: bool(desk.hand.popups()))
    qtbot.waitUntil(lambda: not native._shown["c1"].asked and native._shown["c1"].popup.body == "13:00 then")
    assert count(desk, "displayed") == 1
    native.withdraw("c1")
    qtbot.waitUntil(lambda: heard.events == [("closed", "c1")])
    qtbot.waitUntil(lambda: not desk.hand.popups())


def test_markup_arrives_as_letters(desk: Desk, native: FreedesktopNotifier, qtbot: QtBot) -> None:
    native.show(replace(HELLO, title="<b>T</b> & co", body="<b>x</b> <img src='file:///etc/passwd'/> &amp;"))
    qtbot.waitUntil(lambda: bool(desk.hand.popups()))
    native.withdraw("c1")
    qtbot.waitUntil(lambda: count(desk, "history") == 1)
    (entry,) = json.loads(dunstctl(desk, "history"))["data"][0]
    # What is left after the daemon read its markup is what was written.
    assert "&lt;b&gt;x&lt;/b&gt; &lt;img src='file:///etc/passwd'/&gt; &amp;amp;" in entry["body"]["data"]
    assert entry["summary"]["data"] == "<b>T</b> & co"


def count(desk: Desk, what: str) -> int:
    return int(dunstctl(desk, "count", what))


def dunstctl(desk: Desk, *arguments: str) -> str:
    return subprocess.run(
        ["dunstctl", *arguments], env=desk.env, capture_output=True, text=True, check=True, timeout=10
    ).stdout
