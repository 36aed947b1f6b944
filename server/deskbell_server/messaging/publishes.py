"""A message on its way through the service: what was asked, once checked, what became of it, once committed, and what
is announced of it."""

import hashlib

import msgspec

from deskbell_protocol.wire import Message, Publish, ReadMark, narrowed
from deskbell_server.principals import Principal


class Announcement(msgspec.Struct, frozen=True):
    """A committed event: its place in each log in which it stands, by user, and what it tells."""

    kind: str
    id: str
    at: int
    heads: dict[str, int]
    data: Message | ReadMark


class Stored(msgspec.Struct, frozen=True):
    """A committed publish. `seq` is its place in the sender's log; `announcement` None when nothing new is told."""

    id: str
    at: int
    seq: int | None
    recipients: int
    duplicate: bool
    announcement: Announcement | None = None
    deliver_at: int | None = None


class Request(msgspec.Struct, frozen=True):
    """A publish that passed the checks which need no database."""

    principal: Principal
    draft: Publish
    key: str | None
    id: str
    at: int
    announced_by: str = ""
    """Who is written down as having announced it, if it is an announcement."""

    @property
    def is_later(self) -> bool:
        return self.draft.deliver_at is not None and self.draft.deliver_at > self.at

    @property
    def document(self) -> bytes:
        """All that was asked, through whichever door, but for the key."""
        return msgspec.json.encode(narrowed(Publish, self.draft))

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.document).digest()
