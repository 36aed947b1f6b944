"""The crossing between threads: order, completeness, and a window that stays alive in a burst."""

import threading
import time

from PySide6.QtCore import QThread, QTimer
from pytestqt.qtbot import QtBot

from deskbell_desktop.qt.bridge import Bridge

POSTERS = 8
EACH = 500


def test_nothing_is_lost_and_each_thread_keeps_its_order(qtbot: QtBot) -> None:
    bridge = Bridge()
    got: list[tuple[int, int]] = []
    bridge.event_posted.connect(got.append)

    def post_all(who: int) -> None:
        for number in range(EACH):
            bridge.post((who, number))

    threads = [threading.Thread(target=post_all, args=(who,)) for who in range(POSTERS)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(got) == POSTERS * EACH)
    for thread in threads:
        thread.join()
    for who in range(POSTERS):
        assert [number for poster, number in got if poster == who] == list(range(EACH))


def test_events_come_out_on_the_thread_of_the_bridge(qtbot: QtBot) -> None:
    bridge = Bridge()
    where: list[QThread] = []
    bridge.event_posted.connect(lambda _event: where.append(QThread.currentThread()))
    thread = threading.Thread(target=bridge.post, args=(1,))
    thread.start()
    qtbot.waitUntil(lambda: len(where) == 1)
    thread.join()
    assert where == [bridge.thread()]


def test_a_burst_leaves_the_loop_alive(qtbot: QtBot) -> None:
    bridge = Bridge()
    count = 0

    def slow(_event: object) -> None:
        nonlocal count
        count += 1
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass

    bridge.event_posted.connect(slow)
    beats: list[int] = []
    heart = QTimer()
    heart.timeout.connect(lambda: beats.append(count))
    heart.start(0)
    for number in range(300):
        bridge.post(number)
    qtbot.waitUntil(lambda: count == 300)
    assert len({beat for beat in beats if 0 < beat < 300}) >= 10  # the heart beat in the middle of it


def test_a_handler_that_fails_does_not_stop_the_next_event(qtbot: QtBot) -> None:
    bridge = Bridge()
    got: list[object] = []

    def handle(event: object) -> None:
        got.append(event)
        if event == 1:
            raise ValueError("on purpose")

    bridge.event_posted.connect(handle)
    with qtbot.captureExceptions() as errors:
        for number in (1, 2, 3):
            bridge.post(number)
        qtbot.waitUntil(lambda: got == [1, 2, 3])
    assert [kind for kind, *_rest in errors] == [ValueError]
