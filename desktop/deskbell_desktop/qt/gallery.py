"""Pictures of every window, for looking at: `python -m deskbell_desktop.qt.gallery OUTDIR`.

Starts an X server of its own (Xvfb) for each density, shows the widgets on it with sample data, and photographs it.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCommandLineOption, QCommandLineParser, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from deskbell_desktop.core.views import Link
from deskbell_desktop.qt import language, theme
from deskbell_desktop.qt.core_words import TranslatedWords
from deskbell_desktop.qt.found_list import FoundList
from deskbell_desktop.qt.gallery_samples import Sample, sample
from deskbell_desktop.qt.login import LoginDialog
from deskbell_desktop.qt.message_list import MessageList
from deskbell_desktop.qt.popup_frame import SHADOW, PopupFrame
from deskbell_desktop.qt.popup_window import PopupWindow
from deskbell_desktop.qt.reply_box import Editor
from deskbell_desktop.qt.reply_popup import ReplyPopup
from deskbell_desktop.qt.side import SearchField
from deskbell_desktop.qt.tray_icon import INKS, SIZES, Panel, State, tray_pixmap
from deskbell_desktop.qt.window import MainWindow

SCREEN: Final = (1472, 784)
GROUND: Final[dict[Panel, str]] = {"light": theme.LIGHT.background, "dark": theme.DARK.background, "unknown": "#8A8A8A"}
TRAYS: Final[tuple[tuple[State, int], ...]] = (
    ("idle", 0),
    ("unread", 1),
    ("unread", 3),
    ("unread", 12),
    ("unsent", 0),
    ("offline", 0),
    ("quiet", 0),
)


class Stage(QWidget):
    """Fills the screen with the scheme's background, so that a picture shows only our own."""

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint)
        self.setGeometry(0, 0, *SCREEN)
        self.paint: Callable[[QPainter], None] = lambda _painter: None

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colours().color("background"))
        self.paint(painter)


class Gallery:
    """Shows one thing after another and keeps its picture under a name that tells scheme, language and density."""

    def __init__(self, folder: Path, tag: str, what: Sample) -> None:
        self._folder = folder
        self._tag = tag
        self._what = what
        self._stage = Stage()
        self._stage.show()
        self._settle(self._stage)

    def shoot_all(self) -> None:
        self.shoot_window()
        self.shoot_search()
        self.shoot_pages()
        self.shoot_login()
        self.shoot_popups()
        self.shoot_trays()
        self.shoot_family()
        self._stage.hide()

    def shoot_window(self) -> None:
        window = self._window()
        self._shoot("window", window)
        conversation, more = self._what.conversations[2], self._what.alerts
        window.show_messages(conversation, more, has_older=False, unread=[message.key for message in more[3:]])
        self._settle(window)
        messages = window.findChildren(MessageList)[0]
        QTest.mouseDClick(messages.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(48, 87))
        self._shoot("unread", window)
        closed = replace(self._what.conversations[-1], closed=TranslatedWords().everyone_closed())
        window.show_messages(closed, self._what.messages[:1], has_older=False)
        self._shoot("closed", window)
        window.compose()
        window.set_people("", self._what.people)
        self._shoot("compose", window)
        window.hide()

    def shoot_search(self) -> None:
        """What was found, and the message that was gone to."""
        window = self._window()
        found = window.findChild(FoundList)
        search = window.findChild(SearchField)
        assert found is not None
        assert search is not None
        search.setText(self._what.found.wanted)
        window.show_found(self._what.found)
        QTest.keyClick(search, Qt.Key.Key_Down)
        QTest.keyClick(found, Qt.Key.Key_Down)
        window.show_messages(self._what.conversations[0], self._what.messages, has_older=False, focus="m2")
        self._shoot("search", window)
        window.hide()

    def shoot_pages(self) -> None:
        for name, status, rows in self._what.pages:
            window = MainWindow()
            window.show_status(status)
            if rows is not None:
                window.show_conversations(rows, None)
            self._shoot(name, window)
            window.hide()
        window = self._window()
        window.show_status(replace(self._what.status, link=Link.OFFLINE, away=self._what.problem))
        self._shoot("away", window)
        window.forget()
        window.show_status(self._what.status)
        window.welcome()
        window.show_conversations(self._what.conversations, None)
        self._shoot("welcome", window)
        window.hide()

    def shoot_login(self) -> None:
        login = LoginDialog()
        login.show_form("https://desk.example.org", "maria", self._what.problem)
        self._shoot("login", login)
        login.show_problem(TranslatedWords().plain_server("desk.example.org:8420"), at_server=True)
        self._shoot("login-server", login)
        login.show_form("http://desk.example.org", "maria")
        self._shoot("login-http", login)
        login.hide()

    def shoot_popups(self) -> None:
        windows = []
        below = 0
        for popup in self._what.popups:
            window = PopupWindow()
            window.show_popup(popup)
            window.place(below)
            window.appear()
            below += window.height() - 2 * SHADOW + 8
            windows.append(window)
        self._settle(*windows)
        area = windows[0].geometry().united(windows[-1].geometry())
        self._keep("popup", area.intersected(QRect(0, 0, *SCREEN)))
        for window in windows:
            window.hide()
        reply = ReplyPopup()
        reply.ask(self._what.popups[-1])
        editor = reply.findChild(Editor)
        assert editor is not None
        editor.insertPlainText(self._what.answer)
        self._settle(reply)
        self._keep("reply", reply.geometry().intersected(QRect(0, 0, *SCREEN)))
        reply.hide()

    def shoot_trays(self) -> None:
        self._stage.paint = _paint_trays
        self._stage.raise_()
        self._stage.update()
        self._settle(self._stage)
        self._keep("tray", QRect(0, 0, 744, 400))
        self._stage.paint = lambda _painter: None
        self._stage.update()

    def shoot_family(self) -> None:
        """All of them side by side, as a desk might look."""
        window = self._window()
        window.move(32, 32)
        popup = PopupWindow()
        popup.show_popup(self._what.popups[-1])
        popup.adjustSize()
        popup.move(1020, 20)
        popup.appear()
        login = LoginDialog()
        login.show_form("https://desk.example.org", "maria", self._what.problem)
        login.move(1032, 32 + popup.height())
        window.raise_()
        self._settle(window, popup, login)
        self._keep("family", QRect(0, 0, *SCREEN))
        for widget in (window, popup, login):
            widget.hide()

    def _window(self) -> MainWindow:
        window = MainWindow()
        window.show_status(self._what.status)
        window.show_conversations(self._what.conversations, self._what.conversations[0].id)
        window.show_messages(self._what.conversations[0], self._what.messages, has_older=False)
        window.open()
        return window

    def _shoot(self, name: str, widget: QWidget) -> None:
        widget.move(24, 24)
        widget.show()
        widget.raise_()
        self._settle(widget)
        self._keep(name, widget.geometry().adjusted(-24, -24, 24, 24))

    @staticmethod
    def _settle(*widgets: QWidget) -> None:
        for widget in widgets:
            QTest.qWaitForWindowExposed(widget)
        fading = any(isinstance(widget, PopupFrame) for widget in widgets)
        QTest.qWait(theme.FADE_MS + 80 if fading else 40)

    def _keep(self, name: str, area: QRect) -> None:
        screen = self._stage.screen()
        picture = screen.grabWindow(0, area.x(), area.y(), area.width(), area.height())
        if not picture.save(str(self._folder / f"{name}-{self._tag}.png")):
            raise OSError(f"{self._folder} cannot be written")


