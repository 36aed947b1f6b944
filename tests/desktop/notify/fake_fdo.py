"""A notification daemon that does what a test tells it: run as a program, on the bus of its environment.

Speaks all of org.freedesktop.Notifications and KDE's inline reply, keeps every call with the D-Bus types it came
with, and obeys `org.deskbell.Test` at /test. `--caps=a,b` are its capabilities; `--refuse` refuses every Notify.
"""

import asyncio
import json
import sys
from typing import Annotated, Any

from dbus_fast import DBusError, ErrorType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

Strings = Annotated[list[str], DBusSignature("as")]
Closed = Annotated[tuple[int, int], DBusSignature("uu")]
Said = Annotated[tuple[int, str], DBusSignature("us")]

CAPS = "actions,body,body-markup,icon-static,persistence"


def plain(value: Any) -> Any:
    value = getattr(value, "value", value)
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


class Notifications(ServiceInterface):
    def __init__(self, caps: list[str], refuse: bool) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.caps, self.refuse = caps, refuse
        self.next = 1
        self.calls: list[dict[str, Any]] = []

    @dbus_method()
    def GetCapabilities(self) -> Strings:
        self.calls.append({"call": "GetCapabilities"})
        return self.caps

    @dbus_method()
    def Notify(
        self,
        app: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: DBusDict,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        if self.refuse:
            raise DBusError(ErrorType.LIMITS_EXCEEDED, "too many")
        number = replaces or self.next
        self.next = max(self.next, number + 1)
        self.calls.append(
            {
                "call": "Notify",
                "id": number,
                "app": app,
                "replaces": replaces,
                "icon": icon,
                "summary": summary,
                "body": body,
                "actions": actions,
                "hints": {key: plain(value) for key, value in hints.items()},
                "types": {key: value.signature for key, value in hints.items()},
                "timeout": timeout,
            }
        )
        return number

    @dbus_method()
    def CloseNotification(self, number: DBusUInt32) -> None:
        self.calls.append({"call": "CloseNotification", "id": number})
        self.NotificationClosed(number, 3)

    @dbus_signal()
    def NotificationClosed(self, number: int, reason: int) -> Closed:
        return number, reason

    @dbus_signal()
    def ActionInvoked(self, number: int, action: str) -> Said:
        return number, action

    @dbus_signal()
    def ActivationToken(self, number: int, token: str) -> Said:
        return number, token

    @dbus_signal()
    def NotificationReplied(self, number: int, text: str) -> Said:
        return number, text


class Control(ServiceInterface):
    def __init__(self, daemon: Notifications) -> None:
        super().__init__("org.deskbell.Test")
        self.daemon = daemon

    @dbus_method()
    def Calls(self) -> DBusStr:
        return json.dumps(self.daemon.calls)

    @dbus_method()
    def Invoke(self, number: DBusUInt32, action: DBusStr, token: DBusStr) -> None:
        if token:
            self.daemon.ActivationToken(number, token)
        self.daemon.ActionInvoked(number, action)
        self.daemon.NotificationClosed(number, 2)

    @dbus_method()
    def Reply(self, number: DBusUInt32, text: DBusStr) -> None:
        self.daemon.NotificationReplied(number, text)
        self.daemon.NotificationClosed(number, 2)

    @dbus_method()
    def Close(self, number: DBusUInt32, reason: DBusUInt32) -> None:
        self.daemon.NotificationClosed(number, reason)


async def main(arguments: list[str]) -> None:
    caps = next((a.removeprefix("--caps=") for a in arguments if a.startswith("--caps=")), CAPS)
    bus = await MessageBus().connect()
    daemon = Notifications([cap for cap in caps.split(",") if cap], "--refuse" in arguments)
    bus.export("/org/freedesktop/Notifications", daemon)
    bus.export("/test", Control(daemon))
    await bus.request_name("org.freedesktop.Notifications")
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
