"""What time it is: the one place where the tray program asks, and hands it in (the core has no clock)."""

import time

from deskbell_desktop.core.events import Moment
from deskbell_protocol.ids import now_ms


def now() -> Moment:
    return Moment(now_ms(), steady())


def steady() -> float:
    """Seconds by a clock that nobody sets, and that counts the computer's sleep where the system has such a one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
