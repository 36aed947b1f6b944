"""Times on the screen follow the day and the time zone while the program runs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import ConversationView
from deskbell_desktop.qt.calendar import Calendar
from deskbell_desktop.qt.conversation_list import ConversationList
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.window import MainWindow
from tests.conftest import absent
from tests.desktop.qt.conftest import MARIA, part, said, talk

HOUR = 3_600_000


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    time.tzset()


def make_it(monkeypatch: pytest.MonkeyPatch, hour: int) -> None:
    """The time zone in which it is `hour` o'clock."""
    west = (time.gmtime().tm_hour - hour + 12) % 24 - 12
    monkeypatch.setenv("TZ", f"XXX{west:+d}")


def headings(messages: MessageList) -> list[str]:
    bubbles = [messages.bubble(number) for number in range(len(messages.messages.rows))]
    return [bubble._day.text for bubble in bubbles if bubble._day]


@pytest.mark.usefixtures("zone")
def test_midnight_and_another_time_zone_are_followed(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    calendar, messages, rows = part(window, Calendar), part(window, MessageList), part(window, ConversationList)
    make_it(monkeypatch, 12)
    calendar.look()
    now = round(time.time() * 1000)
    window.show_messages(talk(), [said(1, at=now - 4 * HOUR), said(2, at=now - HOUR)], has_older=False)
    window.show_conversations([ConversationView(MARIA.id, (MARIA,), "Maria", "Hello", False, now - 4 * HOUR, 0)], "u1")
    assert headings(messages) == ["Today"]
    before = rows.grab().toImage()
    make_it(monkeypatch, 2)
    with qtbot.waitSignal(calendar.turned):
        calendar.look()
    assert headings(messages) == ["Yesterday", "Today"]
    assert rows.grab().toImage() != before
    with qtbot.assertNotEmitted(calendar.turned):
        calendar.look()


CHILD = """
import os, sys
from PySide6.QtCore import QCoreApplication
from deskbell_desktop.qt import words
from deskbell_desktop.qt.calendar import Calendar
application = QCoreApplication([])
calendar = Calendar()
calendar.turned.connect(lambda: print(words.clock(0), words.day(0), flush=True))
for zone in ("Asia/Shanghai", "America/New_York", "America/New_York"):
    os.symlink(f"/usr/share/zoneinfo/{zone}", "/etc/localtime.new")
    os.replace("/etc/localtime.new", "/etc/localtime")
    calendar.look()
"""


@pytest.mark.real
def test_a_running_program_follows_the_file_of_the_system(tmp_path: Path) -> None:
    """In a mount namespace of its own, where `/etc` is another."""
    if not Path("/usr/share/zoneinfo/Asia/Shanghai").exists():
        absent("tzdata")
    within = f"mount --bind {tmp_path} /etc && exec {sys.executable} -c '{CHILD}'"
    environment = {key: value for key, value in os.environ.items() if key != "TZ"} | {"LC_ALL": "C.UTF-8"}
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    done = subprocess.run([*unshare, within], env=environment, capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr:
        absent("unshare")
    assert done.stdout.splitlines() == ["08:00 719163", "19:00 719162"], done.stderr
