"""The pictures of every window can be made, on a real screen, in both languages, schemes and densities."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

WINDOWS = [
    "window",
    "unread",
    "closed",
    "compose",
    "search",
    "empty",
    "loading",
    "broken",
    "away",
    "welcome",
    "signed-out",
    "login",
    "login-http",
    "login-server",
    "popup",
    "reply",
    "tray",
    "family",
]


@pytest.mark.screen
def test_every_window_has_its_picture(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "deskbell_desktop.qt.gallery", str(tmp_path)], check=True, timeout=110)
    tags = ["light-en", "dark-en", "light-zh", "dark-zh", "light-zh@2x"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{w}-{t}.png" for w in WINDOWS for t in tags)
    for path in tmp_path.iterdir():
        image = QImage(str(path))
        colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
        assert len(colours) > 5, path.name
    plain, dense = QImage(str(tmp_path / "window-light-zh.png")), QImage(str(tmp_path / "window-light-zh@2x.png"))
    assert (dense.width(), dense.height()) == (2 * plain.width(), 2 * plain.height())
