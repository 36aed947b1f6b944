"""A settings portal that says dark and no motion, and turns light on SIGUSR1. Its argument is the bus."""

import asyncio
import signal
import sys
from typing import Annotated

from dbus_fast import DBusError, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature, DBusStr, DBusVariant
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

Change = Annotated[tuple[str, str, Variant], DBusSignature("ssv")]

APPEARANCE = "org.freedesktop.appearance"


class Settings(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.portal.Settings")
        self.values = {(APPEARANCE, "color-scheme"): Variant("u", 1)}
        self.values["org.gnome.desktop.interface", "enable-animations"] = Variant("b", False)

    @dbus_method(name="Read")
    def read(self, namespace: DBusStr, key: DBusStr) -> DBusVariant:
        if (namespace, key) not in self.values:
            raise DBusError("org.freedesktop.portal.Error.NotFound", "no such setting")
        return Variant("v", self.values[namespace, key])

    @dbus_signal(name="SettingChanged")
    def changed(self, namespace: str, key: str, value: Variant) -> Change:
        return namespace, key, value


async def main(address: str) -> None:
    bus = await MessageBus(bus_address=address).connect()
    settings = Settings()
    bus.export("/org/freedesktop/portal/desktop", settings)
    await bus.request_name("org.freedesktop.portal.Desktop")
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: settings.changed(APPEARANCE, "color-scheme", Variant("u", 2)))
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
