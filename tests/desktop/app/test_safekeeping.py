"""A disk that takes nothing for a while: nothing is lost, nothing comes twice, and the program says when it is over."""

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deskbell_desktop.core import events as on
from deskbell_desktop.core.notices import NOTICE
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.pages import Pages
from deskbell_desktop.io.store import Store
from deskbell_desktop.presenter import Presenter
from deskbell_desktop.safekeeping import AGAIN_FIRST_MS
from tests.desktop.app.test_carrier import World
from tests.fakes import BOB, CHEN, ME

LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.executescript(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real one, of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=False).returncode:
        pytest.skip("a small disk of its own needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def world(disk: Path) -> Iterator[World]:
    world = World(disk / "account.db")
    yield world
    if world.keeper.store is not None:
        world.store.close()


def fill(disk: Path) -> Path:
    rest = disk / "something else"
    with rest.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return rest


def bodies(store: Store, conversation: str = BOB.id) -> list[str]:
    return [view.content.body for view in Pages(store, ME, Words()).messages(conversation, 10).messages]


def messages(world: World, count: int) -> None:
    world.tell(on.FramesPushed(tuple(world.log.message(body=f"{n} {'x' * 5000}") for n in range(count))))


def test_a_full_disk_is_left_and_come_back_to_and_nothing_is_lost_or_rings_twice(world: World, disk: Path) -> None:
    world.tell(on.FramesPushed((world.log.message(body="before"),)))
    rest = fill(disk)
    messages(world, 20)
    assert world.store.in_memory
    assert "cannot write" in world.of("status")[-1].problem
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "written meanwhile"))
    world.store.keep_draft(CHEN.id, "half a")
    assert not world.keeper.come_back(), "the disk is still full"
    meanwhile = world.store.load()
    assert (meanwhile.cursor, len(meanwhile.unread), [item.cid for item in meanwhile.outbox]) == (21, 21, ["c1"])
    rest.unlink()
    world.acts.clear()
    assert world.keeper.come_back()
    assert [show[0] for show in world.of("show")] == [NOTICE]
    assert world.of("status")[-1].problem == ""
    assert not world.of("request"), "the session goes on where it was"
    world.store.close()
    again = Store(world.path, ME.id, Words())
    assert (again.problem, again.load()) == ("", meanwhile)
    assert Pages(again, ME, Words()).draft(CHEN.id) == "half a"
    world.keeper.store = again


def test_what_would_be_lost_is_said_while_it_would_be_and_only_then(world: World, disk: Path) -> None:
    keeper = world.keeper
    world.tell(on.Wrote("c0", BOB.id, ("bob",), "on the disk"))
    rest = fill(disk)
    messages(world, 20)
    assert world.store.in_memory
    assert keeper.loss() == "", "it is on the disk as well"
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "in memory only"))
    assert keeper.loss() == Words().store_lost()
    rest.unlink()
    assert keeper.loss() == ""
    with closing(sqlite3.connect(world.path)) as file:
        assert file.execute("SELECT cid FROM outbox ORDER BY n").fetchall() == [("c0",), ("c1",)]
    fill(disk)
    messages(world, 100)
    world.tell(on.Wrote("c2", BOB.id, ("bob",), "too late"))
    keeper.close()
    assert world.lost == [Words().store_lost()]


def test_what_waits_at_the_end_is_told_by_the_log(world: World, disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    keeper = world.keeper
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "on the disk"))
    world.tell(on.Wrote("c2", BOB.id, ("bob",), ""))
    keeper.close()
    assert "messages still to be sent, after the next start: 1" in caplog.text
    caplog.clear()
    keeper.close()
    assert "still to be sent" not in caplog.text


def test_what_no_store_takes_is_tried_again(world: World, disk: Path) -> None:
    later: list[Callable[[], None]] = []
    presenter = Presenter(
        lambda: pytest.fail("no window"), world.tell, lambda _ms, call: later.append(call), lambda _error: None
    )
    presenter.bind(world.store, Pages(world.store, ME, Words()))
    rest = fill(disk)
    presenter.add_draft(BOB.id, "and more " * 2000)
    before = later[:]
    later.clear()
    for call in before:
        call()
    rest.unlink()
    assert "and more" not in Pages(world.store, ME, Words()).draft(BOB.id)
    for call in later:
        call()
    assert "and more" in Pages(world.store, ME, Words()).draft(BOB.id)


def test_what_no_store_took_is_no_draft_of_the_next_person(world: World, disk: Path, tmp_path: Path) -> None:
    later: list[Callable[[], None]] = []
    presenter = Presenter(
        lambda: pytest.fail("no window"), world.tell, lambda _ms, call: later.append(call), lambda _error: None
    )
    presenter.bind(world.store, Pages(world.store, ME, Words()))
    fill(disk)
    presenter.add_draft(BOB.id, "and more " * 2000)
    with closing(Store(tmp_path / "chens.db", CHEN.id, Words())) as other:
        pages = Pages(other, CHEN, Words())
        presenter.bind(other, pages)
        for call in later:
            call()
        assert pages.draft(BOB.id) == ""


