"""A private D-Bus session bus, on which nothing is started by itself except what a test names."""

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from jeepney import DBusAddress, Message, MessageType, new_method_call
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.desk.processes import Child, wait_for

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

MONITORING = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring")
SYSTEM_SERVICES = Path("/usr/share/dbus-1/services")


class Bus:
    """One dbus-daemon. `services` are file names under the system's service folder that it may start on demand."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None, services: tuple[str, ...] = ()) -> None:
        (folder / "services").mkdir()
        for name in services:
            (folder / "services" / name).symlink_to(SYSTEM_SERVICES / name)
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(folder=folder))
        self.address = f"unix:path={folder}/bus"
        self._daemon = Child(["dbus-daemon", "--nofork", f"--config-file={config}"], folder / "bus.log", env=env)
        try:
            self._daemon.wait_until(lambda: _listens(folder / "bus"), "the session bus")
        except BaseException:
            self._daemon.stop()
            raise

    def connect(self) -> DBusConnection:
        return open_dbus_connection(self.address)

    def has_name(self, name: str) -> bool:
        with self.connect() as connection:
            reply = connection.send_and_get_reply(message_bus.NameHasOwner(name), timeout=5)
        return bool(reply.body[0])

    def wait_for_name(self, name: str, timeout: float = 15.0) -> float:
        """Wait until somebody owns `name`; the moment, by the monotonic clock."""
        wait_for(lambda: self.has_name(name), f"{name} on the session bus", timeout)
        return time.monotonic()

    def call(
        self, address: DBusAddress, method: str, signature: str | None = None, body: tuple[object, ...] = ()
    ) -> tuple[object, ...]:
        """One method call and its answer's body."""
        with self.connect() as connection:
            reply = connection.send_and_get_reply(new_method_call(address, method, signature, body), timeout=10)
        return tuple(reply.body)

    def caller(
        self, address: DBusAddress, method: str, signature: str, body: tuple[object, ...]
    ) -> Callable[[], Message]:
        """The same call again and again over one connection, which lasts as long as the caller."""
        connection = self.connect()
        return lambda: connection.send_and_get_reply(new_method_call(address, method, signature, body), timeout=30)

    def watch(self, member: str) -> "Watch":
        """Listen to every call of a method, whoever makes it."""
        return Watch(self.connect(), member)

    def stop(self) -> None:
        self._daemon.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listens(path: Path) -> bool:
    """The file is there a moment before anybody listens."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


class Watch:
    """Calls of one method since the watch began, as their bodies. The bus keeps them until they are asked for."""

    def __init__(self, connection: DBusConnection, member: str) -> None:
        self._connection = connection
        self._calls: list[tuple[object, ...]] = []
        rule = f"type='method_call',member='{member}'"
        connection.send_and_get_reply(new_method_call(MONITORING, "BecomeMonitor", "asu", ([rule], 0)), timeout=5)

    @property
    def calls(self) -> list[tuple[object, ...]]:
        with contextlib.suppress(TimeoutError):
            while True:
                message = self._connection.receive(timeout=0.05)
                if message.header.message_type is MessageType.method_call:
                    self._calls.append(tuple(message.body))
        return list(self._calls)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
