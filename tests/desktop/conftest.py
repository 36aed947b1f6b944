"""What all tests of the desktop program have in common."""

from functools import partial
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.desk.processes import PATIENCE_S


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """As patient as `wait_for` where a test does not say how long."""
    bot: Any = qtbot
    bot.waitUntil = partial(bot.waitUntil, timeout=round(PATIENCE_S * 1000))
    bot.waitSignal = partial(bot.waitSignal, timeout=round(PATIENCE_S * 1000))
    return qtbot
