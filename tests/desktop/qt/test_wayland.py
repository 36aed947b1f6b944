"""A real Wayland compositor, which draws to no screen: what Qt does not have there is not asked of it."""

import os
import sys
from pathlib import Path

from tests.conftest import require
from tests.desk.bus import Bus
from tests.desk.processes import Child

POOR = {key: value for key, value in os.environ.items() if key != "DISPLAY"}


def test_nothing_is_complained_of_on_wayland(bus: Bus, folder: Path) -> None:
    require("weston")
    (folder / "run").mkdir(mode=0o700)
    env = POOR | {"XDG_RUNTIME_DIR": str(folder / "run"), "DBUS_SESSION_BUS_ADDRESS": bus.address}
    compositor = ["weston", "--backend=headless-backend.so", "--socket=desk"]
    with Child(compositor, folder / "weston.log", env=env) as weston:
        weston.wait_until((folder / "run/desk").exists, "the compositor")
        env |= {"WAYLAND_DISPLAY": "desk", "QT_QPA_PLATFORM": "wayland"}
        with Child([sys.executable, "-m", "tests.desktop.qt.wayland_program"], folder / "out.log", env=env) as program:
            assert program.wait() == 0
    assert program.log.read_text() == ""
