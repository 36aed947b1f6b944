"""What the tests stand on: screens, session buses, desktops and services, all real, private, and ended by process id.

What is not on this machine makes its tests skip and say why; under DESKBELL_REQUIRE_SERVICES=1, which `dev.py test`
sets after it has installed everything, it makes them fail.
"""

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.desk.bus import Bus
from tests.desk.desktop import Desk, Parts, missing_programs
from tests.desk.processes import free_port
from tests.desk.screen import Screen
from tests.desk.services import REDIS, find_postgres, running_postgres, running_redis

REQUIRED = os.environ.get("DESKBELL_REQUIRE_SERVICES") == "1"
ARTIFACTS = Path(__file__).parent.parent / "artifacts"


def absent(what: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(f"{what} is not installed, and this run must not skip it: `python3 dev.py test` installs it")
    pytest.skip(f"{what} is not installed (`python3 dev.py test` installs it)")


def require(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            absent(program)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short name: a socket's path may have 107 bytes, and pytest's own folders are long."""
    with tempfile.TemporaryDirectory(prefix="deskbell-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="deskbell-run-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL runs as another user below it
        yield Path(name)


# -- which tests, and beside which others -------------------------------------------------------------------------

REAL = {
    *("screen", "bus", "desk", "make_desk", "scratch"),
    *("redis_url", "own_redis", "postgres", "postgres_server"),
    *("server", "furnished", "fresh", "house", "people_of_the_house", "shared_servers", "site"),
    *("browser", "npm_folder", "wheel"),
}
"""Fixtures that start programs or ask npm: a test with one of them is `real`; `dev.py test --quick` leaves it out."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("screen") or any(fixture.argname in REAL for fixture in fixtures(item)):
            item.add_marker("real")
    if hasattr(config, "workerinput"):
        arrange(items)


def arrange(items: list[pytest.Item]) -> None:
    """For several workers, each of which takes one file after the other: first the longest, so that none comes last.

    That is the file with the longest test, and among those without one that with the most tests that start something.
    """
    longest: dict[Path, float] = {}
    started: Counter[Path] = Counter()
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0.0), patience(item))
        started[item.path] += item.get_closest_marker("real") is not None
    items.sort(key=lambda item: (-longest[item.path], -started[item.path]))


def fixtures(item: pytest.Item) -> Iterator[pytest.FixtureDef[object]]:
    """Those of our own that the test stands on, near or far; without its parameters."""
    assert isinstance(item, pytest.Function)
    for found in item._fixtureinfo.name2fixturedefs.values():
        if found[-1].func.__module__ != "_pytest.python":
            yield found[-1]


def patience(item: pytest.Item) -> float:
    """The seconds that a test which needs longer than others asks for; 0 for those."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark else 0.0


for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # by a script or nohup: what is started here would inherit that
        signal.signal(number, lambda _number, _frame: None)


# -- screens ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def default_screen(session_folder: Path) -> Iterator[Screen | None]:
    """One screen for all widget tests of the run, so that they neither need nor touch the person's own display.

    None, and Qt draws into memory, where there is no Xvfb or the caller chose a platform.
    """
    if os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb" or shutil.which("Xvfb") is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        yield None
        return
    place = session_folder / "screen"
    place.mkdir()
    with Screen(place) as screen:
        os.environ.update(DISPLAY=screen.display, QT_QPA_PLATFORM="xcb")
        os.environ.pop("WAYLAND_DISPLAY", None)
        yield screen


@pytest.fixture(scope="session")
def qapp_args(default_screen: Screen | None) -> list[str]:
    """pytest-qt makes its application with these; asking for the screen here starts it first, and only for Qt."""
    return ["deskbell-tests"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("screen") and os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        pytest.skip("needs a real X screen, and QT_QPA_PLATFORM asks for another")
    if item.get_closest_marker("screen"):
        require("Xvfb")


@pytest.fixture
def screen(folder: Path) -> Iterator[Screen]:
    """A screen of the test's own, with nothing on it."""
    require("Xvfb")
    place = folder / "own-screen"
    place.mkdir()
    with Screen(place) as own:
        yield own


# -- buses and desktops -------------------------------------------------------------------------------------------


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    """A session bus with nobody on it and nothing that would start by itself."""
    require("dbus-daemon")
    place = folder / "bus"
    place.mkdir()
    with Bus(place) as own:
        yield own


@pytest.fixture
def session_bus(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of that bus, which is also this process's session bus meanwhile."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    return bus.address


def require_desk() -> None:
    for program in missing_programs():
        absent(program)


@pytest.fixture
def desk(folder: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A whole desktop of the test's own; parametrized with `Parts(panel=False)`, indirectly, a poorer one."""
    require_desk()
    parts = getattr(request, "param", Parts())
    with Desk(folder / "desk", parts) as own:
        request.node.stash[DESKS] = [own]
        yield own


@pytest.fixture
def keyring_daemon(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desktop whose unlocked keyring this process sees."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, desk.env[name])
    return desk


# -- evidence -----------------------------------------------------------------------------------------------------

DESKS = pytest.StashKey[list[Desk]]()
"""The desktops of a test, pictured before anything on them is cleared away."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and report.when != "teardown":
        for desk in item.stash.get(DESKS, []):
            name = "".join(letter if letter.isalnum() else "-" for letter in item.name)
            desk.save_evidence(ARTIFACTS / name / desk.folder.name)
    return report


# -- services -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_url(session_folder: Path) -> Iterator[str]:
    """A Redis of this run; tests share it and use keys of their own."""
    require(REDIS)
    place = session_folder / "redis"
    place.mkdir()
    with running_redis(place) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server(session_folder: Path) -> Iterator[str]:
    programs = find_postgres()
    if programs is None:
        absent("PostgreSQL")
    place = session_folder / "postgres"
    place.mkdir()
    with running_postgres(place, programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database of the test's own."""
    import psycopg
    from psycopg import sql

    name = f"test_{free_port()}_{os.getpid()}"
    admin = postgres_server.replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres_server.removesuffix("/postgres") + f"/{name}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(name="free_port")
def free_port_fixture() -> int:
    return free_port()
