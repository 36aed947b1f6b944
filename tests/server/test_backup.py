"""Backup, restore, prune and retention, with the real commands beside a running server, on both kinds of database."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deskbell_server.store.backup import ending_in_order, written_whole
from tests.desk.processes import wait_for
from tests.desk.seen import with_views
from tests.desk.server import Login, Server
from tests.server.conftest import KINDS
from tests.server.wires import Wire

LogIn = Callable[[Server, str], Login]
Connect = Callable[[Server, str], Wire]


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, folder: Path, furnished: Path) -> Iterator[Server]:
    with Server(folder, "--publish-rate", "0") as own:
        shutil.copytree(furnished, own.data)
        if request.param == "postgres":
            own.database = request.getfixturevalue("postgres_office")
        yield own.start()


def texts(events: list[Any]) -> list[str]:
    return [event["data"]["body"] for event in events if event["kind"] == "message"]


def test_a_backup_while_it_runs_holds_all_that_was_acknowledged_before(
    house: Server, folder: Path, log_in: LogIn
) -> None:
    alice = log_in(house, "alice")
    before = [house.publish(alice, "bob", body=str(number)) for number in range(20)]
    ending = threading.Event()
    beside: list[str] = []

    def publish_on() -> None:
        while not ending.is_set():
            beside.append(house.publish(alice, "bob", "carol", body="beside"))

    thread = threading.Thread(target=publish_on)
    thread.start()
    try:
        target = folder / "a.backup"
        assert "Saved" in house.command("backup", str(target))
    finally:
        ending.set()
        thread.join(20)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in folder.glob("*a.backup*")] == ["a.backup"]
    with closing(sqlite3.connect(target)) as file:
        kept = {row[0] for row in file.execute(with_views("SELECT id FROM messages"))}
        assert set(before) <= kept <= set(before) | set(beside)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ((head,),) = file.execute("SELECT value FROM meta WHERE key = 'head'").fetchall()
        assert file.execute("SELECT count(*), max(seq) FROM log").fetchone() == (int(head), int(head))
    with pytest.raises(RuntimeError, match="exists"):
        house.command("backup", str(target))


def test_a_restore_is_refused_while_it_runs_and_gives_everything_back_after(
    house: Server, folder: Path, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    kept = [house.publish(alice, "bob", body=str(number)) for number in range(3)]
    wire = connect(house, bob.token)
    wire.ask("read", {"ids": kept[:1]})
    old = wire.sync()
    house.command("backup", str(folder / "a.backup"))
    house.publish(alice, "bob", body="after the backup")
    with pytest.raises(RuntimeError, match="a server runs"):
        house.command("restore", str(folder / "a.backup"))
    assert len(texts(wire.sync()["events"])) == 4
    house.stop()
    house.command("restore", str(folder / "a.backup"))
    house.start()
    again = connect(house, bob.token)
    answer = again.sync(old["epoch"], old["head"] + 1)
    assert answer["reset"]
    assert answer["epoch"] != old["epoch"]
    assert [event["id"] for event in answer["events"]] == [event["id"] for event in old["events"]]
    house.publish(alice, "bob", body="life goes on")
    assert again.wait_for("event")[0]["seq"] == old["head"] + 1


def test_a_forced_restore_tells_the_connected(house: Server, folder: Path, log_in: LogIn, connect: Connect) -> None:
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    house.publish(alice, "bob", body="kept")
    house.command("backup", str(folder / "a.backup"))
    for _ in range(3):
        house.publish(alice, "bob", body="lost")
    wire = connect(house, bob.token)
    old = wire.sync()
    house.command("restore", "--force", str(folder / "a.backup"))
    wait_for(lambda: any(head["epoch"] != old["epoch"] for head in wire.of("head")), "another epoch", 8.0)
    answer = wire.sync(old["epoch"], old["head"])
    assert answer["reset"]
    assert texts(answer["events"]) == ["kept"]
    house.publish(alice, "bob", body="new")
    pushed = wire.wait_for("event")[-1]
    assert (pushed["epoch"], pushed["seq"]) == (answer["epoch"], 2)


def test_a_backup_moves_between_the_kinds(
    house: Server,
    folder: Path,
    furnished_postgres: str,
    log_in: LogIn,
    request: pytest.FixtureRequest,
    connect: Connect,
) -> None:
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    for number in range(5):
        house.publish(alice, "bob", body=str(number))
    house.command("backup", str(folder / "a.backup"))
    place = folder / "other"
    place.mkdir()
    with Server(place) as other:
        if not house.database:
            other.database = request.getfixturevalue("postgres_url")
        other.command("restore", str(folder / "a.backup"))
        other.start()
        assert texts(connect(other, bob.token).sync()["events"]) == [str(number) for number in range(5)]
        again = place / "again.backup"
        other.command("backup", str(again))
        with closing(sqlite3.connect(again)) as file, closing(sqlite3.connect(folder / "a.backup")) as first:
            for table in ("users", "devices", "log", "members", "marks", "exceptions", "floors"):
                query = f"SELECT * FROM {table} ORDER BY 1, 2"
                if table == "devices":
                    query = "SELECT id, token_hash FROM devices ORDER BY id"
                assert file.execute(query).fetchall() == first.execute(query).fetchall()
        assert log_in(other, "alice").server == alice.server


@pytest.mark.parametrize("content", [b"", b"no backup at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_backup_changes_nothing(house: Server, folder: Path, log_in: LogIn, content: bytes) -> None:
    alice = log_in(house, "alice")
    house.publish(alice, "bob", body="b")
    house.stop()
    before = house.rows("SELECT value FROM meta WHERE key = 'epoch'")
    (folder / "bad").write_bytes(content)
    with pytest.raises(RuntimeError, match="Error"):
        house.command("restore", str(folder / "bad"))
    assert house.rows("SELECT value FROM meta WHERE key = 'epoch'") == before
    assert [json.loads(content)["body"] for (content,) in house.rows("SELECT content FROM messages")] == ["b"]


def test_pruning_moves_the_floor_and_a_client_from_below_is_reset(
    house: Server, log_in: LogIn, connect: Connect
) -> None:
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    wire = connect(house, bob.token)
    epoch = wire.sync()["epoch"]
    ids = [house.publish(alice, "bob", body=str(number)) for number in range(10)]
    wire.ask("read", {"ids": ids})
    assert "Forgot 0 entries" in house.command("prune", "--older-than", "1")
    assert "Forgot 6 entries" in house.command("prune", "--keep", "4")
    answer = wire.sync(epoch, 2)
    assert (answer["reset"], answer["after"], answer["upto"], answer["head"]) == (True, 2, 11, 11)
    assert [event["seq"] for event in answer["events"]] == [7, 8, 9, 10, 11]
    kept = wire.sync(epoch, 6)
    assert not kept.get("reset")
    assert house.rows("SELECT count(*) FROM messages") == [(4,)]
    assert house.rows("SELECT count(*), count(content) FROM log") == [(11, 5)]
    house.publish(alice, "bob", body="goes on")
    assert wire.wait_for("event", 12)[-1]["seq"] == 12
    page = house.ask("GET", "/api/v1/messages", token=bob.token).body
    assert texts(page["events"]) == ["goes on", "9", "8", "7", "6"]
    assert not page["more"]


def test_pruning_by_age_takes_only_what_is_old(house: Server, log_in: LogIn, connect: Connect) -> None:
    alice, bob = log_in(house, "alice"), log_in(house, "bob")
    for number in range(6):
        house.publish(alice, "bob", body=str(number))
    make_old(house, 3)
    assert "Forgot 3 entries" in house.command("prune", "--older-than", "7")
    answer = connect(house, bob.token).sync()
    assert texts(answer["events"]) == ["3", "4", "5"]
    assert "reset" not in answer, "a new device misses nothing"
    assert house.rows("SELECT min(seq) FROM log") == [(4,)]


def test_retention_prunes_by_itself(house: Server, log_in: LogIn) -> None:
    alice = log_in(house, "alice")
    for number in range(6):
        house.publish(alice, "bob", body=str(number))
    house.stop()
    house._options = ("--retention-events", "2")
    house.start()
    wait_for(lambda: house.rows("SELECT count(*) FROM messages") == [(2,)], "it to forget", 45, every=0.5)


@pytest.mark.parametrize("arguments", [(), ("--older-than", "0"), ("--keep", "-1")])
def test_pruning_everything_by_mistake_is_refused(house: Server, arguments: tuple[str, ...]) -> None:
    with pytest.raises(RuntimeError, match="Error"):
        house.command("prune", *arguments)


def make_old(server: Server, up_to: int) -> None:
    """The first entries of the log become a month older."""
    month = 30 * 86_400_000
    if server.database:
        import psycopg

        with psycopg.connect(server.database.replace("+psycopg", "")) as connection:
            connection.execute("UPDATE log SET at = at - %s WHERE seq <= %s", (month, up_to))
        return
    with closing(sqlite3.connect(server.data / "deskbell.db", timeout=10)) as file:
        file.execute("UPDATE log SET at = at - ? WHERE seq <= ?", (month, up_to))
        file.commit()


def test_what_is_interrupted_leaves_no_copy(house: Server, folder: Path, log_in: LogIn) -> None:
    """A killed one leaves its draft, which the next one removes; one that was told to end removes it itself."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    for left in (folder / f".a.backup.draft-{ended.pid}", folder / f".a.backup.draft-{ended.pid}-wal"):
        left.write_text("somebody's messages")
    copies = Path(tempfile.gettempdir(), f"deskbell-restore-{ended.pid}-x")
    copies.mkdir()
    running = folder / f".a.backup.draft-{os.getpid()}"
    running.write_text("of a backup that still runs")
    house.command("backup", str(folder / "a.backup"))
    assert {path.name for path in folder.glob(".a.backup*")} == {running.name}
    house.stop()
    house.command("restore", str(folder / "a.backup"))
    assert not copies.exists()


def test_a_signal_ends_in_order(tmp_path: Path) -> None:
    def interrupted() -> None:
        with ending_in_order(), written_whole(tmp_path / "a.backup") as draft:
            draft.write_text("half of it")
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        interrupted()
    assert list(tmp_path.iterdir()) == []
