"""A server for the tests that watch a process: `python served.py KIND JSON-OPTIONS` prints its port and serves."""

import json
import logging
import sys
from typing import Any

import flask_socketio
import gevent
from flask import Flask, request

from deskbell_server.transport import ConnectionRefusedError, Options, Transport, make_transport  # noqa: A004 - its public name


class Api(flask_socketio.Namespace):
    """Ordinary Flask-SocketIO handlers, with error handlers that would let anybody in."""

    def on_connect(self, auth: Any = None) -> Any:
        token = (auth or {}).get("token")
        if token == "raise":
            raise LookupError("database is away")
        if token == "type":
            raise TypeError("wrong type inside")
        if token == "slow":
            say("asked")
            gevent.sleep(0.3)
        if token == "false":
            return False
        if token not in {"good", "slow"}:
            raise ConnectionRefusedError("unauthorized", {"code": "unauthorized", "fatal": True})
        self.count("connects")
        flask_socketio.join_room("all")
        return None

    def on_disconnect(self, reason: str) -> None:
        self.count("disconnects")
        say(f"disconnected {reason}")

    def count(self, name: str) -> None:
        COUNTS[name] = COUNTS.get(name, 0) + 1

    def on_echo(self, *args: Any) -> Any:
        return args

    def on_fail(self, _data: Any = None) -> None:
        raise ValueError("secret detail")

    def error(self, error: Exception) -> Any:
        self.count("errors")
        return {"ok": True, "swallowed": str(error)}


COUNTS: dict[str, int] = {}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def build(kind: str, options: dict[str, Any]) -> Transport:
    app = Flask("served")
    app.config["SECRET_KEY"] = "for tests"
    transport = make_transport(app, Options(kind=kind, **options))  # type: ignore[arg-type]
    transport.socketio.on_namespace(Api("/"))
    transport.socketio.on_namespace(Api("/second"))
    transport.socketio.on_error_default(lambda error: {"ok": True, "swallowed": str(error)})

    def flood(sid: str, data: Any) -> int:
        """Send `count` messages of `size` bytes to the caller's room, from within one handler."""
        body = b'"n":0,"body":"%b"}' % (b"x" * data["size"])
        for _ in range(data["count"]):
            transport.fan_out("bulk", [(data["to"], b"{")], body)
            gevent.sleep(data.get("pause", 0))
        return 1

    def busy(_sid: str, data: Any) -> int:
        COUNTS["busy"] = COUNTS.get("busy", 0) + 1
        gevent.sleep(data)
        return COUNTS["busy"]

    transport.hot("flood", flood)
    transport.hot("busy", busy)
    transport.hot("whoami", lambda sid, _data: sid)
    transport.hot("join", lambda sid, room: transport.join(sid, room))
    transport.hot("counts", lambda _sid, _data: dict(COUNTS), inline=True)
    transport.hot("hot_fail", lambda _sid, _data: 1 // 0, inline=True)

    @app.get("/address")
    def address() -> str:
        return str(request.remote_addr)

    @app.post("/size")
    def size() -> str:
        return str(len(request.get_data()))

    return transport


def main() -> None:
    logging.basicConfig(level=logging.DEBUG, format="LOG %(name)s %(levelname)s %(message)s")
    transport = build(sys.argv[1], json.loads(sys.argv[2]))
    transport.serve("127.0.0.1", 0, on_ready=lambda: say(f"port {transport.port}"))


if __name__ == "__main__":
    main()
