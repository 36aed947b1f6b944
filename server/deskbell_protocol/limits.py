"""What a message, a request and a connection may be at most. Sizes in bytes of UTF-8 unless said; times in seconds."""

from typing import Final

BODY_BYTES: Final = 16 * 1024
TITLE_CHARS: Final = 250
URL_CHARS: Final = 2000
RECIPIENTS: Final = 500
"""Names in one `to`; a group counts as one name."""
NAME_CHARS: Final = 64
DISPLAY_CHARS: Final = 100
KEY_CHARS: Final = 64
"""Length of an idempotency key (`Idempotency-Key`, `cid`)."""
ID_CHARS: Final = 36
"""Length of an id, of whatever it is."""
PASSWORD_CHARS_MIN: Final = 8
PASSWORD_CHARS_MAX: Final = 1024
REQUEST_BYTES: Final = 64 * 1024
"""One HTTP request body, and one WebSocket message, before and after login."""

SYNC_EVENTS: Final = 200
SYNC_BYTES: Final = 256 * 1024
"""A sync answer ends here, before the log does, so that catching up never looks like a slow reader."""
READ_IDS: Final = 200
PAGE: Final = 200
"""Messages in one page of history."""

SOCKETS_PER_DEVICE: Final = 5
DEVICES_PER_USER: Final = 20

ANSWER_S: Final = 5.0
"""Every client event is answered within this."""
HEAD_INTERVAL_S: Final = 15.0
HEAD_JITTER: Final = 0.2
ACK_INTERVAL_S: Final = 2.0
LOGIN_S: Final = 10.0
"""From the opened transport to an accepted CONNECT; closed after that."""
OUTBOX_LIFE_S: Final = 72 * 3600.0
IDEMPOTENCY_LIFE_S: Final = 7 * 86400.0
RECONNECT_FIRST_S: Final = 0.5
RECONNECT_MAX_S: Final = 30.0
RECONNECT_BUSY_S: Final = 60.0
PING_INTERVAL_S: Final = 25.0
PING_TIMEOUT_S: Final = 20.0
