"""What can go wrong in the server: one tree, translated once at each door into a status or an answer.

DeskbellError
├── RefusedError          the request cannot be done as it is; `code` says why
│   ├── LimitedError      too much at once: `retry_after_s`
│   └── UnavailableError  the store cannot commit now: come back
├── OutcomeUnknownError   the database went away during the commit: `internal`; to be repeated with the same key
└── SetupError       the server cannot start, or a command cannot run; the text is for the person at the terminal
"""

import errno
import sys
from collections.abc import Sequence

from deskbell_protocol.errors import Code


class DeskbellError(Exception):
    """Base of all errors that the server raises itself."""


class RefusedError(DeskbellError):
    """A plain answer to a client: a code of the protocol, a sentence, and the names that this speaks of."""

    def __init__(self, code: Code, message: str, retry_after_s: float | None = None, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.names = list(names)


class LimitedError(RefusedError):
    """Too many of something; the client waits `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float, code: Code = Code.RATE_LIMITED) -> None:
        super().__init__(code, message, retry_after_s)


class UnavailableError(RefusedError):
    """Nothing was stored: the database is locked, full, read-only or away, or the server is shutting down."""

    def __init__(self, message: str = "the server cannot store anything right now", retry_after_s: float = 1.0) -> None:
        super().__init__(Code.UNAVAILABLE, message, retry_after_s)


class OutcomeUnknownError(DeskbellError):
    """Stored or not: the answer to the commit is lost. The same request with the same key finds out."""

    def __init__(self) -> None:
        super().__init__("the database went away while it stored this")


STORE_AWAY = (UnavailableError, OutcomeUnknownError)
"""What a loop meets while the database is away: it says so, and goes on the next time."""


class SetupError(DeskbellError):
    """Told to the person at the terminal, without a traceback."""


def remedy(extras: str) -> str:
    """Sentence that tells how a missing library is brought, while no release is published."""
    return f"In the clone of Deskbell, run: {sys.executable} -m pip install '.[{extras}]'"


def cannot_listen(host: str, port: int, problem: OSError) -> SetupError:
    """In words, with what to do where that is known."""
    match problem.errno:
        case errno.EADDRINUSE:
            return SetupError(f"port {port} is in use: another program listens there. Choose another with --port")
        case errno.EACCES:
            return SetupError(f"port {port} may not be used by this user. Choose one above 1023 with --port")
        case errno.EADDRNOTAVAIL:
            return SetupError(f"{host} is not an address of this computer. Choose another with --host")
        case _:
            return SetupError(f"cannot listen on {host}:{port}: {problem.strerror or problem}")
