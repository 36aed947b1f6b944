// Made by protocol_js.py: change it there.
export const VERSION = 2;
export const LIMITS = {"BODY_BYTES": 16384, "TITLE_CHARS": 250, "URL_CHARS": 2000, "RECIPIENTS": 500, "NAME_CHARS": 64, "DISPLAY_CHARS": 100, "KEY_CHARS": 64, "ID_CHARS": 36, "PASSWORD_CHARS_MIN": 8, "PASSWORD_CHARS_MAX": 1024, "REQUEST_BYTES": 65536, "SYNC_EVENTS": 200, "SYNC_BYTES": 262144, "READ_IDS": 200, "PAGE": 200, "SOCKETS_PER_DEVICE": 5, "DEVICES_PER_USER": 20, "ANSWER_S": 5.0, "HEAD_INTERVAL_S": 15.0, "HEAD_JITTER": 0.2, "ACK_INTERVAL_S": 2.0, "LOGIN_S": 10.0, "OUTBOX_LIFE_S": 259200.0, "IDEMPOTENCY_LIFE_S": 604800.0, "RECONNECT_FIRST_S": 0.5, "RECONNECT_MAX_S": 30.0, "RECONNECT_BUSY_S": 60.0, "PING_INTERVAL_S": 25.0, "PING_TIMEOUT_S": 20.0};
export const FATAL = new Set(["revoked", "unauthorized", "upgrade_required"]);
export const FINAL = new Set(["bad_request", "forbidden", "idempotency_conflict", "invalid", "not_found", "too_large", "unknown_event", "unknown_recipient"]);
