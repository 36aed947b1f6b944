"""A tray's watcher whose host comes later, as in sessions where a service has the name and the panel the place.

The host comes when the file named in the argument exists; each icon that registers is a line on stdout.
"""

import sys
from pathlib import Path

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.kde.StatusNotifierWatcher"
EMITTER = DBusAddress("/StatusNotifierWatcher", NAME, NAME)


def answer(asked: Message, host: bool) -> Message:
    match asked.header.fields[HeaderFields.member]:
        case "Get" if asked.body[1] == "IsStatusNotifierHostRegistered":
            return new_method_return(asked, "v", (("b", host),))
        case "RegisterStatusNotifierItem":
            sys.stdout.write(f"registered {host}\n")
            sys.stdout.flush()
            return new_method_return(asked)
        case _:
            return new_error(asked, "org.freedesktop.DBus.Error.UnknownMethod")


def serve(bus: DBusConnection, sign: Path) -> None:
    host = False
    while True:
        if not host and sign.exists():
            host = True
            bus.send(new_signal(EMITTER, "StatusNotifierHostRegistered"))
        try:
            message = bus.receive(timeout=0.05)
        except TimeoutError:
            continue
        if message.header.message_type is MessageType.method_call:
            bus.send(answer(message, host))


with open_dbus_connection() as connection:
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    serve(connection, Path(sys.argv[1]))
