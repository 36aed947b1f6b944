"""A small client of the wire, written from `docs/protocol.md` alone: it prints what comes, and loses nothing.

    python docs/examples/client.py http://127.0.0.1:8420 TOKEN messages.db [NAME TEXT]

What it has stood in `messages.db`, so that it goes on where it was, however it ended.
"""

import contextlib
import json
import random
import sqlite3
import sys
import threading
import time
import uuid
from typing import Any

import socketio

Json = dict[str, Any]


class Store:
    """Messages, what is to be sent, and the place in the log: in the same commit as what stands there."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY, epoch TEXT, cursor INTEGER)")
        self._file.execute("CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, data TEXT)")
        self._file.execute("CREATE TABLE IF NOT EXISTS outbox (cid TEXT PRIMARY KEY, data TEXT)")
        self._file.execute("INSERT OR IGNORE INTO place VALUES (1, NULL, 0)")

    def place(self) -> tuple[str | None, int]:
        epoch, cursor = self._file.execute("SELECT epoch, cursor FROM place").fetchone()
        return epoch, cursor

    def apply(self, epoch: str, cursor: int, events: list[Json]) -> list[Json]:
        """The messages among these events that are new here."""
        new = []
        self._file.execute("BEGIN")
        for event in events:
            if event["kind"] == "message":
                text = json.dumps(event["data"])
                if self._file.execute("INSERT OR IGNORE INTO messages VALUES (?, ?)", (event["id"], text)).rowcount:
                    new.append(event)
                self.sent(event["data"].get("cid"))
        self._file.execute("UPDATE place SET epoch = ?, cursor = ?", (epoch, cursor))
        self._file.execute("COMMIT")
        return new

    def write(self, to: str, body: str) -> None:
        message = json.dumps({"to": [to], "body": body})
        self._file.execute("INSERT INTO outbox VALUES (?, ?)", (str(uuid.uuid4()), message))

    def unsent(self) -> list[Json]:
        return [json.loads(data) | {"cid": cid} for cid, data in self._file.execute("SELECT cid, data FROM outbox")]

    def sent(self, cid: str | None) -> None:
        self._file.execute("DELETE FROM outbox WHERE cid = ?", (cid,))


class Client:
    """The library calls each handler in a thread of its own, so all of them take the lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._epoch, self._cursor = store.place()
        self._syncing = self._again = False
        self._is_refused = False
        self._socket = socketio.Client(reconnection=False)
        handlers = {
            "connect": self._connected,
            "event": self._pushed,
            "head": self._pushed,
            "connect_error": self._refused,
        }
        for event, handler in handlers.items():
            self._socket.on(event, self._locked(handler))

    def run(self, address: str, token: str) -> None:
        """Rule 7: comes back by itself, until it is told that this leads nowhere."""
        auth, longest = {"v": 2, "token": token, "client": "example 1.0"}, 0.5
        while not self._is_refused:
            with contextlib.suppress(socketio.exceptions.ConnectionError):
                self._socket.connect(address, auth=auth, transports=["websocket"])
                longest = 0.5
                self._socket.wait()
            time.sleep(random.uniform(0, longest))
            longest = min(30.0, 2 * longest)

    def _refused(self, problem: Any = None) -> None:
        self._is_refused = isinstance(problem, dict) and problem.get("data", {}).get("fatal", False)

    def _locked(self, handler: Any, *first: Any) -> Any:
        def handle(*arguments: Any) -> None:
            with self._lock:
                handler(*first, *arguments)

        return handle

    # -- rule 3: after every connect, and where something is missing

    def _connected(self) -> None:
        self._syncing = False
        self._sync()
        for message in self._store.unsent():
            self._send(message)

    def _sync(self) -> None:
        self._again = self._syncing
        if not self._syncing:
            self._syncing = True
            request = {"epoch": self._epoch, "after": self._cursor}
            self._socket.emit("sync", request, callback=self._locked(self._synced))

    def _synced(self, answer: Json) -> None:
        self._syncing = False
        if not answer["ok"]:
            threading.Timer(answer.get("retry_after_s") or 1, self._locked(self._sync)).start()
            return
        if answer.get("reset"):
            print("(what came before is not all here)", flush=True)
        if answer["epoch"] != self._epoch:  # the first answer, or another log, which begins at `after`
            self._cursor = answer["after"]
        self._apply(answer["epoch"], answer["upto"], [e for e in answer["events"] if e["seq"] > self._cursor])
        if answer["upto"] < answer["head"] or self._again:
            self._sync()

    # -- rule 2: what is pushed applies only where it follows

    def _pushed(self, frame: Json) -> None:
        if frame["epoch"] == self._epoch and frame["prev"] <= self._cursor:
            if frame["seq"] > self._cursor:
                self._apply(self._epoch, frame["seq"], [frame] if "kind" in frame else [])
        elif frame["epoch"] != self._epoch or frame["seq"] > self._cursor:
            self._sync()

    def _apply(self, epoch: str, cursor: int, events: list[Json]) -> None:
        """Rule 4: stored first, then shown, then said."""
        self._epoch, self._cursor = epoch, max(self._cursor, cursor)
        for event in self._store.apply(epoch, self._cursor, events):
            print(f"{event['data']['from']['name']}: {event['data']['body']}", flush=True)
        if events:
            self._socket.emit("ack", {"epoch": epoch, "seq": self._cursor})

    # -- rule 5: sent until there is a definite answer

    def _send(self, message: Json) -> None:
        self._socket.emit("send", message, callback=self._locked(self._answered, message))

    def _answered(self, message: Json, answer: Json) -> None:
        if not answer["ok"] and answer["code"] in {"busy", "unavailable", "internal", "rate_limited", "too_many"}:
            threading.Timer(answer.get("retry_after_s") or 1, self._locked(self._send, message)).start()
            return
        self._store.sent(message["cid"])
        if not answer["ok"]:
            print(f"(not sent: {answer['message']})", flush=True)


def main(address: str, token: str, path: str, *message: str) -> None:
    store = Store(path)
    if message:
        store.write(*message)
    Client(store).run(address, token)


if __name__ == "__main__":
    main(*sys.argv[1:])
