"""One program per profile: raised by the second, freed by a death, and deaf to nonsense."""

import os
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
    assert "second" in second.log.read_text()


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
    assert sorted(child.log.read_text().split()[0] for child in children) == ["first"] + ["second"] * 5


def test_nonsense_on_the_socket_is_not_obeyed(start: Start, folder: Path) -> None:
    first = start("a")
    says(first, "first")
    (path,) = [p for p in (folder / "run").iterdir() if p.is_socket()]
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    for nonsense in (b"\n", b"quit now\n", b"x" * 100_000, b"raise \x1b[31m\n"):
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
