"""Identifiers and clocks of the wire: UUIDv7 strings (RFC 9562) and milliseconds since the epoch, UTC."""

import os
import time


def now_ms() -> int:
    """The wall clock, in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def new_id(at: int | None = None) -> str:
    """A UUIDv7: 48 bits of time (`at`, milliseconds), 74 random bits. Sorts by time, but is never used as a cursor."""
    value = ((now_ms() if at is None else at) & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"  # uuid.UUID takes five times as long, twice per message
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
