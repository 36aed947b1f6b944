"""The schema: its history adds up to its metadata, two commands may begin at once, and a newer one is left alone."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from deskbell_server.errors import SetupError
from deskbell_server.store import migrate
from deskbell_server.store.schema import make_metadata


def test_the_migrations_add_up_to_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    engine = migrate.sqlite_engine(path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), make_metadata()) == []
    engine.dispose()


def test_the_newest_revision_is_the_one_that_commands_look_for() -> None:
    assert ScriptDirectory.from_config(migrate.alembic_config()).get_current_head() == migrate.REVISION


def test_each_database_has_an_id_for_life(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    first = server_of(path)
    assert first is not None
    migrate.prepare(path)
    assert server_of(path) == first
    migrate.prepare(tmp_path / "b.db")
    assert server_of(tmp_path / "b.db") not in (None, first)


def server_of(path: Path) -> str | None:
    with closing(sqlite3.connect(path)) as database:
        row = database.execute("SELECT value FROM meta WHERE key = 'server'").fetchone()
    return row[0] if row else None


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    before = dump(path)
    migrate.prepare(path)
    assert dump(path) == before
    assert any("epoch" in line for line in before)


def test_the_hot_tables_are_clustered(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    connection = sqlite3.connect(path)
    sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'members'").fetchone()[0]
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    assert "WITHOUT ROWID" in sql
    assert mode == "wal"


def test_commands_that_begin_at_once_do_not_race(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    code = f"from pathlib import Path; from deskbell_server.store.migrate import prepare; prepare(Path({str(path)!r}))"
    commands = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [command.communicate(timeout=60)[1] for command in commands]
    assert [command.returncode for command in commands] == [0] * 4, errors
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM meta WHERE key = 'epoch'").fetchone() == (1,)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.REVISION,)]
    connection.close()


@pytest.mark.parametrize(("revision", "why"), [("9999", "newer"), ("0002", "first release")])
def test_a_database_of_another_version_is_refused_and_untouched(tmp_path: Path, revision: str, why: str) -> None:
    path = tmp_path / "a.db"
    migrate.prepare(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.commit()
    connection.close()
    before = dump(path)
    with pytest.raises(SetupError, match=why):
        migrate.prepare(path)
    assert dump(path) == before


@pytest.mark.parametrize("content", [b"this is no database " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(SetupError, match="cannot"):
        migrate.prepare(path)
    assert path.read_bytes() == content


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_one_that_finds_another_making_the_file_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as second:
        other.execute("BEGIN IMMEDIATE")
        made = second.submit(migrate.prepare, path)
        with pytest.raises(TimeoutError):
            made.result(1.0)
        other.execute("COMMIT")
        made.result(20)
    assert migrate.current_revision(path) == migrate.REVISION
