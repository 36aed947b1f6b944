"""What a disk may have after a cut: all that was synced, and any part of the rest."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.torture.power.playback import SECTOR, Disk
from tests.torture.power.records import Log, Record, read

OLD, NEW = b"o" * 3 * SECTOR, b"n" * 3 * SECTOR


def write(start: int, end: int, data: bytes = NEW, offset: int = 0, name: str = "a") -> Record:
    return Record("write", name, start, end, offset, data)


def sync(start: int, end: int, name: str = "a") -> Record:
    return Record("sync", name, start, end)


FOLDER = Record("sync folder")


def after(records: Sequence[Record], at_work: Sequence[Record] = ()) -> list[dict[str, bytes]]:
    """Many cuts at the same instant."""
    disk = Disk()
    for record in records:
        disk.take(record)
    return [disk.after_cut(Random(seed), at_work) for seed in range(300)]


def contents(records: Sequence[Record], at_work: Sequence[Record] = ()) -> set[bytes | None]:
    return {files.get("a") for files in after(records, at_work)}


def blocks(content: bytes) -> list[bytes]:
    return [content[start : start + SECTOR] for start in range(0, len(content), SECTOR)]


BEGUN = [Record("seen", "a", data=OLD), write(1, 2, OLD), sync(3, 4), FOLDER]


def test_what_was_synced_is_there() -> None:
    assert contents([*BEGUN, write(5, 6), sync(7, 8)]) == {NEW}


@pytest.mark.parametrize("at_work", [False, True])
def test_of_what_was_not_synced_any_sectors_may_be_there(at_work: bool) -> None:
    last = write(5, 6)
    found = contents([*BEGUN, *([] if at_work else [last])], [last] if at_work else [])
    assert {OLD, NEW} < found
    assert {block for content in found if content for block in blocks(content)} == {b"o" * SECTOR, b"n" * SECTOR}
    assert len(found) > 5, "torn in between"


def test_a_write_from_the_middle_of_a_sector_is_torn_where_the_sectors_end() -> None:
    """As SQLite's log writes: its frames are no multiple of a sector."""
    begin, length = 24, 2 * SECTOR
    found = contents([*BEGUN, write(5, 6, NEW[:length], begin)])
    kinds = [{content[part] for content in found if content} for part in (
        slice(0, begin), slice(begin, SECTOR), slice(SECTOR, 2 * SECTOR),
        slice(2 * SECTOR, begin + length), slice(begin + length, None),
    )]  # fmt: skip
    assert [len(kind) for kind in kinds] == [1, 2, 2, 2, 1]


def test_a_write_that_ended_while_the_sync_ran_is_not_sure() -> None:
    assert OLD in contents([*BEGUN, write(5, 9), sync(8, 10)])
    assert contents([*BEGUN, write(5, 9), sync(8, 10), sync(11, 12)]) == {NEW}


def test_what_was_written_twice_is_as_it_was_written_last_where_all_is_there() -> None:
    between = b"b" * 3 * SECTOR
    assert contents([*BEGUN, write(5, 6, between), write(7, 8), sync(9, 10)]) == {NEW}
    assert contents([*BEGUN, Record("cut", "a", 5, 6, SECTOR), sync(7, 8)]) == {OLD[:SECTOR]}


def test_a_name_is_sure_when_its_folder_was_synced() -> None:
    made = [*BEGUN, Record("create", "b", 5, 6), write(7, 8, name="b"), sync(9, 10, "b")]
    assert {files.get("b") for files in after(made)} == {None, NEW}
    assert {files.get("b") for files in after([*made, FOLDER])} == {NEW}
    gone = [*made, FOLDER, Record("remove", "b", 11, 12)]
    assert {files.get("b") for files in after(gone)} == {None, NEW}
    assert {files.get("b") for files in after([*gone, FOLDER])} == {None}


def test_what_a_killed_program_could_not_record_any_more_is_not_sure() -> None:
    found = contents([*BEGUN, Record("seen", "a", 5, 6, 0, OLD[:SECTOR] + NEW[:SECTOR])])
    assert {OLD, OLD[:SECTOR] + NEW[:SECTOR]} <= found


def test_a_record_torn_by_a_kill_takes_none_of_the_next_process_along(tmp_path: Path) -> None:
    log = tmp_path / "log"
    Log(log).write(write(1, 2))
    (torn,) = (path for path in tmp_path.rglob("*") if path.is_file())
    os.truncate(torn, torn.stat().st_size - 1)
    Log(log).write(write(3, 4))
    assert list(read(log)) == [write(3, 4)]
