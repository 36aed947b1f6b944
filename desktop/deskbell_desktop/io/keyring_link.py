"""The system's keyring, asked by a process of its own for each question (`keyring_process`)."""

import json
import subprocess
import sys
import threading
from typing import Any

from deskbell_desktop.core.words import Words

PROGRAM = "deskbell_desktop.io.keyring_process"
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class SecretError(Exception):
    """The place for secrets cannot be used; the text says why."""


class KeyringLink:
    """In the shape of a keyring; each call waits for as long as its person lets it, on whatever thread asks.

    `close`, from another thread, ends the question that waits: nobody is asked for a password by a program that ended.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self._asking: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def get_password(self, service: str, entry: str) -> str | None:
        token = self._ask("get", service, entry)
        return None if token is None else str(token)

    def set_password(self, service: str, entry: str, token: str) -> None:
        self._ask("set", service, entry, token)

    def delete_password(self, service: str, entry: str) -> None:
        self._ask("delete", service, entry)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._asking is not None:
                self._asking.kill()

    def _ask(self, *words: str) -> Any:
        with self._lock:
            if self._closed:
                raise SecretError("the program has ended")
            # -P: a folder that somebody starts us in must not lend its modules to whoever holds the token
            self._asking = process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                creationflags=NO_WINDOW,
            )
        try:
            answer, _ = process.communicate(json.dumps(words))
        finally:
            with self._lock:
                self._asking = None
        return self._understood(answer, process.returncode)

    def _understood(self, answer: str, status: int) -> Any:
        try:
            said = json.loads(answer)
        except ValueError as error:
            raise SecretError(f"its process ended with {status}") from error
        if "token" not in said:
            raise SecretError(self._words.no_keyring() if "absent" in said else said["problem"])
        return said["token"]
