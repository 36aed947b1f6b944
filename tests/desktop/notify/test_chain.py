"""What happens when the desktop's popups fail: the next candidate shows them, a warning says so, and nothing waits."""

import logging
import signal
import time
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.freedesktop import FreedesktopNotifier
from deskbell_desktop.notify.notifier import Notifier, NullNotifier, make_notifier
from deskbell_desktop.qt.session_bus import SessionBus
from tests.desk.bus import Bus
from tests.desktop.notify.conftest import MARIA, Heard, Spare, StartDaemon

HELLO = Popup("c1", "Maria Garcia", "Lunch?", MARIA, "m1")


@pytest.fixture
def spare(qapp: object) -> Spare:
    return Spare()


@pytest.fixture
def chain(notifier: FreedesktopNotifier, spare: Spare) -> Notifier:
    return make_notifier([notifier, spare, NullNotifier()])


def warned(caplog: pytest.LogCaptureFixture, words: str) -> bool:
    return any(record.levelno == logging.WARNING and words in record.getMessage() for record in caplog.records)


def test_without_a_session_bus(
    monkeypatch: pytest.MonkeyPatch, spare: Spare, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    session = SessionBus()
    chain = make_notifier([FreedesktopNotifier(session), spare])
    session.open()
    chain.show(HELLO)
    qtbot.waitUntil(lambda: spare.shown == [HELLO])
    assert warned(caplog, "there is no session bus")
    chain.show(replace(HELLO, key="c2"))
    assert len(spare.shown) == 2


@pytest.mark.parametrize(
    "address", ["unix:path=/nowhere/at-all", "tcp:host=127.0.0.1,port=1", "nonsense", "unix:path=/dev/null"]
)
def test_a_bus_address_that_leads_nowhere(address: str, spare: Spare, qtbot: QtBot) -> None:
    session = SessionBus(address)
    chain = make_notifier([FreedesktopNotifier(session), spare])
    chain.show(HELLO)
    session.open()
    qtbot.waitUntil(lambda: spare.shown == [HELLO])


def test_a_bus_without_a_daemon_and_one_that_comes_later(
    start_daemon: StartDaemon,
    session: SessionBus,
    chain: Notifier,
    spare: Spare,
    qtbot: QtBot,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session.open()
    chain.show(HELLO)
    qtbot.waitUntil(lambda: spare.shown == [HELLO])
    assert warned(caplog, "no notification daemon")
    daemon = start_daemon()

    def native() -> bool:
        chain.show(replace(HELLO, key="later"))
        return bool(daemon.calls())

    qtbot.waitUntil(native)
    assert "later" in spare.withdrawn  # what the spare showed meanwhile does not stand beside it


def test_the_bus_dies_in_the_middle(
    start_daemon: StartDaemon,
    bus: Bus,
    session: SessionBus,
    notifier: FreedesktopNotifier,
    chain: Notifier,
    spare: Spare,
    qtbot: QtBot,
    caplog: pytest.LogCaptureFixture,
) -> None:
    daemon = start_daemon()
    session.open()
    chain.show(HELLO)
    qtbot.waitUntil(lambda: len(daemon.calls()) == 1 and not notifier._shown["c1"].asked)
    bus.stop()
    chain.show(replace(HELLO, key="c2"))
    qtbot.waitUntil(lambda: [popup.key for popup in spare.shown] == ["c2"])
    assert warned(caplog, "session bus")
    chain.withdraw("c1")
    chain.close()


def test_a_frozen_daemon_stops_nothing_and_its_late_popup_is_taken_back(
    start_daemon: StartDaemon,
    session: SessionBus,
    notifier: FreedesktopNotifier,
    chain: Notifier,
    spare: Spare,
    qtbot: QtBot,
) -> None:
    daemon = start_daemon()
    session.open()
    qtbot.waitUntil(lambda: notifier._capabilities is not None)
    beats: list[float] = []
    heart = QTimer()
    heart.timeout.connect(lambda: beats.append(time.monotonic()))
    heart.start(10)
    daemon.process.signal(signal.SIGSTOP)
    took = []
    for number in range(60):
        began = time.monotonic()
        chain.show(replace(HELLO, key=f"c{number}"))
        took.append(time.monotonic() - began)
    assert median(took) < 0.5, "an answer is waited for two seconds"
    qtbot.waitUntil(lambda: len(spare.shown) == 60)
    assert median(later - earlier for earlier, later in pairwise(beats)) < 0.5
    daemon.process.signal(signal.SIGCONT)
    qtbot.waitUntil(lambda: len(daemon.calls("CloseNotification")) == 60)
    chain.show(replace(HELLO, key="again"))
    qtbot.waitUntil(lambda: len(daemon.calls()) == 61)


def test_a_frozen_bus_stops_nothing(
    start_daemon: StartDaemon,
    bus: Bus,
    session: SessionBus,
    notifier: FreedesktopNotifier,
    chain: Notifier,
    spare: Spare,
    qtbot: QtBot,
) -> None:
    start_daemon()
    session.open()
    qtbot.waitUntil(lambda: notifier._capabilities is not None)
    bus._daemon.signal(signal.SIGSTOP)
    try:
        slowest = 0.0
        for number in range(300):  # more than a socket's buffer holds
            began = time.monotonic()
            chain.show(replace(HELLO, key=f"c{number}"))
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 5.0, "one that waited for an answer would wait until the bus goes on"
        qtbot.waitUntil(lambda: len(spare.shown) == 300)
    finally:
        bus._daemon.signal(signal.SIGCONT)


def test_a_daemon_that_refuses_one_popup_gets_the_next(
    start_daemon: StartDaemon,
    session: SessionBus,
    notifier: FreedesktopNotifier,
    chain: Notifier,
    spare: Spare,
    qtbot: QtBot,
) -> None:
    start_daemon("--refuse")
    session.open()
    chain.show(HELLO)
    qtbot.waitUntil(lambda: spare.shown == [HELLO])
    assert chain.current is notifier  # type: ignore[attr-defined]


def test_the_token_goes_up_with_the_click(
    start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, chain: Notifier, qtbot: QtBot
) -> None:
    daemon = start_daemon()
    session.open()
    heard = Heard(chain)
    chain.show(HELLO)
    qtbot.waitUntil(lambda: len(daemon.calls()) == 1 and notifier._shown["c1"].id == 1)
    daemon.invoke(1, "default", token="wl-9")
    qtbot.waitUntil(lambda: ("opened", "c1", "wl-9") in heard.events)
    assert notifier.activation_token == ""


def test_the_last_of_the_chain_says_it_in_the_log(qapp: object, caplog: pytest.LogCaptureFixture) -> None:
    chain = make_notifier([NullNotifier()])
    chain.show(HELLO)
    chain.withdraw("c1")
    chain.close()
    assert warned(caplog, "c1")
    assert "Lunch" not in caplog.text
