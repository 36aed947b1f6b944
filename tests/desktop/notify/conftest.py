"""A notification daemon that obeys, on a bus of the test's own, and the notifier under test."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress
from PySide6.QtCore import QObject

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.freedesktop import FreedesktopNotifier
from deskbell_desktop.notify.notifier import Notifier
from deskbell_desktop.qt.session_bus import SessionBus
from deskbell_protocol.wire import Party
from tests.desk.bus import Bus
from tests.desk.processes import Child

NAME = "org.freedesktop.Notifications"
CONTROL = DBusAddress("/test", NAME, "org.deskbell.Test")
MARIA = Party("u1", "maria", "Maria Garcia")


class Daemon:
    """The fake, as a process that can be stopped, frozen and started again."""

    def __init__(self, bus: Bus, folder: Path, *arguments: str) -> None:
        self._bus = bus
        program = Path(__file__).with_name("fake_fdo.py")
        env = {"DBUS_SESSION_BUS_ADDRESS": bus.address, "PATH": os.environ["PATH"]}
        self.process = Child([sys.executable, str(program), *arguments], folder / "fake_fdo.log", env=env)
        self.process.wait_until(lambda: bus.has_name(NAME), NAME)

    def calls(self, name: str = "Notify") -> list[dict[str, Any]]:
        raw = self._bus.call(CONTROL, "Calls")[0]
        assert isinstance(raw, str)
        return [call for call in json.loads(raw) if call["call"] == name]

    def invoke(self, number: int, action: str, token: str = "") -> None:
        self._bus.call(CONTROL, "Invoke", "uss", (number, action, token))

    def reply(self, number: int, text: str) -> None:
        self._bus.call(CONTROL, "Reply", "us", (number, text))

    def expire(self, number: int) -> None:
        self._bus.call(CONTROL, "Close", "uu", (number, 1))

    def dismiss(self, number: int) -> None:
        self._bus.call(CONTROL, "Close", "uu", (number, 2))

    def stop(self) -> None:
        self.process.stop()


StartDaemon = Callable[..., Daemon]


@pytest.fixture
def start_daemon(bus: Bus, folder: Path) -> Iterator[StartDaemon]:
    started: list[Daemon] = []

    def start(*arguments: str) -> Daemon:
        started.append(Daemon(bus, folder, *arguments))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


class Spare(Notifier):
    """The next candidate: remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Popup] = []
        self.withdrawn: list[str] = []

    def show(self, popup: Popup) -> None:
        self.shown.append(popup)

    def withdraw(self, key: str) -> None:
        self.withdrawn.append(key)

    def close(self) -> None:
        pass


class Heard(QObject):
    """Every signal of a notifier, in order."""

    def __init__(self, notifier: Notifier) -> None:
        super().__init__()
        self.events: list[tuple[str, ...]] = []
        notifier.opened.connect(lambda key: self.events.append(("opened", key, notifier.activation_token)))
        notifier.reply_requested.connect(lambda key: self.events.append(("reply_requested", key)))
        notifier.read_requested.connect(lambda key: self.events.append(("read_requested", key)))
        notifier.replied.connect(lambda key, text: self.events.append(("replied", key, text)))
        notifier.left.connect(lambda key, text: self.events.append(("left", key, text)))
        notifier.closed.connect(lambda key: self.events.append(("closed", key)))


@pytest.fixture
def session(bus: Bus, qapp: object) -> Iterator[SessionBus]:
    session = SessionBus(bus.address, answer_ms=2000)
    yield session
    session.close()


@pytest.fixture
def notifier(session: SessionBus) -> FreedesktopNotifier:
    return FreedesktopNotifier(session)
