"""What other machines say, cleaned once, where it comes in: each name and title one line of bounded length.

A message's body stays as it was written: it is kept and copied, and cleaned where it is shown.
"""

import msgspec

from deskbell_desktop.core.text import one_line
from deskbell_protocol import limits
from deskbell_protocol.wire import Message, Party

SENTENCE_CHARS = 500


def party(said: Party) -> Party:
    name, display = one_line(said.name, limits.NAME_CHARS + 1), one_line(said.display, limits.DISPLAY_CHARS)
    return msgspec.structs.replace(said, name=name or "?", display=display)


def message(said: Message) -> Message:
    sender, to = party(said.sender), [party(recipient) for recipient in said.to]
    return msgspec.structs.replace(said, sender=sender, to=to, title=one_line(said.title, limits.TITLE_CHARS))


def sentence(said: str) -> str:
    """An explanation in which there may be words of others."""
    return one_line(said, SENTENCE_CHARS)
