"""The negative control: a client that believes every push and asks for nothing. Run as a program.

It reconnects as eagerly as the real one and keeps what comes in the same kind of file; it has no cursor, no sync, no
outbox. Whatever the server could not push at that moment is lost to it, which the checker has to see.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import socketio

from deskbell_protocol import PROTOCOL_VERSION
from tests.torture.device import STORE, Seat


class EmitOnly:
    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._store = sqlite3.connect(Path(seat.folder) / STORE, isolation_level=None)
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS messages (n INTEGER PRIMARY KEY, seq INT, id TEXT, content TEXT, mine INT)"
        )

    async def run(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                await self._connected()
            await asyncio.sleep(random.uniform(0, 0.5))

    async def _connected(self) -> None:
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        client.on("event", self._on_event)
        auth = {"v": PROTOCOL_VERSION, "token": self._seat.token, "client": "control/1"}
        await client.connect(self._seat.server, auth=auth, transports=["websocket"], wait_timeout=5)
        await client.wait()

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "message":
            mine = event["data"]["from"]["id"] == self._seat.user.id
            self._store.execute(
                "INSERT INTO messages (seq, id, content, mine) VALUES (?, ?, ?, ?)",
                (event["seq"], event["id"], json.dumps(event["data"]), mine),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seat", type=Path)
    seat = msgspec.json.decode(parser.parse_args().seat.read_bytes(), type=Seat)
    asyncio.run(EmitOnly(seat).run())


if __name__ == "__main__":
    main()
