"""What the reference and the one log are asked alike, and what both answer."""

from dataclasses import dataclass

Outcome = tuple[object, ...]
"""Of a publish: a code, or whether it is a duplicate, the recipients, its place, its number while it waits. Of other
acts: a code, or a word.
"""
DONE: Outcome = ("done",)
EVERYONE = "@everyone"
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True)
class Wish:
    """A publish as it is asked for; `number` tells requests apart, `answers` is a place of the log."""

    number: int
    sender: str
    to: tuple[str, ...]
    body: str
    key: str | None
    at: int
    title: str = ""
    answers: int | None = None
    deliver_at: int | None = None

    @property
    def is_later(self) -> bool:
        return self.deliver_at is not None and self.deliver_at > self.at

    @property
    def asked(self) -> Outcome:
        """What must be the same under the same key."""
        return self.to if self.answers is None else self.answers, self.title, self.body, self.deliver_at


@dataclass(frozen=True)
class Seen:
    """A message of a view; `publish` is the place of its first part."""

    seq: int
    publish: int
    sender: str
    to: str
    title: str
    body: str
    answers: int | None
    cid: str | None
    unread: bool


@dataclass(frozen=True)
class Told:
    """What only one person's devices are told: a group and whether they joined it, or what was read."""

    kind: str
    what: object
