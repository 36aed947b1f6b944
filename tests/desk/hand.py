"""The person at the throw-away desktop: looks for windows, moves the mouse, clicks, types. All by xdotool."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from tests.desk.processes import PATIENCE_S, wait_for


@dataclass(frozen=True)
class Window:
    """A window that can be seen, in pixels of the screen."""

    id: str
    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: "Window") -> bool:
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


class Hand:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)

    def _do(self, *args: str) -> str:
        done = subprocess.run(
            ["xdotool", *args], env=self._env, capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout

    def windows(self, *search: str) -> list[Window]:
        """Visible windows by xdotool's own search words, e.g. `"--class", "Dunst"` or `"--pid", "12"`."""
        ids = self._do("search", "--onlyvisible", "--all", *search).split()
        return [window for window in map(self._window, ids) if window]

    def _window(self, id_: str) -> Window | None:
        answer = self._do("getwindowgeometry", "--shell", id_)
        fields = dict(line.split("=", 1) for line in answer.split())
        if not {"X", "Y", "WIDTH", "HEIGHT"} <= fields.keys():
            return None  # closed meanwhile
        return Window(id_, int(fields["X"]), int(fields["Y"]), int(fields["WIDTH"]), int(fields["HEIGHT"]))

    def find(self, *search: str, what: str, timeout: float = PATIENCE_S) -> Window:
        return wait_for(lambda: self.windows(*search), what, timeout)[0]

    def popups(self) -> list[Window]:
        """The notification daemon's window: one for all that are shown, none when nothing is shown."""
        return self.windows("--class", "Dunst")

    def click(self, x: int, y: int, button: int = 1) -> None:
        self._do("mousemove", str(x), str(y), "click", str(button))

    def click_in(self, window: Window, x: int, y: int, button: int = 1) -> None:
        """Click at (x, y) within the window; negative numbers count from its right and lower edge."""
        self.click(
            window.x + (x if x >= 0 else window.width + x), window.y + (y if y >= 0 else window.height + y), button
        )

    def focus(self, window: Window) -> None:
        self._do("windowactivate", "--sync", window.id)

    def focused(self) -> str:
        """Id of the window that has the keyboard."""
        return self._do("getwindowfocus").strip()

    def workspace(self) -> int | None:
        """Number of the workspace that is seen; None where no window manager has any."""
        answer = self._do("get_desktop").strip()
        return int(answer) if answer.isdigit() else None

    def go_to_workspace(self, number: int) -> None:
        self._do("set_desktop", str(number))
        wait_for(lambda: self.workspace() == number, f"workspace {number}")

    def minimise(self, window: str) -> None:
        self._do("windowminimize", window)

    def close(self, window: Window) -> None:
        """As the window manager's close button does."""

        def has_keyboard() -> bool:
            self.focus(window)
            return self.focused() == window.id

        wait_for(has_keyboard, "the window to have the keyboard")
        self.press("alt+F4")

    def type(self, text: str) -> None:
        self._do("type", "--delay", "4", "--", text)

    def press(self, *keys: str) -> None:
        """Keys by their X names, e.g. `"ctrl+Return"`, `"Tab"`."""
        self._do("key", "--delay", "4", *keys)

    def away(self) -> None:
        """Move the pointer where it covers and hovers nothing."""
        self._do("mousemove", "640", "799")
