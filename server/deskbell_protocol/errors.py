"""Error codes and what each means to a client: the HTTP status, and whether coming back unchanged can help."""

from enum import StrEnum


class Code(StrEnum):
    """`code` of an HTTP error body, of a failed Socket.IO answer, of a refused connect and of `bye`."""

    BAD_REQUEST = "bad_request"  # not JSON, not an object, wrong content type
    UNAUTHORIZED = "unauthorized"  # no token, or one the server does not know
    REVOKED = "revoked"  # the device was signed out, or the account disabled
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    UNKNOWN_EVENT = "unknown_event"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"  # the same key with another body
    TOO_LARGE = "too_large"
    INVALID = "invalid"  # well-formed, but a field is missing, unknown or out of range
    UNKNOWN_RECIPIENT = "unknown_recipient"
    RATE_LIMITED = "rate_limited"
    TOO_MANY = "too_many"  # sockets of a device, devices of a user
    BUSY = "busy"
    UPGRADE_REQUIRED = "upgrade_required"  # `v` is not spoken here
    UNAVAILABLE = "unavailable"  # database locked, full or away; shutting down
    INTERNAL = "internal"  # unknown outcome: retry with the same key


HTTP_STATUS: dict[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORIZED: 401,
    Code.REVOKED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.UNKNOWN_EVENT: 404,
    Code.IDEMPOTENCY_CONFLICT: 409,
    Code.TOO_LARGE: 413,
    Code.INVALID: 422,
    Code.UNKNOWN_RECIPIENT: 422,
    Code.RATE_LIMITED: 429,
    Code.TOO_MANY: 429,
    Code.BUSY: 503,
    Code.UPGRADE_REQUIRED: 426,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}

FATAL = frozenset({Code.UNAUTHORIZED, Code.REVOKED, Code.UPGRADE_REQUIRED})
"""After these a client stops reconnecting and asks its person."""

FINAL = frozenset(
    {
        Code.BAD_REQUEST,
        Code.FORBIDDEN,
        Code.NOT_FOUND,
        Code.UNKNOWN_EVENT,
        Code.IDEMPOTENCY_CONFLICT,
        Code.TOO_LARGE,
        Code.INVALID,
        Code.UNKNOWN_RECIPIENT,
    }
)
"""A publish answered with these will never be accepted unchanged: the outbox shows it as failed."""
