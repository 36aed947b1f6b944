"""A whole throw-away desktop: screen, session bus, window manager, panel with a tray, notification daemon and keyring.

Everything is private to its folder, nothing of the person's own session is used, nothing is left when it is stopped.
"""

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from jeepney import DBusAddress

from tests.desk.bus import Bus
from tests.desk.hand import Hand, Window
from tests.desk.processes import Child, end_leftovers, tail, wait_for
from tests.desk.screen import Area, Screen

CONF = Path(__file__).parent / "conf"
WALLPAPER = 0x31465C
TRAY = Area(1254, 2, 26, 28)
"""Where the panel draws the only icon."""
TRAY_NAME = "org.kde.StatusNotifierWatcher"
NOTIFICATIONS_NAME = "org.freedesktop.Notifications"
SECRETS_NAME = "org.freedesktop.secrets"
KEYRING_PASSWORD = b"desk"
SECRETS = DBusAddress("/org/freedesktop/secrets", SECRETS_NAME, "org.freedesktop.Secret.Service")
COLLECTION = "/org/freedesktop/secrets/collection/login"

PROGRAMS = ("Xvfb", "dbus-daemon", "openbox", "xfce4-panel", "dunst", "gnome-keyring-daemon", "xdotool")


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class Parts:
    """What this desktop has; a poorer one has less."""

    panel: bool = True
    notifications: bool = True
    keyring: bool = True


WHOLE = Parts()


class Desk:
    """`env` is what programs on this desktop are started with; `hand` moves its mouse and types."""

    def __init__(self, folder: Path, parts: Parts = WHOLE) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._running: dict[str, Child] = {}
        try:
            self._build(parts)
        except BaseException:
            self.stop()
            raise

    def _build(self, parts: Parts) -> None:
        for name in ("home", "run", "config", "data", "cache", "state", "screen", "session"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        self._stack.callback(end_leftovers, f"XDG_RUNTIME_DIR={self.folder}/run")
        self.screen = self._stack.enter_context(Screen(self.folder / "screen"))
        self.env = _environment(self.folder, self.screen.display)
        self.bus = self._stack.enter_context(
            Bus(self.folder / "session", env=self.env, services=("org.xfce.Xfconf.service",))
        )
        self.env["DBUS_SESSION_BUS_ADDRESS"] = self.bus.address
        self.hand = Hand(self.env)
        self.screen.paint(WALLPAPER)
        self.start("openbox", "--sm-disable")
        if parts.panel:
            self.start_panel(wait=False)
        if parts.notifications:
            self.start_notifications(wait=False)
        if parts.keyring:
            self.start_keyring(wait=False)
        self._wait_for(parts)

    def _wait_for(self, parts: Parts) -> None:
        wanted = {TRAY_NAME: parts.panel, NOTIFICATIONS_NAME: parts.notifications, SECRETS_NAME: parts.keyring}
        for name in (name for name, there in wanted.items() if there):
            self.bus.wait_for_name(name)

    # -- the parts, each of which can go and come back -------------------------------------------------------------

    def start(self, program: str, *args: str, stdin: bytes | None = None) -> Child:
        """Start a program of the desktop; it ends with the desktop."""
        child = Child([program, *args], self.folder / f"{Path(program).name}.log", env=self.env, stdin=stdin)
        self._running[program] = child
        self._stack.callback(child.stop)
        return child

    def pid_of(self, program: str) -> int:
        return self._running[program].pid

    def end(self, program: str) -> None:
        self._running.pop(program).stop()

    def start_panel(self, *, wait: bool = True) -> None:
        channel = self.folder / "config/xfce4/xfconf/xfce-perchannel-xml"
        channel.mkdir(parents=True, exist_ok=True)
        shutil.copy(CONF / "xfce4-panel.xml", channel)
        self.start("xfce4-panel", "--disable-wm-check")
        if wait:
            self.bus.wait_for_name(TRAY_NAME)

    def start_notifications(self, *, wait: bool = True) -> None:
        self.start("dunst", "-config", str(CONF / "dunstrc"))
        if wait:
            self.bus.wait_for_name(NOTIFICATIONS_NAME)

    def start_keyring(self, *, wait: bool = True) -> None:
        """gnome-keyring with its login collection made and open."""
        control = f"--control-directory={self.folder}/run/keyring"
        self.start(
            "gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets", control, stdin=KEYRING_PASSWORD
        )
        if wait:
            self.bus.wait_for_name(SECRETS_NAME)

    def lock_keyring(self) -> None:
        self.bus.call(SECRETS, "Lock", "ao", ([COLLECTION],))

    # -- what the person does with a popup, and sees of the tray ------------------------------------------------------

    def choose(self, popup: Window, action: str) -> None:
        """Right-click the popup and pick an action by its label."""
        (self.folder / "run/choice").write_text(action)
        self.hand.click_in(popup, 20, 20, button=3)

    def click_tray(self) -> None:
        """Click the icon at the panel's end, once it is drawn: the panel takes its time to place a new one."""
        wait_for(lambda: not self.screen.is_plain(TRAY), "an icon in the tray")
        self.hand.click(TRAY.x + TRAY.width // 2, TRAY.y + TRAY.height // 2)

    def tray_items(self) -> list[str]:
        """Bus names and paths of the icons in the tray."""
        watcher = DBusAddress("/StatusNotifierWatcher", TRAY_NAME, "org.freedesktop.DBus.Properties")
        answer = self.bus.call(watcher, "Get", "ss", (TRAY_NAME, "RegisteredStatusNotifierItems"))
        return list(answer[0][1])  # type: ignore[index]

    # -- looking -------------------------------------------------------------------------------------------------

    def save_evidence(self, folder: Path) -> None:
        """The screen as it is and every program's log, for somebody who was not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.screen.save(folder / "screen.png")
        for log in self.folder.parent.rglob("*.log"):
            shutil.copy(log, folder / log.name)

    def log_tails(self) -> str:
        return "\n".join(f"--- {log.name}\n{tail(log)}" for log in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _environment(folder: Path, display: str) -> dict[str, str]:
    """What a session of somebody with an empty home would have; of the caller's own only the search path."""
    return {
        "PATH": f"{CONF}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "USER": "desk",
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_SESSION_TYPE": "x11",
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "NO_AT_BRIDGE": "1",
        "GSETTINGS_BACKEND": "memory",
        "GIO_USE_VFS": "local",
    }
