"""A server under load, killed now and then, whose databases are recorded; and what must be left of it."""

import itertools
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from random import Random

from deskbell_server.store.members import OPEN
from tests.desk.seen import with_views
from tests.desk.server import Login, Server
from tests.torture.power.states import Recording

PEOPLE = {f"u{number}": "" for number in range(3)}
PASSWORD = "correct horse 1"
SENDERS = 3
BODIES = ("x" * 20, "x" * 200, "x" * 3000)
DATABASE = "deskbell.db"
FAULTS = {
    "a place without an entry, or one behind the head": (
        "SELECT abs(:head - count(*)) + abs(:head - coalesce(max(seq), 0)) FROM log"
    ),
    "a part without its first": (
        "SELECT count(*) FROM log p LEFT JOIN log f ON f.seq = p.seq - p.part AND f.part = 0 AND f.sender = p.sender"
        " WHERE p.part > 0 AND (f.seq IS NULL OR f.content IS NULL)"
    ),
    "a window beyond the head": (
        "SELECT count(*) FROM members WHERE from_seq > :head + 1 OR (to_seq > :head AND to_seq <> :open)"
    ),
    "a message that not even its sender sees": (
        "SELECT count(*) FROM log l WHERE l.kind = 'message' AND NOT EXISTS (SELECT 1 FROM members m"
        " WHERE m.person = l.sender AND m.channel = l.channel AND l.seq BETWEEN m.from_seq AND m.to_seq)"
    ),
}
"""What no cut may leave, and how many of it there are; nothing is ever removed here."""


def record(folder: Path, seconds: float, kills: int, seed: int, *, relaxed: bool) -> Recording[str]:
    """What it acknowledged are the ids of messages. `relaxed`: the control, which does not wait for the disk."""
    log = folder / "recorded"
    options = ("--publish-rate", "0", "--database-sync", "normal" if relaxed else "full")
    with Server(folder, *options) as server:
        server.add_users(PEOPLE, PASSWORD)
        server.command("group", "add", "@all", *PEOPLE)
        server.program = [sys.executable, "-m", "tests.torture.power.launch", str(server.data), str(log)]
        server.start()
        logins = [server.login(name, PASSWORD) for name in itertools.islice(PEOPLE, SENDERS)]
        is_over = threading.Event()
        with ThreadPoolExecutor(SENDERS) as pool:
            sending = [pool.submit(send, server, login, Random(f"{seed} {login.name}"), is_over) for login in logins]
            for _kill in range(kills):
                time.sleep(seconds / (kills + 1))  # the load goes on
                server.process.signal(signal.SIGKILL)
                server.process.wait()
                server.start()
            time.sleep(seconds / (kills + 1))  # the load goes on
            is_over.set()
        promised = sorted(promise for sent in sending for promise in sent.result())
    return Recording(log, promised)


def send(server: Server, login: Login, random: Random, is_over: threading.Event) -> list[tuple[int, str]]:
    acknowledged = []
    while not is_over.is_set():
        to = ["@all"] if random.random() < 0.5 else random.sample(sorted(PEOPLE), random.randint(1, 2))
        try:
            answer = server.ask("POST", "/api/v1/messages", {"to": to, "body": random.choice(BODIES)}, login.token)
        except (OSError, HTTPException):
            is_over.wait(0.02)
            continue
        if answer.status == 201:
            acknowledged.append((time.monotonic_ns(), str(answer.body["id"])))
    return acknowledged


def problems(folder: Path, promised: Sequence[str]) -> list[str]:
    """What is wrong with the database that a cut has left."""
    path = folder / DATABASE
    if not path.exists():
        return ["the database is gone"]
    try:
        with closing(sqlite3.connect(path)) as database:
            return list(_wrong(database, promised))
    except sqlite3.Error as error:
        return [str(error)]


def _wrong(database: sqlite3.Connection, promised: Sequence[str]) -> list[str]:
    found = [word for (word,) in database.execute("PRAGMA integrity_check") if word != "ok"]
    kept = {id_ for (id_,) in database.execute(with_views("SELECT id FROM messages"))}
    lost = [id_ for id_ in promised if id_ not in kept]
    found += [f"{len(lost)} of {len(promised)} acknowledged messages are lost"] if lost else []
    head = int(database.execute("SELECT value FROM meta WHERE key = 'head'").fetchone()[0])
    for what, query in FAULTS.items():
        ((count,),) = database.execute(query, {"head": head, "open": OPEN}).fetchall()
        found += [f"{count} x {what}"] if count else []
    return found
