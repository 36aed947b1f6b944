"""What the HTTP door's routes share: permission, bodies, answers, and the one place where an error becomes a status."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

import gevent
import msgspec
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import ClosingIterator

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.edge import replies, wording
from deskbell_server.edge.replies import Reply
from deskbell_server.errors import RefusedError
from deskbell_server.people.devices import Devices
from deskbell_server.principals import Principal

log = logging.getLogger(__name__)
T = TypeVar("T")
View = Callable[..., Response]

SOCKET_PATH = "/socket.io/"
DIGITS = 16
"""Of a number in a query, at most."""
BODY_S = 10.0
"""A body that takes longer to arrive is given up."""


class Needs(Enum):
    """What a route asks of the one who calls it; every route says so."""

    NOTHING = "nothing"
    TOKEN = "token"  # noqa: S105 - the name of a need
    SESSION = "session"  # of a browser, by cookie
    ADMIN = "admin"  # an admin's session, confirmed by password


def needs(what: Needs) -> Callable[[View], View]:
    """Declares a route's permission. A route without it is closed."""

    def mark(view: View) -> View:
        view.needs = what  # type: ignore[attr-defined]
        return view

    return mark


def answer(body: Any, status: int = 200) -> Response:
    return _response(replies.answer(body, status))


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, reply.headers)


def body_as(type_: type[T]) -> T:
    """The request's JSON body, strictly."""
    if request.mimetype != "application/json":
        raise RefusedError(Code.BAD_REQUEST, "the body must be JSON, with Content-Type: application/json")
    raw = raw_body()
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as problem:
        if not raw.lstrip().startswith(b"{"):
            raise RefusedError(Code.BAD_REQUEST, "the body must be a JSON object") from problem
        raise wording.refused(problem) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise RefusedError(Code.BAD_REQUEST, "the body is not JSON") from problem


def raw_body() -> bytes:
    """At most 64 KiB, whatever `Content-Length` claims, and not for ever."""
    length = request.headers.get("Content-Length", "0")
    if not length.isascii() or not length.isdigit():
        raise RefusedError(Code.BAD_REQUEST, "Content-Length is not a number")
    if int(length) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"the body is longer than {limits.REQUEST_BYTES} bytes")
    try:
        with gevent.Timeout(BODY_S):
            raw = request.stream.read(limits.REQUEST_BYTES + 1)
    except gevent.Timeout:
        raise RefusedError(Code.BAD_REQUEST, "the body did not arrive") from None
    except OSError:
        raise RefusedError(Code.BAD_REQUEST, "the body did not arrive") from None
    if len(raw) > limits.REQUEST_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"the body is longer than {limits.REQUEST_BYTES} bytes")
    if len(raw) < int(length):
        raise RefusedError(Code.BAD_REQUEST, "the body is shorter than Content-Length says")
    return raw


def number(name: str, default: int | None, low: int, high: int) -> int | None:
    """A whole number of the query."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS or not low <= int(text) <= high:
        raise RefusedError(Code.INVALID, f"{name}: must be a whole number from {low} to {high}")
    return int(text)


def caller() -> Principal:
    """Whom the route's token names."""
    principal = g.principal
    assert isinstance(principal, Principal)
    return principal


@dataclass(frozen=True, slots=True)
class Gate:
    """Before and after every request of the application: who asks, and what went wrong."""

    devices: Devices
    sessions: Mapping[Needs, Callable[[], Principal]] = field(default_factory=dict)
    """How a need other than a token is met: whose session it is, or a refusal."""

    def install(self, app: Flask) -> None:
        app.before_request(self._before)
        app.after_request(self._after)
        app.register_error_handler(Exception, self._failed)

    def _before(self) -> None:
        g.request_id = request_id()
        g.since = time.monotonic()
        if request.url_rule is None:
            return
        need = getattr(current_app.view_functions.get(request.endpoint or ""), "needs", None)
        if need is Needs.NOTHING:
            return
        if need is Needs.TOKEN:
            g.principal = self.devices.identify(bearer(request.headers.get("Authorization", "")))
        elif isinstance(need, Needs) and need in self.sessions:
            g.principal = self.sessions[need]()
        else:
            raise RefusedError(Code.FORBIDDEN, "this address is closed")

    def _after(self, response: Response) -> Response:
        request_id = g.get("request_id", "-")
        response.headers["X-Request-Id"] = request_id
        since = g.get("since", time.monotonic())
        write_down(request_id, request.method, request.path, response.status_code, since, g.get("message_id"))
        return response

    def _failed(self, problem: Exception) -> Response:
        if isinstance(problem, RefusedError):
            return _response(replies.refusal(problem))
        if isinstance(problem, HTTPException):
            return http_failure(problem)
        return _response(failed(g.get("request_id", "-"), request.path, problem))


def http_failure(problem: HTTPException) -> Response:
    """What Flask itself refuses: unknown addresses, wrong methods, broken requests."""
    status = problem.code or 500
    if status < 400:
        return problem.get_response()  # type: ignore[return-value]
    codes = {404: Code.NOT_FOUND, 413: Code.TOO_LARGE}
    code = codes.get(status, Code.BAD_REQUEST if status < 500 else Code.INTERNAL)
    response = _response(replies.failure(code, problem.name.lower(), status))
    if status == 405:
        response.headers["Allow"] = problem.get_response().headers.get("Allow", "")
    return response


def printable(text: str) -> str:
    """`text` on one line of a log, whatever a stranger wrote into it."""
    return text[:200].encode("unicode_escape").decode("ascii")


def bearer(authorization: str) -> str:
    """The token of that header."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RefusedError(Code.UNAUTHORIZED, "sign in first: Authorization: Bearer TOKEN")
    return token.strip()


def request_id() -> str:
    return secrets.token_hex(6)


def failed(request_id: str, path: str, problem: BaseException) -> Reply:
    """The answer to what nobody foresaw, which the log knows more of."""
    log.error("%s %s failed", request_id, printable(path), exc_info=problem)
    return replies.failure(Code.INTERNAL, f"the server could not do this (request {request_id})")


def write_down(request_id: str, method: str, path: str, status: int, since: float, message_id: str | None) -> None:
    """The line of the log that each request has."""
    took_ms = (time.monotonic() - since) * 1000
    message = f" message {message_id}" if message_id else ""
    log.info("%s %s %s %d %.1f ms%s", request_id, method, printable(path), status, took_ms, message)


class InFlight:
    """Counts the requests that are being answered, so that a shutdown can wait for them.

    A long poll is none: it waits for the server, and what comes by it is counted where it is published.
    """

    def __init__(self, app: Flask) -> None:
        self.count = 0
        self._inner = app.wsgi_app
        app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith(SOCKET_PATH):
            return self._inner(environ, start_response)
        self.count += 1
        try:
            return ClosingIterator(self._inner(environ, start_response), self._done)
        except BaseException:
            self._done()
            raise

    def _done(self) -> None:
        self.count -= 1
