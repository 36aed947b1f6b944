"""Passwords as argon2id hashes, reckoned in native threads, at most two at once, so that the loop goes on."""

import contextlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from gevent.threadpool import ThreadPool

from deskbell_protocol.errors import Code
from deskbell_server.errors import LimitedError
from deskbell_server.people import texts

AT_ONCE = 2
WAITING_MAX = 50


class Passwords:
    """m = 19 MiB, t = 2, p = 1: the floor that OWASP names."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._threads = ThreadPool(AT_ONCE)
        self._waiting = 0
        self._dummy = self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        return str(self._in_thread(self._hasher.hash, texts.opaque(password)))

    def verify(self, password_hash: str | None, password: str) -> bool:
        """With no hash (no such user) it takes as long, and is false. Before RFC 8265 what was typed was hashed."""
        matches = self._in_thread(self._matches, password_hash or self._dummy, texts.opaque(password), password)
        return bool(matches) and password_hash is not None

    def close(self) -> None:
        self._threads.kill()

    def _matches(self, password_hash: str, *typed: str) -> bool:
        for password in dict.fromkeys(typed):
            with contextlib.suppress(VerificationError, InvalidHashError):
                return self._hasher.verify(password_hash, password)
        return False

    def _in_thread(self, work: object, *arguments: str) -> object:
        if self._waiting >= WAITING_MAX:
            raise LimitedError("too many sign in at once", 2.0, Code.BUSY)
        self._waiting += 1
        try:
            return self._threads.apply(work, arguments)
        finally:
            self._waiting -= 1
