"""What a refusal means to the person, by its code: the server's own sentence is English, and only for the log."""

import math
from collections.abc import Sequence

from deskbell_desktop.core import text
from deskbell_desktop.core.words import Words
from deskbell_protocol import names
from deskbell_protocol.errors import Code

NAMES_SHOWN = 5


def sentence(words: Words, code: str, whom: Sequence[str] = (), wait_s: float | None = None, size: int = 0) -> str:
    """`whom` are the names it was addressed to, or those that are meant; `size` the text's, in bytes."""
    match code:
        case Code.UNKNOWN_RECIPIENT:
            return words.nobody(_shown(whom))
        case Code.FORBIDDEN:
            return words.everyone_closed() if names.EVERYONE in whom else words.group_closed(_shown(whom))
        case Code.TOO_LARGE:
            return words.too_long(size)
        case Code.RATE_LIMITED:
            return words.too_fast(max(1, math.ceil(wait_s or 0)))
    plain = {
        Code.NOT_FOUND: words.answered_is_gone,
        Code.IDEMPOTENCY_CONFLICT: words.number_taken,
        Code.INVALID: words.not_valid,
        Code.BAD_REQUEST: words.versions_differ,
        Code.UNKNOWN_EVENT: words.versions_differ,
        Code.UNAUTHORIZED: words.sign_in_again,
        Code.REVOKED: words.sign_in_again,
        Code.TOO_MANY: words.too_many_devices,
        Code.BUSY: words.busy,
        Code.UPGRADE_REQUIRED: words.upgrade,
        Code.UNAVAILABLE: words.unavailable,
        Code.INTERNAL: words.server_failed,
    }
    return {str(known): say for known, say in plain.items()}.get(code, words.refused)()


def _shown(whom: Sequence[str]) -> str:
    return ", ".join(f"“{text.one_line(name, 64)}”" for name in whom[:NAMES_SHOWN]) + "…" * (len(whom) > NAMES_SHOWN)
