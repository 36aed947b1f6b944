"""Which names and texts are accepted: what every door's words go through before a service uses them. Pure."""

import re
import unicodedata

from deskbell_protocol import limits
from deskbell_protocol.characters import can_be_seen
from deskbell_protocol.errors import Code
from deskbell_server.errors import RefusedError

_ALLOWED_CONTROLS = "\n\r\t"
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def folded(name: str) -> str:
    """`name` as it is compared: NFC and without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def named(char: str) -> str:
    """`char` in a sentence: what can be seen as it is, the rest by its word or its number."""
    words = {" ": "a space", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
    if char in words:
        return words[char]
    shown = can_be_seen(char) and unicodedata.category(char)[0] not in "CM"
    return f"the character “{char}”" if shown else f"the character U+{ord(char):04X}"


def check_text(field: str, text: str) -> None:
    """Refuses control characters other than line breaks and tabs, and lone surrogates; names the character."""
    found = _BAD.search(text)
    if found:
        raise RefusedError(Code.INVALID, f"{field}: {named(found[0])} is not allowed")


def check_body(body: str) -> None:
    check_text("body", body)
    if not can_be_seen(body):
        raise RefusedError(Code.INVALID, "body: there is nothing in it that can be seen")
    if len(body.encode()) > limits.BODY_BYTES:
        raise RefusedError(Code.TOO_LARGE, f"body: longer than {limits.BODY_BYTES} bytes")


def clean_name(name: str) -> str:
    """A user's name in NFC: 1 to 64 letters, digits and `._-`, of any script."""
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= limits.NAME_CHARS:
        raise RefusedError(Code.INVALID, f"name: must have 1 to {limits.NAME_CHARS} characters")
    for char in name:
        if not (char in "._-" or (unicodedata.category(char)[0] in "LMN" and can_be_seen(char))):
            raise RefusedError(Code.INVALID, f"name: {named(char)} is not a letter, a digit, or one of . _ -")
    return name


def clean_line(field: str, text: str) -> str:
    """Free text on one line, up to 100 characters: how a person, a group or a device is shown; or nothing to see."""
    text = unicodedata.normalize("NFC", text.strip())
    check_text(field, text)
    if len(text) > limits.DISPLAY_CHARS or any(c in text for c in _ALLOWED_CONTROLS):
        raise RefusedError(Code.INVALID, f"{field}: must be one line of at most {limits.DISPLAY_CHARS} characters")
    return text if can_be_seen(text) else ""


def check_password(password: str) -> None:
    if not limits.PASSWORD_CHARS_MIN <= len(password) <= limits.PASSWORD_CHARS_MAX:
        bounds = f"{limits.PASSWORD_CHARS_MIN} to {limits.PASSWORD_CHARS_MAX}"
        raise RefusedError(Code.INVALID, f"password: must have {bounds} characters")
    check_text("password", password)