@pytest.mark.parametrize("mends", [False, True])
def test_what_is_begun_while_the_disk_is_full_is_kept_or_said_to_be_lost(world: World, disk: Path, mends: bool) -> None:
    """Its own save is the first that meets the full disk."""
    later: list[Callable[[], None]] = []
    presenter = Presenter(
        lambda: pytest.fail("no window"), world.tell, lambda _ms, call: later.append(call), world.carrier.mend
    )
    presenter.bind(world.store, Pages(world.store, ME, Words()))
    keeper = world.keeper_of(presenter)
    keeper.store = world.store
    presenter.add_draft(BOB.id, "first words")
    presenter.keep_drafts()
    rest = fill(disk)
    presenter.add_draft(BOB.id, "and more " * 2000)
    if mends:
        later[-1]()
        assert world.store.in_memory
        rest.unlink()
        assert world.keeper.come_back()
    else:
        assert keeper.loss() == Words().store_lost()
    keeper.close()
    assert world.lost == ([] if mends else [Words().store_lost()])
    rest.unlink(missing_ok=True)
    again = Store(world.path, ME.id, Words())
    assert ("and more" in Pages(again, ME, Words()).draft(BOB.id)) == mends
    again.close()


def test_the_file_is_tried_again_by_itself_and_each_time_after_twice_as_long(world: World, disk: Path) -> None:
    keeper, later = world.keeper, world.later
    rest = fill(disk)
    messages(world, 20)
    keeper.watch()
    keeper.watch()
    later[-1][1]()
    rest.unlink()
    later[-1][1]()
    keeper.watch()
    assert [ms for ms, _ in later] == [AGAIN_FIRST_MS, 2 * AGAIN_FIRST_MS]
    assert not world.store.in_memory


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[Path, str], "subprocess.Popen[str]"]]:
    """Another process that holds the file."""
    held: list[subprocess.Popen[str]] = []

    def begin(path: Path, how: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", LOCKER, str(path), how]
        held.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert held[-1].stdout is not None
        assert held[-1].stdout.readline() == "held\n"
        return held[-1]

    yield begin
    for child in held:
        child.communicate()


HELD = {
    "for writing": "BEGIN IMMEDIATE",
    "altogether": "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; UPDATE meta SET value = value; COMMIT",
}


@pytest.mark.parametrize("how", HELD)
def test_a_file_that_another_process_holds_is_not_replaced_and_gets_what_was_written_meanwhile(
    tmp_path: Path, hold: Callable[[Path, str], "subprocess.Popen[str]"], how: str
) -> None:
    path = tmp_path / "account.db"
    before = World(path)
    event = before.log.message(body="before")
    before.tell(on.FramesPushed((event,)))
    before.tell(on.LinkDown())
    before.tell(on.Wrote("c0", BOB.id, ("bob",), "unsent"))
    before.store.close()
    holder = hold(path, HELD[how])
    world = World(path, log=before.log)
    assert world.store.in_memory
    world.tell(on.LinkDown())
    world.tell(on.Wrote("c1", BOB.id, ("bob",), "written meanwhile"))
    assert not world.keeper.come_back()
    holder.communicate()
    assert world.keeper.come_back()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".db"] == ["account.db"]
    assert [item.cid for item in world.store.load().outbox] == ["c0", "c1"]
    assert [unread.id for unread in world.store.load().unread] == [event.id]
    assert bodies(world.store) == ["before", "unsent", "written meanwhile"]
    world.store.close()


def test_what_could_not_even_be_read_is_joined_with_what_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "account.db"
    first = World(path)
    events = [first.log.message(body=f"old {n}") for n in range(2)]
    first.tell(on.FramesPushed(tuple(events)))
    first.store.close()
    hidden = path.rename(tmp_path / "elsewhere")
    path.mkdir()  # as a mount that is missing
    world = World(path, log=first.log)
    assert world.store.in_memory
    world.tell(on.Looking(BOB.id, seen=(events[0].id,)))
    world.tell(on.Looking(None))
    world.tell(on.FramesPushed((first.log.message(body="new"),)))
    rung = len(world.of("show"))
    path.rmdir()
    hidden.rename(path)
    assert world.keeper.come_back()
    world.sync()
    assert bodies(world.store) == ["old 0", "old 1", "new"]
    assert world.store.load().cursor == 3
    assert events[0].id not in {unread.id for unread in world.store.load().unread}
    assert [show[0] for show in world.of("show")][rung:] == [NOTICE], "nothing rings again"
    world.store.close()
