"""The fixtures are tools: each is tried once here, so that a broken tool is not taken for a broken program."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis
from jeepney import DBusAddress

from deskbell_server.process.config import DATABASE_NAME
from tests.desk.bus import Bus
from tests.desk.desktop import Desk
from tests.desk.processes import Child, NotInTimeError, leftovers, wait_for
from tests.desk.screen import Screen
from tests.desk.server import Server

NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
)


def test_a_condition_that_never_holds_names_what_was_waited_for() -> None:
    with pytest.raises(NotInTimeError, match="the bell"):
        wait_for(lambda: False, "the bell", timeout=0.05)


def test_a_program_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo famous last words; exit 3"], tmp_path / "sh.log")
    with pytest.raises(NotInTimeError, match=r"ended with 3 before the door(.|\n)*famous last words"):
        child.wait_until(lambda: False, "the door")


def test_a_stubborn_program_is_ended_all_the_same(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], tmp_path / "sh.log")
    child.wait_until(lambda: "ready" in child.log.read_text(), "the trap")
    assert child.stop(patience=0.2) == -9


def test_a_screen_is_pictured_as_it_is(screen: Screen, tmp_path: Path) -> None:
    screen.paint(0x102030)
    picture = screen.save(tmp_path / "screen.png")
    from PySide6.QtGui import QImage

    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1280, 800)
    assert image.pixelColor(3, 3).name() == "#102030"


def test_nobody_is_on_a_new_bus(bus: Bus) -> None:
    assert not bus.has_name("org.freedesktop.Notifications")
    assert not bus.has_name("org.freedesktop.secrets")


@pytest.mark.screen
def test_a_desk_shows_a_popup_that_a_click_ends_and_leaves_nothing(folder: Path) -> None:
    with Desk(folder / "desk") as desk:
        desk.bus.call(NOTIFICATIONS, "Notify", "susssasa{sv}i", ("t", 0, "", "Title", "Body", [], {}, -1))
        popup = desk.hand.find("--class", "Dunst", what="the popup")
        desk.hand.click_in(popup, 20, 20)
        wait_for(lambda: not desk.hand.popups(), "the popup to close")
    assert leftovers(str(folder)) == []


@pytest.mark.screen
def test_the_keyring_keeps_and_locks(desk: Desk) -> None:
    assert in_keyring_program(desk, "backend.set_password('deskbell', 'me', 's3'); print('kept')") == "kept"
    assert in_keyring_program(desk, "print(backend.get_password('deskbell', 'me'))") == "s3"
    desk.lock_keyring()
    assert "KeyringLocked" in in_keyring_program(desk, "print(backend.get_password('deskbell', 'me'))")


def in_keyring_program(desk: Desk, statement: str) -> str:
    """The last line that a program on the desk prints. (A locked keyring makes the library forget an open socket.)"""
    program = f"from keyring.backends.SecretService import Keyring\nbackend = Keyring()\n{statement}"
    done = subprocess.run([sys.executable, "-c", program], env=desk.env, capture_output=True, text=True, timeout=20)
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def test_the_servers_database_is_found_among_any_folders(tmp_path: Path) -> None:
    server = Server(tmp_path)
    for name in map(str, range(20)):
        (server.data / name).mkdir(parents=True)
    with closing(sqlite3.connect(server.data / DATABASE_NAME)) as connection:
        connection.execute("CREATE TABLE devices (id)")
    assert server.rows("SELECT count(*) FROM devices") == [(0,)]


def test_redis_answers(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def test_each_test_has_its_own_postgres_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (0,)
