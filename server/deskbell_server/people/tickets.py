"""Tickets: short strings that say something about a user or device, signed by this server and good for a while.

A web page's socket and API calls go by ticket, so that its cookie never authenticates them; links by which a password
is chosen are tickets too. The key lies beside the database in a file of its own: the database alone makes none.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from itsdangerous import BadSignature, Signer

from deskbell_protocol.ids import now_ms
from deskbell_server.errors import SetupError

PREFIX = "ticket."
SOCKET = "socket"
PASSWORD = "password"  # noqa: S105 - what a ticket is for
ADMIN = "admin"
SESSION = "session"
CSRF = "csrf"
KNOWN = "known"
KEY_BYTES = 32
KEY_MODE = 0o600


def read_key(path: Path) -> bytes:
    """The key in `path`, made at the first use. Of several processes that begin at once, all get the same."""
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as problem:
        raise SetupError(f"cannot use {path}: {problem.strerror}") from problem
    if len(key) != KEY_BYTES:
        raise SetupError(f"{path} is damaged: remove it; links and pages that are open must then be opened again")
    return key


def _make_key(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was quicker, and its key is the one
    finally:
        draft.unlink()


class Tickets:
    """`ticket.PURPOSE.UNTIL.SUBJECT.SIGNATURE`. With `bound`, it ends when that text is another one."""

    def __init__(self, key: bytes, now: Callable[[], int] = now_ms) -> None:
        self._key = key
        self._now = now

    def make(self, purpose: str, subject: str, life_s: float, *, bound: str = "") -> str:
        until = self._now() + round(life_s * 1000)
        return self._signer(f"ticket {bound}").sign(f"{PREFIX}{purpose}.{until}.{subject}").decode()

    def subject(self, purpose: str, ticket: str, *, bound: str = "") -> str | None:
        """Whom a good ticket of that purpose is about; None for any other text."""
        try:
            said = self._signer(f"ticket {bound}").unsign(ticket).decode()
        except BadSignature:
            return None
        found, until, subject = said.removeprefix(PREFIX).split(".")
        return subject if found == purpose and int(until) > self._now() else None

    def mark(self, purpose: str, subject: str) -> str:
        """A signature under these, which alone says nothing and does not end."""
        return self._signer(f"mark {purpose}").get_signature(subject).decode()

    def _signer(self, salt: str) -> Signer:
        return Signer(self._key, salt, key_derivation="hmac", digest_method=hashlib.sha256)


def claimed_subject(ticket: str) -> str:
    """Whom it claims to be about, before it is checked against what it is bound to."""
    parts = ticket.removeprefix(PREFIX).split(".")
    return parts[2] if len(parts) == 4 else ""
