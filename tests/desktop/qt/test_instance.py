"""One program per profile: raised by the second, freed by a death, and deaf to nonsense."""

import hashlib
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from deskbell_desktop.qt.instance import Other
from tests.desk.processes import Child

Start = Callable[..., Child]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    started: list[Child] = []
    (folder / "run").mkdir(mode=0o700)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "run"), "QT_QPA_PLATFORM": "offscreen"}

    def begin(profile: str, *token: str) -> Child:
        program = Path(__file__).with_name("instance_program.py")
        log = folder / f"start-{len(started)}.log"
        started.append(Child([sys.executable, str(program), str(folder / profile), *token], log, env=env))
        return started[-1]

    yield begin
    for child in started:
        child.stop()


def says(child: Child, words: str) -> None:
    child.wait_until(lambda: words in child.log.read_text(), words)


def test_the_second_start_raises_the_first_and_ends(start: Start) -> None:
    first = start("a")
    says(first, "first")
    second = start("a", "token-1")
    assert second.wait() == 0
    says(first, "raised 'token-1'")
    assert second.log.read_text() == "second: Deskbell runs already; its window was asked to open.\n"


def test_one_that_hangs_is_named_and_not_waited_for(start: Start) -> None:
    first = start("a")
    says(first, "first")
    first.signal(signal.SIGSTOP)
    second = start("a")
    assert second.wait() == 1
    assert "does not answer" in second.log.read_text()
    first.signal(signal.SIGCONT)


def test_one_on_another_screen_is_named(start: Start) -> None:
    first = start("a", "", ":0")
    says(first, "first")
    second = start("a", "", ":7")
    assert second.wait() == 1
    assert "on another screen (:0)" in second.log.read_text()
    assert start("a", "here", ":0").wait() == 0
    says(first, "raised 'here'")
    assert "raised ''" not in first.log.read_text()


def test_a_lock_file_whose_writer_is_dead_is_nobody(start: Start, folder: Path) -> None:
    """Its process id is another program's by now."""
    digest = hashlib.sha256(str((folder / "a").resolve()).encode()).hexdigest()[:16]
    name = Path("/proc/self/exe").readlink().name
    left = folder / "run" / f"deskbell-{digest}.lock"
    left.write_text(f"{os.getpid()}\n{name}\n{socket.gethostname()}\n")
    says(start("a"), "first")


def test_where_no_lock_can_be_made_it_starts_and_says_so(start: Start, folder: Path) -> None:
    digest = hashlib.sha256(str((folder / "a").resolve()).encode()).hexdigest()[:16]
    (folder / "run" / f"deskbell-{digest}.lock").mkdir()
    first = start("a")
    says(first, f"first Deskbell cannot tell whether it runs already: {folder}/run/deskbell-{digest}.lock")
    assert start("a", "token-1").wait() == 0  # the socket tells all the same
    says(first, "raised 'token-1'")


@pytest.mark.parametrize("mode", [None, 0o777, 0o750])
def test_without_a_folder_of_ones_own_the_profile_serves(mode: int | None, start: Start, folder: Path) -> None:
    runtime = folder / "run"
    if mode is None:
        runtime.rmdir()
    else:
        runtime.chmod(mode)
    says(start("a"), "first")
    assert start("a").wait() == 0
    assert {path.suffix for path in (folder / "a").iterdir()} == {"", ".lock"}
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o700
    assert not runtime.exists() or not list(runtime.iterdir())


def test_another_profile_is_another_program(start: Start) -> None:
    says(start("a"), "first")
    says(start("b"), "first")


def test_a_killed_one_frees_its_place(start: Start) -> None:
    first = start("a")
    says(first, "first")
    first.signal(signal.SIGKILL)
    first.wait()
    says(start("a"), "first")


def test_of_many_at_once_one_is_first(start: Start) -> None:
    children = [start("a") for _number in range(6)]
    for child in children:
        child.wait_until(lambda c=child: c.log.read_text().strip(), "a word")  # type: ignore[misc]
    assert sorted(child.log.read_text().split()[0].strip(":") for child in children) == ["first"] + ["second"] * 5


def test_nonsense_on_the_socket_is_not_obeyed(start: Start, folder: Path) -> None:
    first = start("a")
    says(first, "first")
    (path,) = [p for p in (folder / "run").iterdir() if p.is_socket()]
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    for nonsense in (b"\n", b"quit now\n", b"x" * 100_000, b"raise\n", b"raise\t\x1b[31m\t\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            try:
                client.sendall(nonsense)
                client.shutdown(socket.SHUT_WR)
                client.recv(1)
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert start("a", "good").wait() == 0
    says(first, "raised 'good'")
    assert first.log.read_text().splitlines() == ["first", "raised ''", "raised 'good'"]


def test_who_has_no_terminal_is_told_in_a_window(qtbot: QtBot) -> None:
    read: list[str] = []

    def close() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        read.append(box.text())
        box.close()

    QTimer.singleShot(0, close)
    assert Other("It hangs.").tell(read.append) == 1
    assert read == ["It hangs.", "It hangs."]
    assert Other("It came.", shown=True).tell(read.append) == 0
    assert read[2:] == ["It came."]
