"""The tray program as its own process on a throw-away desktop: started, looked at and used as a person would."""

import re
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from deskbell_desktop.config import SavedSettings, save_kept
from deskbell_desktop.io.secrets import SERVICE, TokenFile
from deskbell_protocol import wire
from tests.desk.hand import Hand, Window
from tests.desk.processes import PATIENCE_S, Child, NotInTimeError, tail, wait_for
from tests.desk.server import Login, Server

PROGRAM = Path(sys.executable).with_name("deskbell")
SIGN_IN = "Sign in to Deskbell"
WINDOW = "^Deskbell( \\(|$)"


class Place(Protocol):
    """What a client needs of the desktop that it runs on."""

    folder: Path
    env: dict[str, str]
    hand: Hand


class Client:
    """`profile` outlives a stop: the next start goes on where the last one ended."""

    def __init__(self, desk: Place, server: Server, name: str = "client") -> None:
        self._desk = desk
        self._server = server
        self._out = desk.folder / f"{name}.out.log"
        self.profile = desk.folder / "profiles" / name
        self.user_id = ""
        self._seen = 0
        self._asked_height = 0
        self._child: Child | None = None

    def sign_in_beforehand(self, login: Login, *, theme: str = "light") -> Self:
        """Leave the profile as a person does who has signed in and chosen to keep the sign-in in a file."""
        user = wire.parse(wire.Party, dict(login.user))
        self.user_id = user.id
        save_kept(
            self.profile / "settings.json",
            SavedSettings(server=self._server.url, user=user, theme=theme, token_in_file=True),  # type: ignore[arg-type]
        )
        entry = f"{user.name} at {self._server.url} ({self.profile})"
        TokenFile(self.profile / "token.json").set_password(SERVICE, entry, login.token)
        return self

    # -- running ---------------------------------------------------------------------------------------------------

    @property
    def process(self) -> Child:
        assert self._child, "the client was not started"
        return self._child

    def start(self, *, server: str = "", **env: str) -> Self:
        command = [str(PROGRAM), "--profile", str(self.profile), "--server", server or self._server.url]
        self._seen = len(self.log())
        self._child = Child(command, self._out, env={**self._desk.env, **env})
        return self

    def start_again(self) -> int:
        """Start the same profile while it runs, as a person does who clicks its icon; that start's exit code."""
        log = self._desk.folder / "again.out.log"
        return Child([str(PROGRAM), "--profile", str(self.profile)], log, env=self._desk.env).wait()

    def stop(self) -> int:
        return self.process.stop() if self._child is not None else 0

    # -- its log ---------------------------------------------------------------------------------------------------

    def log(self) -> str:
        path = self.profile / "deskbell.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def forget_log(self) -> None:
        """Look only at lines written from now on."""
        self._seen = len(self.log())

    def logged(self, pattern: str) -> list[str]:
        """First groups (or whole matches) of `pattern` in what was logged since the start, or since `forget_log`."""
        return [match.group(match.lastindex or 0) for match in re.finditer(pattern, self.log()[self._seen :])]

    def wait_for_log(self, pattern: str, timeout: float = PATIENCE_S) -> str:
        """The first match's first group."""
        try:
            found = self.process.wait_until(lambda: self.logged(pattern), f"“{pattern}” in its log", timeout)
        except NotInTimeError as missed:
            raise NotInTimeError(f"{missed}\n--- deskbell.log\n{tail(self.profile / 'deskbell.log')}") from None
        return found[0]

    def complaints(self) -> str:
        """What it said on standard output and error, which is nothing when all is well."""
        return self._out.read_text() if self._out.exists() else ""

    # -- its store -------------------------------------------------------------------------------------------------

    @property
    def store(self) -> Path:
        """The file of the local store."""
        (path,) = self.profile.rglob("*.db")
        return path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.store.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    # -- its windows -----------------------------------------------------------------------------------------------

    def windows(self, name: str = WINDOW) -> list[Window]:
        return self._desk.hand.windows("--pid", str(self.process.pid), "--name", name)

    def wait_for_window(self, name: str = WINDOW, timeout: float = PATIENCE_S) -> Window:
        try:
            return self.process.wait_until(lambda: self.windows(name), f"a window called {name!r}", timeout)[0]
        except NotInTimeError as missed:
            raise NotInTimeError(f"{missed}\n--- deskbell.log\n{tail(self.profile / 'deskbell.log')}") from None

    def wait_until_focused(self, window: Window) -> None:
        hand = self._desk.hand
        wait_for(lambda: hand.focused() == window.id, "the window to have the keyboard")

    def sign_in(self, name: str, password: str) -> None:
        """Fill in the sign-in window by keyboard. It begins in the first field that is empty."""
        window = self.wait_for_window(SIGN_IN)
        self._desk.hand.focus(window)
        self.wait_until_focused(window)
        self._desk.hand.type(name)
        self._desk.hand.press("Tab")
        self._desk.hand.type(password)
        self._asked_height = window.height
        self._desk.hand.press("Return")

    def wait_until_refused(self) -> None:
        """The sign-in window grows by the sentence that says what was wrong."""
        wait_for(lambda: self.windows(SIGN_IN)[0].height > self._asked_height, "the sign-in window to say a problem")

    def sign_in_again(self, password: str) -> None:
        """Type the password over the one that was refused, or into the field that waits for it."""
        window = self.wait_for_window(SIGN_IN)
        self._desk.hand.focus(window)
        self.wait_until_focused(window)
        self._desk.hand.press("ctrl+a")
        self._desk.hand.type(password)
        self._desk.hand.press("Return")

    def write(self, text: str) -> float:
        """Type into the window that has the keyboard and send it; the moment it was sent, by the monotonic clock."""
        self._desk.hand.type(text)
        self._desk.hand.press("ctrl+Return")
        return time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
