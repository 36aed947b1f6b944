"""Answers by HTTP as values: the same to the letter whether Flask sends them or the transport does."""

from typing import Any, NamedTuple

import msgspec
from werkzeug.http import HTTP_STATUS_CODES

from deskbell_protocol.errors import HTTP_STATUS, Code
from deskbell_server.errors import RefusedError

JSON = "application/json"


class Reply(NamedTuple):
    """`status` is the code and its reason."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])


def answer(body: Any, status: int = 200, *headers: tuple[str, str]) -> Reply:
    """`body` as JSON."""
    raw = msgspec.json.encode(body)
    line = f"{status} {HTTP_STATUS_CODES[status].upper()}"
    fixed = (("Content-Type", JSON), ("Content-Length", str(len(raw))), ("Cache-Control", "no-store"))
    return Reply(line, (*fixed, ("X-Content-Type-Options", "nosniff"), *headers), raw)


def failure(code: Code, message: str, status: int | None = None, retry_after_s: float | None = None) -> Reply:
    status = status or HTTP_STATUS[code]
    headers = []
    if retry_after_s is not None:
        headers.append(("Retry-After", str(max(1, round(retry_after_s + 0.499)))))
    if status == HTTP_STATUS[Code.UNAUTHORIZED]:
        headers.append(("WWW-Authenticate", 'Bearer realm="deskbell"'))
    return answer({"code": code.value, "message": message}, status, *headers)


def refusal(problem: RefusedError) -> Reply:
    return failure(problem.code, problem.message, retry_after_s=problem.retry_after_s)
