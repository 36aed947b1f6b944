"""A message on its way through the service: what was asked, once checked, and what became of it, once committed."""

import hashlib

import msgspec

from deskbell_protocol.wire import Publish, narrowed
from deskbell_server.principals import Principal

HASH_BYTES = 16


class Stored(msgspec.Struct, frozen=True):
    """A committed publish. `seq` is its first place in the log; None while it waits for its time, at `deliver_at`."""

    id: str
    at: int
    seq: int | None
    recipients: int
    duplicate: bool
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
        """By which a repeat is known."""
        return hashlib.sha256(self.document).digest()[:HASH_BYTES]
