"""Socket.IO for a Flask application, bounded and fast: what stands below Flask-SocketIO's public API.

    transport = make_transport(app, Options())
    transport.socketio.on_namespace(...)         # ordinary Flask-SocketIO handlers
    transport.hot("send", handler)               # the few hot events, below Flask's request context
    transport.route("POST", "/send", answer)     # the few hot requests, below Flask
    transport.serve("127.0.0.1", 8080)           # blocks until transport.stop()

Two kinds with one interface (`base.Transport`): `native` is the one to run, `stock` is Engine.IO's own code under the
same rules (`guard`). A byte's way through the native kind:

    http -> handshake      an accepted socket, its first request, the upgrade       streams: plain or TLS
    answering              what is no upgrade: by a route, else by the application  requests: HTTP, read strictly
    engine -> connection   its connection: frames in, packets in order              frames, packets: pure
    guard -> handlers      Socket.IO, failing closed; Flask-SocketIO above it       rooms: who is where
    sending <- outbox      bounded, joined, in slices                               wheel: every deadline
    polling                the same bounds for clients by long polling

Internals of others that it leans on, to be looked at before their pins move:

    Flask-SocketIO 5.7    SocketIO._handle_event, sockio_mw, _SocketIOMiddleware, environ["saved_session"]
    python-socketio 5.18  Server._handle_eio_message, _handle_connect, _handle_disconnect, _handle_event, _handle_ack,
                          _handle_eio_disconnect, _trigger_event, _get_event_handler, _get_namespace_handler,
                          _send_packet, environ, not_handled; Manager (all that reads its tables), _generate_ack_id
    python-engineio 4.15  Server.sockets, _get_socket, _handle_connect, _bad_request, _ok, _trigger_event, generate_id;
                          BaseSocket's attributes and Socket.send, poll, close, schedule_ping, queue (long polling,
                          whose clients are ours to time out: monitor_clients is off; the stock kind)
    gevent 26.9           pywsgi.WSGIServer.do_read, do_handle, socket._accept; WSGIHandler(rfile=), handle,
                          handle_one_request, handle_one_response, run_application, finalize_headers, wsgi_input;
                          ssl.SSLSocket(_context=), _sslobj, _sock
    simple-websocket 1.1  environ["wsgi.input"].raw._sock, Server(max_message_size=), sock; python-engineio's wrapper of
                          it, server_args and ws (long polling upgraded)
"""

from flask import Flask
from socketio.exceptions import ConnectionRefusedError  # noqa: A004 - its public name

from deskbell_server.transport.base import Later, Options, Transport
from deskbell_server.transport.requests import Request

__all__ = ["ConnectionRefusedError", "Later", "Options", "Request", "Transport", "make_transport"]


def make_transport(app: Flask, options: Options) -> Transport:
    """The transport of the kind that `options` names; it wraps `app.wsgi_app`."""
    if options.kind == "stock":
        from deskbell_server.transport.stock import Stock  # the other kind is not loaded

        return Stock(app, options)
    from deskbell_server.transport.native import Native

    return Native(app, options)
