"""Native popups on Linux: org.freedesktop.Notifications 1.2 with KDE's inline reply, over the shared bus connection.

Source: https://specifications.freedesktop.org/notification-spec/1.2/. Nothing here waits: a stalled daemon costs the
popups that it did not answer, and those go to the next candidate.
"""

import html
import logging
from dataclasses import dataclass
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, message_bus, new_method_call
from PySide6.QtCore import QCoreApplication, QObject

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.notifier import Notifier
from deskbell_desktop.qt import avatars
from deskbell_desktop.qt.session_bus import Call, SessionBus
from deskbell_desktop.qt.theme import LIGHT

log = logging.getLogger(__name__)

NAME: Final = "org.freedesktop.Notifications"
ADDRESS: Final = DBusAddress("/org/freedesktop/Notifications", NAME, NAME)
URGENCY: Final = {"low": 0, "normal": 1, "high": 1, "urgent": 2}
AVATAR_PX: Final = 64
EXPIRED: Final = 1
"""Why a popup is gone: its time was over, which says nothing of its person. Histories keep such ones."""
FOR_EVER: Final = 0
AS_DAEMON_LIKES: Final = -1

translate = QCoreApplication.translate


@dataclass
class _Shown:
    """One popup: the daemon's id as soon as it is known, and what is to happen when it becomes known.

    It stays known when it is gone from the screen: a daemon may keep a history, in which its actions still work.
    """

    popup: Popup
    id: int = 0
    asked: bool = True
    late: bool = False
    then: Popup | None = None
    withdrawn: bool = False
    dismissed: bool = False


