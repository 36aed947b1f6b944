"""What is refused below the application: it looks like any other answer, and closes the connection."""

from typing import Any, Final

import msgspec

from deskbell_protocol.errors import Code

_REASONS: Final = {
    400: ("Bad Request", Code.BAD_REQUEST),
    403: ("Forbidden", Code.FORBIDDEN),
    408: ("Request Timeout", Code.BAD_REQUEST),
    413: ("Content Too Large", Code.TOO_LARGE),
    414: ("URI Too Long", Code.TOO_LARGE),
    426: ("Upgrade Required", Code.UPGRADE_REQUIRED),
    431: ("Request Header Fields Too Large", Code.TOO_LARGE),
    500: ("Internal Server Error", Code.INTERNAL),
    503: ("Service Unavailable", Code.BUSY),
}
"""Of each status the reason, and the `code` in the body."""


class HandshakeError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def response(status: int, reason: str, *headers: str) -> bytes:
    """A whole HTTP answer that closes the connection; its body says `reason`."""
    body = refusal_body(status, reason)
    lines = [f"HTTP/1.1 {status_line(status)}", *headers, "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def status_line(status: int) -> str:
    return f"{status} {_REASONS[status][0]}"


def refusal_body(status: int, reason: str) -> bytes:
    return msgspec.json.encode({"code": _REASONS[status][1], "message": reason})


def refusal(error: HandshakeError) -> bytes:
    extra = ["Sec-WebSocket-Version: 13"] if error.status == 426 else []
    if error.status == 503:
        extra.append("Retry-After: 5")
    return response(error.status, str(error), *extra)


def busy(reason: str) -> dict[str, Any]:
    """The same 503 as python-engineio's code answers with."""
    headers = [("Content-Type", "application/json"), ("Retry-After", "5")]
    return {"status": status_line(503), "headers": headers, "response": refusal_body(503, reason)}
