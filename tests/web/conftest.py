"""A server with people, and browsers for them. Without Chromium these tests say so and are skipped."""

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import vendor
from tests.conftest import ARTIFACTS, absent
from tests.desk.server import Server
from tests.web.chromium import Person, find_chromium, running_browser

PASSWORD = "correct horse"

PEOPLE = pytest.StashKey[list[Person]]()
"""The browsers of a test, pictured before they are closed."""
MakePerson = Callable[..., Person]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and report.when == "call":
        name = "".join(letter if letter.isalnum() else "-" for letter in item.name)
        still_there = [made for made in item.stash.get(PEOPLE, []) if not made.page.is_closed()]
        for number, made in enumerate(still_there):
            made.save_picture(ARTIFACTS / name / f"page-{number}.png")
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: while Playwright runs it owns the thread's event loop, which other tests want too."""
    if find_chromium() is None:
        absent("chromium")
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def people_of_the_house(session_folder: Path) -> Path:
    """A data folder with three people: alex, an admin, maria and 陈晓明."""
    vendor.bring()
    place = session_folder / "house"
    place.mkdir()
    server = Server(place)
    server.add_user("alex", PASSWORD, "--admin", "--display", "Alex Kim")
    server.add_users({"maria": "Maria Garcia", "陈晓明": "陈晓明"}, PASSWORD)
    return server.data


@contextmanager
def running_house(data: Path, folder: Path, options: tuple[str, ...]) -> Iterator[Server]:
    with Server(folder, "--publish-rate", "0", *options) as server:
        shutil.copytree(data, server.data)
        yield server.start()


def options_of(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """`OPTIONS` of the test's module are its server's options."""
    return tuple(getattr(request.module, "OPTIONS", ()))


@pytest.fixture
def house(people_of_the_house: Path, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Their server, running, the test's own."""
    with running_house(people_of_the_house, folder, options_of(request)) as server:
        yield server


@pytest.fixture(scope="module")
def house_of_the_module(people_of_the_house: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """One for a module whose tests leave nothing behind that another would stumble over."""
    with (
        tempfile.TemporaryDirectory(prefix="deskbell-", ignore_cleanup_errors=True) as name,
        running_house(people_of_the_house, Path(name), options_of(request)) as server,
    ):
        yield server


@pytest.fixture
def person(browser: Browser, house: Server, request: pytest.FixtureRequest) -> Iterator[MakePerson]:
    """Makes people at browsers of their own. A page's complaint that the test does not take fails it."""
    people: list[Person] = request.node.stash.setdefault(PEOPLE, [])

    def make(name: str = "", **options: object) -> Person:
        made = Person(browser, house, **options)
        people.append(made)
        return made.sign_in(name, PASSWORD) if name else made

    yield make
    for made in people:
        made.close()
    assert [complaint for made in people for complaint in made.complaints] == []
