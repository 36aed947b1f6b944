"""What the desktop's settings portal says about light, dark and motion, where Qt itself does not know it."""

from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, new_method_call
from PySide6.QtCore import QObject, Signal

from deskbell_desktop.qt.session_bus import Call, SessionBus

SETTINGS: Final = "org.freedesktop.portal.Settings"
ADDRESS: Final = DBusAddress("/org/freedesktop/portal/desktop", "org.freedesktop.portal.Desktop", SETTINGS)
APPEARANCE: Final = "org.freedesktop.appearance"
GNOME: Final = "org.gnome.desktop.interface"
PREFER_DARK: Final = 1


class Portal(QObject):
    """Knows what was last heard: asks once and then listens. A desktop without portal says nothing: light, moving."""

    changed = Signal()

    def __init__(self, bus: SessionBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.dark = False
        self.reduced_motion = False
        bus.signal_received.connect(self._on_signal)
        bus.subscribe(MatchRule(type="signal", interface=SETTINGS, member="SettingChanged", path=ADDRESS.object_path))
        for namespace, key in (
            (APPEARANCE, "color-scheme"),
            (APPEARANCE, "reduced-motion"),
            (GNOME, "enable-animations"),
        ):
            self._ask(bus, namespace, key)

    def _ask(self, bus: SessionBus, namespace: str, key: str) -> None:
        message = new_method_call(ADDRESS, "Read", "ss", (namespace, key))
        bus.call(message, Call(lambda body, _sender: self._take(namespace, key, body[0]), lambda _name, _text: None))

    def _on_signal(self, message: Message) -> None:
        fields = message.header.fields
        if fields.get(HeaderFields.interface) == SETTINGS and fields.get(HeaderFields.member) == "SettingChanged":
            namespace, key, value = message.body
            self._take(namespace, key, value)

    def _take(self, namespace: str, key: str, value: Any) -> None:
        while isinstance(value, tuple):  # jeepney's variant is (signature, value); Read wraps one in another
            value = value[1]
        if (namespace, key) == (APPEARANCE, "color-scheme"):
            self.dark = value == PREFER_DARK
        elif (namespace, key) == (APPEARANCE, "reduced-motion"):
            self.reduced_motion = value == 1
        elif (namespace, key) == (GNOME, "enable-animations"):
            self.reduced_motion = value is False
        else:
            return
        self.changed.emit()
