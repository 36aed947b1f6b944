"""The README's first command, as somebody new runs it: without a display, with one, interrupted, and failing."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_desk
from tests.desk.desktop import Desk
from tests.desk.processes import Child, leftovers, wait_for

pytestmark = pytest.mark.screen

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def scratch(folder: Path) -> Iterator[Path]:
    """Where the demo may put its temporary files; nothing may be left there, nor any process that was told of it."""
    require_desk()
    place = folder / "tmp"
    place.mkdir()
    yield place
    assert list(place.iterdir()) == []
    assert leftovers(f"TMPDIR={place}") == []


def start_demo(folder: Path, scratch: Path, desk: Desk | None = None) -> Child:
    env = dict(desk.env) if desk else {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    env.pop("QT_QPA_PLATFORM", None)
    env.update(TMPDIR=str(scratch), PYTHONPATH=str(ROOT))
    return Child([sys.executable, "-m", "tests.demo"], folder / "demo.log", env=env, cwd=folder)


def test_without_a_display_it_walks_the_loop_alone(folder: Path, scratch: Path) -> None:
    with start_demo(folder, scratch) as demo:
        assert demo.wait(90) == 0, demo.log.read_text()
    text = demo.log.read_text()
    for step in ("connected", "popup", "open in the window", "the server has it on disk", "demo.png"):
        assert step in text
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")


def test_with_a_display_it_stays_and_its_curl_line_works(folder: Path, scratch: Path, desk: Desk) -> None:
    with start_demo(folder, scratch, desk) as demo:
        demo.wait_until(lambda: "Ctrl-C" in demo.log.read_text(), "what to try", 60)
        popup = wait_for(desk.hand.popups, "Maria's popup")[0]
        line = demo.log.read_text().split("    curl ", 1)[1].split("\n\n")[0]
        desk.hand.click_in(popup, 60, 20)
        window = desk.hand.find("--name", "^Deskbell", what="the window")
        wait_for(lambda: desk.hand.focused() == window.id, "the window to have the keyboard")
        desk.hand.type("Soup it is")
        desk.hand.press("ctrl+Return")
        demo.wait_until(lambda: "Soup it is" in demo.log.read_text(), "Maria to have the answer")
        desk.hand.close(window)
        with desk.bus.watch("Notify") as notify, Child(["sh", "-c", f"curl {line}"], folder / "curl.log", env=desk.env):
            wait_for(lambda: any("From the shell" in str(call) for call in notify.calls), "the popup of the curl line")
        demo.signal(signal.SIGINT)
        assert demo.wait() == 130


@pytest.mark.parametrize("moment", ["a desktop in memory", "connected"])
def test_an_interrupted_demo_leaves_nothing(folder: Path, scratch: Path, moment: str) -> None:
    with start_demo(folder, scratch) as demo:
        demo.wait_until(lambda: moment in demo.log.read_text(), moment, 60)
        demo.signal(signal.SIGTERM)
        assert demo.wait() == 143


def test_a_failing_demo_says_what_it_expected_and_shows_the_logs(folder: Path, scratch: Path) -> None:
    (folder / "sitecustomize.py").write_text("import tests.desk.hand\ntests.desk.hand.Hand.type = lambda *_: None\n")
    env = {key: value for key, value in os.environ.items() if "DISPLAY" not in key}
    env.update(TMPDIR=str(scratch), PYTHONPATH=f"{folder}:{ROOT}")
    with Child([sys.executable, "-m", "tests.demo"], folder / "demo.log", env=env, cwd=folder) as demo:
        assert demo.wait(90) == 1
    text = demo.log.read_text()
    assert "The demo stopped here: waited 20 s for “connected”" in text
    assert "--- server.log" in text
    assert "listening on" in text
    assert (folder / "artifacts/demo.png").exists()