def _paint_trays(painter: QPainter) -> None:
    """Every state at every size, on a light, a dark and a grey panel, at its own size and four times enlarged."""
    y = 0
    panels: tuple[Panel, ...] = tuple(INKS)
    for panel in panels:
        grounds: tuple[Panel, ...] = ("light", "dark") if panel == "unknown" else (panel,)
        for ground in grounds:
            painter.fillRect(QRect(0, y, 744, 96), QColor(GROUND[ground]))
            x = 8
            for state, unread in TRAYS:
                for size in SIZES[:1]:
                    picture = tray_pixmap(state, unread, panel, size).scaled(64, 64)
                    painter.drawPixmap(QPoint(x, y + 4), picture)
                dx = 0
                for size in SIZES:
                    if size <= 24:
                        painter.drawPixmap(QPoint(x + dx, y + 70), tray_pixmap(state, unread, panel, size))
                        dx += size + 4
                x += 104
            y += 100


def _draw(folder: Path, display: str, scale: int) -> None:
    app = QApplication(["gallery", "-platform", "xcb", "-display", display])
    schemes: tuple[theme.Scheme, ...] = ("light", "dark")
    for tongue in ("en_GB", "zh_CN") if scale == 1 else ("zh_CN",):
        language.apply(app, tongue)
        for scheme in schemes if scale == 1 else schemes[:1]:
            theme.apply(app, scheme)
            Gallery(folder, f"{scheme}-{tongue[:2]}{'@2x' if scale == 2 else ''}", sample(tongue)).shoot_all()


def _on_own_screen(folder: Path, scale: int) -> int:
    read, write = os.pipe()
    size = f"{SCREEN[0] * scale}x{SCREEN[1] * scale}x24"
    server = subprocess.Popen(  # noqa: S603
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"],  # noqa: S607
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as ready:
            display = f":{ready.readline().strip()}"
        command = ["env", f"QT_SCALE_FACTOR={scale}", sys.executable, "-m", "deskbell_desktop.qt.gallery", str(folder)]
        return subprocess.run([*command, "--display", display, "--scale", str(scale)], check=False).returncode  # noqa: S603
    finally:
        server.terminate()
        server.wait()


def main(arguments: list[str]) -> int:
    display = QCommandLineOption(["display"], "", "screen")
    scale = QCommandLineOption(["scale"], "", "density", "1")
    parser = QCommandLineParser()
    parser.addOption(display)
    parser.addOption(scale)
    parser.addPositionalArgument("outdir", "where the pictures go")
    if not parser.parse(arguments) or len(parser.positionalArguments()) != 1:
        sys.stderr.write(parser.helpText())
        return 2
    folder = Path(parser.positionalArguments()[0])
    folder.mkdir(parents=True, exist_ok=True)
    if parser.isSet(display):
        _draw(folder, parser.value(display), int(parser.value(scale)))
        return 0
    return max(_on_own_screen(folder, density) for density in (1, 2))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
