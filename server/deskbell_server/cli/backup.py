"""`deskbell-server backup`, `restore` and `prune`."""

from pathlib import Path

import click

from deskbell_protocol.ids import now_ms
from deskbell_server.cli.options import Finite
from deskbell_server.clock import Ages
from deskbell_server.errors import SetupError
from deskbell_server.people.activity import COMMAND_LINE
from deskbell_server.process.config import Storage
from deskbell_server.process.services import open_people
from deskbell_server.process.serving import is_served
from deskbell_server.store import backup as files
from deskbell_server.store import doors
from deskbell_server.store.database import Connection
from deskbell_server.store.opening import other_sessions
from deskbell_server.upkeep.retention import Pruning, RetentionPolicy


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(storage: Storage, file: Path) -> None:
    """Write everything into FILE, while the server runs. Who has it can read all messages: keep it safe."""
    with files.ending_in_order(), open_people(storage) as people, files.written_whole(file) as draft:
        if storage.postgres:
            files.make_empty(draft)
            people.database.read(lambda connection: files.save_rows(connection, draft))
        else:
            files.save_sqlite(storage.database, draft)
    click.echo(f"Saved {file} ({file.stat().st_size:,} bytes).")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--force", is_flag=True, help="Even while a server runs: its clients then start again from the backup.")
@click.pass_obj
def restore(storage: Storage, file: Path, force: bool) -> None:
    """Replace everything by the backup FILE. Clients notice it, and mark in their history what is missing.

    Devices that were signed out since the backup was made are signed in again: sign them out once more.
    """
    with files.ending_in_order(), open_people(storage, make=True) as people, files.readable(file) as copy:
        if not force and (is_served(storage) or (storage.postgres and other_sessions(people.database))):
            raise SetupError("a server runs on this database: stop it first, or use --force")

        def job(connection: Connection) -> None:
            files.load_rows(connection, copy)
            doors.audit(connection, now_ms(), COMMAND_LINE, "restore", "", file.name)

        people.database.write(job)
    click.echo(f"Restored from {file}.")


@click.command()
@click.option("--older-than", "days", type=Finite(0, min_open=True), help="Forget what is older than DAYS.")
@click.option("--keep", "events", type=click.IntRange(0), help="Keep the newest N messages of each conversation.")
@click.pass_obj
def prune(storage: Storage, days: float | None, events: int | None) -> None:
    """Forget old messages, while the server runs. What devices have stored stays with them."""
    kept = RetentionPolicy(days, events)
    if kept.everything:
        raise SetupError("say what is to go: --older-than DAYS, --keep N, or both")
    with open_people(storage) as people:
        forgotten = Pruning(people.database, Ages(people.clock)).prune(kept, COMMAND_LINE)
    click.echo(f"Forgot {forgotten} entries.")
