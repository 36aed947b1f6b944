"""Everything that is set, by whom it may be: command line, environment, the profile's own file. Read nowhere else."""

import argparse
import contextlib
import os
import platform
import socket
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from deskbell_desktop import __version__
from deskbell_desktop.core.events import Account, ProblemSeen
from deskbell_desktop.core.words import Words
from deskbell_desktop.io import private_file
from deskbell_protocol.wire import Party

Theme = Literal["system", "light", "dark"]


class SavedSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the profile's `settings.json` holds. Keys that are not known here are dropped at the next change."""

    server: str = ""
    """Where the last sign-in went."""
    user: Party | None = None
    server_id: str = ""
    theme: Theme = "system"
    quiet: bool = False
    allow_plain_http: bool = False
    ca_file: str = ""
    """Certificates (PEM) to trust instead of the system's."""
    token_in_file: bool = False
    """Keep the sign-in in a file of the profile, not encrypted, where there is no keyring."""
    known: dict[str, str] = {}
    """Server -> what it said at the last sign-in, for the next one. It opens nothing."""

    @property
    def account(self) -> Account | None:
        return None if self.user is None or not self.server else Account(self.server, self.user, self.server_id)

    def signed_in(self, account: Account, known: str) -> "SavedSettings":
        """The same after a sign-in."""
        servers = {**self.known, account.server: known}
        return replace(self, server=account.server, user=account.user, server_id=account.server_id, known=servers)


@dataclass(frozen=True)
class Settings:
    """Of this run. `server` is what the sign-in window begins with."""

    profile: Path
    folder: Path
    """Where starts of this profile find each other: only this user may write there."""
    server: str
    kept: SavedSettings
    activation_token: str = ""
    damaged: bool = False
    """The settings file could not be read; `kept` are the defaults."""
    screens: tuple[str, ...] = ()
    """Where windows of this start would open."""
    platform: str = ""
    """The one that Qt is told to use; empty: what the screens need."""

    @property
    def path(self) -> Path:
        return self.profile / "settings.json"

    @property
    def log_file(self) -> Path:
        return self.profile / "deskbell.log"

    @property
    def ca_file(self) -> Path | None:
        return Path(self.kept.ca_file).expanduser() if self.kept.ca_file else None

    @property
    def client(self) -> str:
        return f"deskbell/{__version__} {platform.system().lower()}"

    @property
    def device(self) -> str:
        """Under what name the person finds this computer in their list of devices."""
        return f"Deskbell on {socket.gethostname()}"[:100]


class SettingsFile:
    """The profile's own settings as they stand: written at each change, and told of what cannot be written."""

    def __init__(self, tell: Callable[[ProblemSeen], None], path: Path, kept: SavedSettings, words: Words) -> None:
        self.kept = kept
        self._tell = tell
        self._path = path
        self._words = words

    def keep_quiet(self, quiet: bool) -> None:
        self.keep(replace(self.kept, quiet=quiet))

    def keep(self, kept: SavedSettings) -> None:
        if kept == self.kept:
            return
        self.kept = kept
        problem = ""
        try:
            save_kept(self._path, kept)
        except OSError as error:
            problem = self._words.settings_not_kept(str(self._path), str(error.strerror))
        self._tell(ProblemSeen("settings", problem))


def read_words(argv: Sequence[str]) -> argparse.Namespace:
    """May end the program: `--help`, `--version`, and what the command line does not know."""
    return _parser().parse_args(argv)


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """May end the program, as `read_words`."""
    given = read_words(argv)
    profile = Path(given.profile or environ.get("DESKBELL_PROFILE") or default_profile()).expanduser().absolute()
    kept, damaged = load_kept(profile / "settings.json")
    token = environ.get("XDG_ACTIVATION_TOKEN") or environ.get("DESKTOP_STARTUP_ID") or ""
    server = given.server or environ.get("DESKBELL_SERVER") or kept.server
    runtime = Path(environ.get("XDG_RUNTIME_DIR", ""))
    folder = runtime if _is_private(runtime) else profile
    wayland = environ.get("WAYLAND_DISPLAY")
    screens = tuple(filter(None, (wayland and str(runtime / wayland), environ.get("DISPLAY", "").removesuffix(".0"))))
    return Settings(profile, folder, server, kept, token, damaged, screens, environ.get("QT_QPA_PLATFORM", ""))


def _is_private(folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    ours = found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder.is_absolute() and stat.S_ISDIR(found.st_mode) and ours


def this_environment() -> Mapping[str, str]:
    return os.environ


def default_profile() -> str:
    from platformdirs import user_data_path

    return str(user_data_path("deskbell", appauthor=False))


def load_kept(path: Path) -> tuple[SavedSettings, bool]:
    """What is kept, and whether it could not be read. A bad file is put aside, never fatal."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SavedSettings), False
    except FileNotFoundError:
        return SavedSettings(), False
    except OSError:
        return SavedSettings(), True
    except msgspec.DecodeError:
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        return SavedSettings(), True


def save_kept(path: Path, kept: SavedSettings) -> None:
    """Whole or not at all, readable for this user alone. Raises `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_file.write(path, msgspec.json.format(msgspec.json.encode(kept)))


def offer_activation(token: str) -> None:
    """On Wayland Qt takes the permission to raise a window from the environment, just before the window opens."""
    if token:
        os.environ["XDG_ACTIVATION_TOKEN"] = token


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskbell", description="Messages ring here, at your desk.")
    parser.add_argument("--profile", metavar="DIR", help="where settings, messages and the log are kept")
    parser.add_argument("--server", metavar="URL", help="the server that the sign-in window begins with")
    parser.add_argument(
        "--version", action="version", version=f"deskbell {__version__} on Python {sys.version.split()[0]}"
    )
    return parser
