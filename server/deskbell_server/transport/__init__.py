"""Socket.IO for a Flask application, bounded and fast: what stands below Flask-SocketIO's public API.

    transport = make_transport(app, Options())
    transport.socketio.on_namespace(...)         # ordinary Flask-SocketIO handlers
    transport.hot("send", handler)               # the few hot events, below Flask's request context
    transport.serve("127.0.0.1", 8080)           # blocks until transport.stop()

Two kinds with one interface (`base.Transport`): `native` is the one to run, `stock` is Engine.IO's own code.
"""

from flask import Flask
from socketio.exceptions import ConnectionRefusedError  # noqa: A004 - its public name

from deskbell_server.transport.base import Later, Options, Transport

__all__ = ["ConnectionRefusedError", "Later", "Options", "Transport", "make_transport"]


def make_transport(app: Flask, options: Options) -> Transport:
    """The transport of the kind that `options` names; it wraps `app.wsgi_app`."""
    if options.kind == "stock":
        from deskbell_server.transport.stock import Stock  # the other kind is not loaded

        return Stock(app, options)
    from deskbell_server.transport.native import Native

    return Native(app, options)
