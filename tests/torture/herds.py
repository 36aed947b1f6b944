"""A herd seen from outside: its process, and how many of it are connected."""

import sys
from pathlib import Path

import msgspec

from tests.desk.processes import Child, wait_for
from tests.torture.herd import COUNT, Herding


class Crowd:
    def __init__(self, folder: Path, server: str, tokens: list[str]) -> None:
        folder.mkdir()
        self.size = len(tokens)
        self._folder = folder
        path = folder / "herding.json"
        path.write_bytes(msgspec.json.encode(Herding(server, tokens, str(folder))))
        self.child = Child([sys.executable, "-m", "tests.torture.herd", str(path)], folder / "herd.log")

    def connected(self) -> int:
        return int(self._said()[0])

    def refused(self) -> int:
        return int(self._said()[1])

    def wait_until_all(self, timeout: float) -> None:
        wait_for(lambda: self.connected() == self.size, f"{self.size} devices to be connected", timeout, every=0.05)

    def _said(self) -> list[str]:
        path = self._folder / COUNT
        return path.read_text().split() if path.exists() else ["0", "0", "0"]

    def end(self) -> None:
        self.child.stop()
