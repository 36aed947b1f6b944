"""Many devices' ways to the server in one program: the desktop's real connection, without what lies above it."""

import argparse
import asyncio
import collections
import logging
import time
from pathlib import Path
from typing import Any

import msgspec

from deskbell_desktop.core import events as on
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.connection import Connection
from deskbell_desktop.io.intake import Intake

COUNT = "count"
"""This file says how many are connected, how often one was refused, and when that was so."""


class Herding(msgspec.Struct, frozen=True):
    server: str
    tokens: list[str]
    folder: str


class Herd:
    def __init__(self, herding: Herding) -> None:
        self._herding = herding
        self._up: set[int] = set()
        self._refusals: collections.Counter[str] = collections.Counter()
        self._connections: list[Connection] = []

    async def run(self) -> None:
        for number, token in enumerate(self._herding.tokens):
            post = self._post_of(number)
            connection = Connection(post, Intake(post), Words(), client="herd/1", device="", ca_file=None)
            self._connections.append(connection)
            await connection.open(self._herding.server, token)
        while True:
            await asyncio.sleep(0.1)
            self._say()

    def _post_of(self, number: int) -> Any:
        def post(event: object) -> None:
            match event:
                case on.LinkUp():
                    self._up.add(number)
                case on.LinkDown():
                    self._up.discard(number)
                case on.Refused(code):
                    self._refusals[str(code)] += 1

        return post

    def _say(self) -> None:
        path = Path(self._herding.folder) / COUNT
        draft = path.with_suffix(".draft")
        draft.write_text(f"{len(self._up)} {sum(self._refusals.values())} {time.monotonic():.3f}")
        draft.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("herding", type=Path)
    logging.disable(logging.CRITICAL)
    herding = msgspec.json.decode(parser.parse_args().herding.read_bytes(), type=Herding)
    asyncio.run(Herd(herding).run())


if __name__ == "__main__":
    main()
