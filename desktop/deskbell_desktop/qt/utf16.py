"""Positions in a text: Python counts characters, Qt UTF-16 units, of which an emoji takes two."""

from bisect import bisect_left


class Utf16:
    """The positions of one text, converted either way."""

    def __init__(self, text: str) -> None:
        self._wide = [at for at, char in enumerate(text) if char > "\uffff"]
        self._pairs = [at + before for before, at in enumerate(self._wide)]

    def units(self, at: int) -> int:
        """Where Qt has what Python has at `at`."""
        return at + bisect_left(self._wide, at)

    def index(self, units: int) -> int:
        """Where Python has what Qt has at `units`; within a character, where it begins."""
        return units - bisect_left(self._pairs, units)
