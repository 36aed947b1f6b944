"""Where the token rests between two starts: the keyring, on a thread of its own, because it may wait for a person."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import msgspec

from deskbell_desktop.core import text
from deskbell_desktop.core.account import TokenKept
from deskbell_desktop.core.events import Account
from deskbell_desktop.core.words import Words
from deskbell_desktop.io import private_file
from deskbell_desktop.io.keyring_link import KeyringLink
from deskbell_desktop.io.results import TokenLoaded

log = logging.getLogger(__name__)

SERVICE = "Deskbell"
ASKING_S, CHANGING_S = 0.5, 5.0
"""How long the end waits for a question, whose answer nobody needs any more, and for a change."""


class Secrets:
    """`load`, `keep` and `forget` return at once and are done in order. A keyring that blocks blocks nobody else."""

    def __init__(self, post: Callable[[object], None], profile: Path, words: Words, *, in_file: bool) -> None:
        self._post = post
        self._words = words
        self._profile = profile
        self._place = TokenFile(profile / "token.json") if in_file else KeyringLink(words)
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._patience_s = ASKING_S

    def load(self, account: Account) -> None:
        self._begin(ASKING_S, lambda: self._load(account))

    def keep(self, account: Account, token: str) -> None:
        self._begin(CHANGING_S, lambda: self._keep(account, token))

    def forget(self, account: Account) -> None:
        self._begin(CHANGING_S, lambda: self._forget(account))

    def close(self) -> None:
        """A change under way gets as long as a busy machine needs: the password would have to be typed anew. A keyring
        that waits for its person is then told never mind."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(self._patience_s)
            self._place.close()

    def _begin(self, patience_s: float, job: Callable[[], None]) -> None:
        self._patience_s = patience_s
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="keyring", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    # -- on the thread --------------------------------------------------------------------------------------------

    def _load(self, account: Account) -> None:
        token, problem = None, ""
        try:
            token = self._place.get_password(SERVICE, self._entry(account))
        except Exception as error:  # noqa: BLE001 - keyrings raise KeyringError, D-Bus and OS errors, anything
            problem = self._words.keyring_failed(_why(error))
            log.warning("keyring: %s", _why(error))
        self._post(TokenLoaded(account, token, problem))

    def _keep(self, account: Account, token: str) -> None:
        try:
            self._place.set_password(SERVICE, self._entry(account), token)
        except Exception as error:  # noqa: BLE001
            log.warning("keyring: %s", _why(error))
            self._post(TokenKept(self._words.not_kept(_why(error))))
        else:
            self._post(TokenKept())

    def _forget(self, account: Account) -> None:
        try:
            self._place.delete_password(SERVICE, self._entry(account))
        except Exception as error:  # noqa: BLE001 - it may not have been there; the server forgets it as well
            log.info("keyring: %s", _why(error))

    def _entry(self, account: Account) -> str:
        """One per profile: two profiles may hold two devices of the same account."""
        return f"{account.user.name} at {account.server} ({self._profile})"


class TokenFile:
    """Only by the person's own choice: readable for this user alone, but not encrypted. In the shape of a keyring."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_password(self, _service: str, entry: str) -> str | None:
        return self._read().get(entry)

    def set_password(self, _service: str, entry: str, token: str) -> None:
        self._write({**self._read(), entry: token})

    def delete_password(self, _service: str, entry: str) -> None:
        self._write({key: token for key, token in self._read().items() if key != entry})

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}

    def _write(self, tokens: dict[str, str]) -> None:
        private_file.write(self._path, msgspec.json.encode(tokens))


def _why(error: Exception) -> str:
    return text.one_line(str(error), 200).rstrip(".") or type(error).__name__
