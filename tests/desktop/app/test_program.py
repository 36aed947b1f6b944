"""The program as a process, without a desktop around it: it starts, says what it lacks, and ends cleanly."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk.processes import Child, wait_for
from tests.desk.screen import Screen

ROOT = Path(__file__).parents[3]
BLOCKED = "import sys; sys.modules[{name!r}] = None; sys.argv = ['deskbell', *sys.argv[1:]];"
MAIN = "from deskbell_desktop.__main__ import main; sys.exit(main())"
POOR = {key: value for key, value in os.environ.items() if not key.startswith(("DBUS_", "DISPLAY", "DESKBELL_"))}
ENV = {**POOR, "QT_QPA_PLATFORM": "offscreen", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}


def run(program: str, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        env=ENV,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["PySide6", "aiohttp", "socketio", "keyring"])
def test_what_is_not_installed_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    done = run(BLOCKED.format(name=name) + MAIN, "--profile", str(tmp_path))
    assert done.returncode == 1
    assert f"{name} not installed" in done.stderr
    assert f"{sys.executable} -m pip install '.[desktop]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_needs_nothing_installed() -> None:
    done = run(BLOCKED.format(name="PySide6") + MAIN, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("deskbell 0.")


def test_the_core_and_its_tests_know_no_qt() -> None:
    program = (
        "import sys; sys.modules['PySide6'] = None; import pytest;"
        "sys.exit(pytest.main(['-q', '-p', 'no:pytest-qt', '-p', 'no:cacheprovider', '-W',"
        "'ignore::pytest.PytestConfigWarning', 'tests/desktop/core', '--collect-only']))"
    )
    done = run(program)
    assert done.returncode == 0, done.stdout


def start(tmp_path: Path, *args: str, env: dict[str, str] = ENV) -> Child:
    command = [sys.executable, "-m", "deskbell_desktop", "--profile", str(tmp_path / "profile"), *args]
    return Child(command, tmp_path / "out.log", env=env)


def log_of(tmp_path: Path) -> str:
    path = tmp_path / "profile" / "deskbell.log"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_without_bus_tray_or_server_it_waits_and_ends_when_told(tmp_path: Path, number: int) -> None:
    child = start(tmp_path, "--server", "http://127.0.0.1:1")
    wait_for(lambda: "tray icon made" in log_of(tmp_path), "the tray", 20)
    wait_for(lambda: "shows no popups" in log_of(tmp_path), "the popups' way to be chosen", 20)
    child.signal(number)
    assert child.wait() == 0
    assert "ended" in log_of(tmp_path)
    assert "Traceback" not in (tmp_path / "out.log").read_text()


INTERRUPTED = """
import contextlib, os, signal, sys
from deskbell_desktop.__main__ import main

class Swallows:
    def find_spec(self, name, *_):
        if name == "deskbell_desktop.app":
            with contextlib.suppress(BaseException):
                os.kill(os.getpid(), signal.SIGINT)
            sys.exit("went on")

sys.meta_path.insert(0, Swallows())
main()
"""


def test_an_interrupt_while_the_parts_load_ends_it() -> None:
    assert subprocess.run([sys.executable, "-c", INTERRUPTED], env=ENV, check=False).returncode == -signal.SIGINT


def test_without_its_parts_it_says_how_to_get_them() -> None:
    """As where only the server's were installed."""
    code = (
        "import sys; sys.modules['platformdirs'] = None; from deskbell_desktop.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENV, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("deskbell: platformdirs not installed. In the clone of Deskbell, run: ")


@pytest.mark.parametrize(
    ("screen", "why"),
    [
        ({}, "there is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set"),
        ({"DISPLAY": ":471"}, "the screen :471 (DISPLAY) cannot be reached"),
        (
            {"WAYLAND_DISPLAY": "/none/wayland-1"},
            "the screen /none/wayland-1 (WAYLAND_DISPLAY) cannot be reached",
        ),
        ({"WAYLAND_DISPLAY": "/none/wayland-1", "DISPLAY": ":471"}, "the screen :471 (DISPLAY) cannot be reached"),
    ],
)
def test_without_a_screen_it_says_so(tmp_path: Path, screen: dict[str, str], why: str) -> None:
    screens = {"QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY", "XDG_RUNTIME_DIR"}
    env = {key: value for key, value in ENV.items() if key not in screens} | screen
    command = [sys.executable, "-m", "deskbell_desktop", "--profile", str(tmp_path)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, f"deskbell: {why}\n")


def test_where_wayland_is_gone_the_other_screen_is_taken(screen: Screen, tmp_path: Path) -> None:
    env = {key: value for key, value in ENV.items() if key != "QT_QPA_PLATFORM"}
    env |= {"WAYLAND_DISPLAY": "/none/wayland-1", "DISPLAY": screen.display}
    with start(tmp_path, env=env) as program:
        program.wait_until(lambda: "tray icon made" in log_of(tmp_path), "the tray", 20)


def test_a_second_start_of_the_profile_leaves_at_once(tmp_path: Path) -> None:
    first = start(tmp_path)
    wait_for(lambda: "tray icon made" in log_of(tmp_path), "the tray", 20)
    second = start(tmp_path)
    assert second.wait() == 0
    assert first.exit_code is None
    (tmp_path / "another").mkdir()
    other = start(tmp_path / "another")
    wait_for(lambda: "tray icon made" in log_of(tmp_path / "another"), "the other profile's tray", 20)
    assert other.stop() == 0
    assert first.stop() == 0


def test_a_profile_that_cannot_be_written_is_no_reason_not_to_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deskbell_desktop", "--profile", "/proc/deskbell"]
    child = Child(command, tmp_path / "out.log", env=ENV)
    wait_for(lambda: "tray icon made" in (tmp_path / "out.log").read_text(), "the tray", 20)
    assert child.stop() == 0


def test_no_sources_are_kept_of_what_is_imported() -> None:
    program = (
        "import linecache; from deskbell_desktop.qt.import_hook import import_without_hook\n"
        "import_without_hook()\n"
        "import deskbell_desktop.app, deskbell_desktop.io.socket\n"
        "print([name for name in linecache.cache if '/deskbell_desktop/' in name or '/asyncio/' in name])"
    )
    done = run(program)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_context_that_aiohttp_makes_for_itself_trusts_nobody() -> None:
    program = (
        "import ssl; from deskbell_desktop.io.lean_tls import trusting_nobody\n"
        "with trusting_nobody(): import aiohttp.connector\n"
        "made = aiohttp.connector._SSL_CONTEXT_VERIFIED\n"
        "print(made.cert_store_stats()['x509_ca'], made.verify_mode.name, made.check_hostname)\n"
        "print(ssl.create_default_context().verify_mode.name)"
    )
    assert run(program).stdout.split() == ["0", "CERT_REQUIRED", "True", "CERT_REQUIRED"]


def test_only_one_http_library_is_loaded(tmp_path: Path) -> None:
    program = (
        "import sys; from deskbell_desktop.app import UNUSED\n"
        "for name in UNUSED: sys.modules.setdefault(name, None)\n"
        "import deskbell_desktop.io.connection, keyring\n"
        "print(sorted(name for name in UNUSED if sys.modules.get(name)))"
    )
    done = run(program)
    assert done.stdout.strip() == "[]", done.stderr
