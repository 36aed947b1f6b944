"""A message on its way through the service: what was asked, once checked, and what became of it, once committed."""

import hashlib
from dataclasses import dataclass

import msgspec

from deskbell_protocol.wire import Message, Publish
from deskbell_server.principals import Principal


@dataclass(frozen=True, slots=True)
class Stored:
    """A committed message: its place in each log. `message` is None when nothing new is to be announced."""

    id: str
    at: int
    seq: int | None
    recipients: int
    duplicate: bool
    message: Message | None = None
    heads: dict[str, int] | None = None
    deliver_at: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
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
    def digest(self) -> bytes:
        draft = self.draft
        parts = (draft.to, draft.reply_to, draft.body, draft.title, draft.priority, draft.deliver_at)
        return hashlib.sha256(msgspec.json.encode(parts)).digest()