class FreedesktopNotifier(Notifier):
    """Give it the bus before `bus.open()`, or open the bus later; popups wait until the daemon told what it can do."""

    def __init__(self, bus: SessionBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus = bus
        self._owner = ""
        self._capabilities: frozenset[str] | None = None
        self._down = False
        self._waiting: dict[str, Popup] = {}
        self._shown: dict[str, _Shown] = {}
        bus.signal_received.connect(self._on_signal)
        bus.lost.connect(self._fail)
        self._subscribe()
        self._look_up()

    def show(self, popup: Popup) -> None:
        if self._capabilities is None:
            self._waiting[popup.key] = popup
            return
        entry = self._shown.get(popup.key)
        if entry is not None and entry.asked:
            # Its id is still on the way; without it the daemon would show a second popup instead of replacing.
            entry.then, entry.withdrawn = popup, False
            return
        self._notify(popup, entry.id if entry is not None and not entry.dismissed else 0)

    def withdraw(self, key: str) -> None:
        self._waiting.pop(key, None)
        entry = self._shown.get(key)
        if entry is None:
            return
        if entry.asked:
            entry.withdrawn, entry.then = True, None
        else:
            self._take_back(key)

    def close(self) -> None:
        self._waiting.clear()
        for key in list(self._shown):
            self.withdraw(key)

    # -- what the daemon can do ---------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        for member in ("ActionInvoked", "NotificationClosed", "NotificationReplied", "ActivationToken"):
            self._bus.subscribe(
                MatchRule(type="signal", sender=NAME, interface=NAME, member=member, path=ADDRESS.object_path)
            )
        owner = MatchRule(
            type="signal", sender=message_bus.bus_name, interface=message_bus.interface, member="NameOwnerChanged"
        )
        owner.add_arg_condition(0, NAME)
        self._bus.subscribe(owner)

    def _look_up(self) -> None:
        self._bus.call(new_method_call(ADDRESS, "GetCapabilities"), Call(self._on_capabilities, self._on_no_daemon))

    def _on_capabilities(self, body: tuple[Any, ...], sender: str) -> None:
        self._owner = sender
        self._capabilities = frozenset(str(name) for name in body[0])
        log.info("popups through the desktop's daemon, which can: %s", " ".join(sorted(self._capabilities)))
        self._recover()
        waiting, self._waiting = self._waiting, {}
        for popup in waiting.values():
            self.show(popup)

    def _on_no_daemon(self, name: str, text: str) -> None:
        self._fail(f"no notification daemon ({name}: {text})")

    def _fail(self, reason: str) -> None:
        self._down = True
        waiting, self._waiting = self._waiting, {}
        self.failed.emit(reason, tuple(waiting.values()))

    def _recover(self) -> None:
        if self._down:
            self._down = False
            self.recovered.emit()

    # -- one popup ----------------------------------------------------------------------------------------------------

    def _notify(self, popup: Popup, replaces: int) -> None:
        entry = self._shown[popup.key] = _Shown(popup, replaces)
        can = self._capabilities or frozenset()
        arguments = (
            "Deskbell",
            replaces,
            "deskbell",
            *_words(popup, can),
            _actions(popup, can),
            _hints(popup, can),
            FOR_EVER if popup.priority == "urgent" else AS_DAEMON_LIKES,
        )
        call = Call(
            lambda body, _sender: self._on_shown(popup.key, entry, body[0]),
            lambda name, text: self._on_not_shown(popup.key, entry, name, text),
        )
        self._bus.call(new_method_call(ADDRESS, "Notify", "susssasa{sv}i", arguments), call)

    def _on_shown(self, key: str, entry: _Shown, notification_id: int) -> None:
        entry.asked, entry.id = False, notification_id
        if entry.late:
            # The next candidate shows it already.
            self._close_id(notification_id)
            self._recover()
        elif self._shown.get(key) is not entry:
            self._close_id(notification_id)  # the daemon restarted in between
        elif entry.withdrawn:
            self._take_back(key)
        elif entry.then is not None:
            self._notify(entry.then, notification_id)

    def _on_not_shown(self, key: str, entry: _Shown, name: str, text: str) -> None:
        if self._shown.get(key) is entry:
            del self._shown[key]
        entry.late = name == SessionBus.NO_ANSWER
        last = entry.then or entry.popup
        self._down = True
        self.failed.emit(f"a popup was not taken ({name}: {text})", () if entry.withdrawn else (last,))
        if not entry.late and self._capabilities is not None and self._owner:
            self._recover()  # it answers: only this popup was not to its liking

    def _take_back(self, key: str) -> None:
        """Off the screen and out of the daemon's history, which need not tell us so."""
        self._close_id(self._shown.pop(key).id)
        self.closed.emit(key)

    def _close_id(self, notification_id: int) -> None:
        message = new_method_call(ADDRESS, "CloseNotification", "u", (notification_id,))
        self._bus.call(message, Call(lambda _body, _sender: None, lambda _name, _text: None))

    # -- what the person did ------------------------------------------------------------------------------------------

    def _on_signal(self, message: Message) -> None:
        fields = message.header.fields
        member, sender = fields.get(HeaderFields.member), fields.get(HeaderFields.sender)
        if fields.get(HeaderFields.interface) == NAME and sender == self._owner:
            self._on_daemon(str(member), message.body)
        elif member == "NameOwnerChanged" and sender == message_bus.bus_name and message.body[0] == NAME:
            self._on_owner(str(message.body[2]))

    def _on_owner(self, owner: str) -> None:
        """The daemon came, went or was replaced: its ids mean nothing now."""
        gone, self._shown = list(self._shown), {}
        self._owner, self._capabilities = owner, None
        for key in gone:
            self.closed.emit(key)
        self._look_up()  # when it went, this starts it again where the bus can, and tells us where it cannot

    def _on_daemon(self, member: str, body: tuple[Any, ...]) -> None:
        key = next((key for key, entry in self._shown.items() if entry.id == body[0]), None)
        if key is None:
            return  # another program's
        if member == "ActivationToken":
            self.activation_token = str(body[1])
        elif member == "NotificationReplied":
            self.replied.emit(key, str(body[1]))
        elif member == "NotificationClosed":
            self._on_closed(key, reason=body[1])
        elif member == "ActionInvoked":
            self._on_action(key, str(body[1]))

    def _on_action(self, key: str, action: str) -> None:
        if action == "default":
            self.opened.emit(key)
        elif action == "reply":
            self.reply_requested.emit(key)
        elif action == "read":
            self.read_requested.emit(key)

    def _on_closed(self, key: str, reason: int) -> None:
        entry = self._shown[key]
        if entry.asked:
            entry.id = 0  # being replaced just now: the new one gets its own id
        elif reason != EXPIRED:
            entry.dismissed = True
            self.closed.emit(key)


def _words(popup: Popup, can: frozenset[str]) -> tuple[str, str]:
    """Summary and body. The summary is never markup, and all that is seen where there is no body."""
    if "body" not in can:
        return text.one_line(": ".join(part for part in (popup.title, popup.body) if part), text.POPUP_CHARS), ""
    return popup.title, html.escape(popup.body, quote=False) if "body-markup" in can else popup.body


def _actions(popup: Popup, can: frozenset[str]) -> list[str]:
    """Pairs of key and label. `default` is a click on the popup; some daemons draw it as a button, hence its label."""
    if "actions" not in can:
        return []
    actions = ["default", translate("Popup", "Open")]
    if popup.can_reply:
        actions += ["inline-reply" if "inline-reply" in can else "reply", translate("Popup", "Reply")]
    return [*actions, "read", translate("Popup", "Mark read")] if popup.can_mark_read else actions


def _hints(popup: Popup, can: frozenset[str]) -> dict[str, tuple[str, object]]:
    hints: dict[str, tuple[str, object]] = {
        "urgency": ("y", URGENCY[popup.priority]),
        "category": ("s", "im.received"),
        "desktop-entry": ("s", "deskbell"),
    }
    if popup.sender is not None:
        image = avatars.image(popup.sender, LIGHT, AVATAR_PX)
        size = (image.width(), image.height(), image.bytesPerLine(), True, 8, 4, bytes(image.constBits()))
        hints["image-data"] = ("(iiibiiay)", size)
    if popup.can_reply and "inline-reply" in can:
        hints["x-kde-reply-placeholder-text"] = ("s", translate("Popup", "Your answer"))
        hints["x-kde-reply-submit-button-text"] = ("s", translate("Popup", "Send"))
    return hints
