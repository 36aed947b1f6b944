"""The pin of PySide6: 6.12.0 on Python 3.11 loses a reference of True and None at each emit, and aborts after 570."""

import sys

import pytest
from PySide6.QtCore import QObject, Signal

EMITS = 2000
NOISE = 50


class Sender(QObject):
    told = Signal(int)
    said = Signal(object)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal, whatever is counted")
def test_emitting_keeps_the_references_of_true_and_none(qapp: object) -> None:
    sender = Sender()
    heard: list[object] = []
    sender.said.connect(heard.append)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _number in range(EMITS):
        sender.told.emit(1)
        sender.said.emit(None)
        sender.blockSignals(False)
    heard.clear()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert [abs(b - a) < NOISE for a, b in zip(before, after, strict=True)] == [True, True], (before, after)
