"""Which names and texts are accepted: what every door's words go through before a service uses them. Pure."""

import contextlib
import re
import unicodedata
from typing import Any

from deskbell_protocol import limits
from deskbell_protocol.characters import can_be_seen
from deskbell_protocol.errors import Code
from deskbell_server.errors import RefusedError

_ALLOWED_CONTROLS = "\n\r\t"
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


_HIDDEN = re.compile("[\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""Without a width, turning what follows, or ending the line; not what holds letters and emoji together."""


def folded(name: str) -> str:
    """`name` as it is compared: in one width and form, without case. What is no name is only like itself."""
    if name.isascii():
        return name.lower()
    with contextlib.suppress(UnicodeEncodeError):
        name = _precis("UsernameCasePreserved").enforce(name)
    return folded_before(name)


def folded_before(name: str) -> str:
    """As it was compared before RFC 8265: accounts from then are kept so."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def opaque(password: str) -> str:
    """`password` as it is hashed, however a keyboard composed it: OpaqueString of RFC 8265, and NFC where that profile
    refuses it, as it does emoji.
    """
    try:
        return str(_precis("OpaqueString").enforce(password))
    except UnicodeEncodeError:
        return unicodedata.normalize("NFC", password)


def _precis(profile: str) -> Any:
    from precis_i18n import get_profile  # 15 ms, and most names are ASCII

    return get_profile(profile)


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
    """A user's name: 1 to 64 letters, digits and `._-`, of any script, none that looks like another or like nothing
    (UsernameCasePreserved of RFC 8265; compared it is UsernameCaseMapped).
    """
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= limits.NAME_CHARS:
        raise RefusedError(Code.INVALID, f"name: must have 1 to {limits.NAME_CHARS} characters")
    for char in name:
        if not (char in "._-" or (unicodedata.category(char)[0] in "LMN" and can_be_seen(char))):
            raise RefusedError(Code.INVALID, f"name: {named(char)} is not a letter, a digit, or one of . _ -")
    try:
        return str(_precis("UsernameCasePreserved").enforce(name))
    except UnicodeEncodeError as problem:
        what = named(problem.object[problem.start])
        why = "and letters of the other direction" if "bidi" in problem.reason else "or what it looks like"
        raise RefusedError(Code.INVALID, f"name: {what} {why} cannot stand in a name") from problem


def clean_line(field: str, text: str) -> str:
    """Free text on one line, up to 100 characters: how a person, a group or a device is shown; or nothing to see."""
    text = unicodedata.normalize("NFC", text.strip())
    check_text(field, text)
    if not can_be_seen(text):
        return ""
    if hidden := _HIDDEN.search(text):
        raise RefusedError(Code.INVALID, f"{field}: {named(hidden[0])} is not allowed")
    if len(text) > limits.DISPLAY_CHARS or any(c in text for c in _ALLOWED_CONTROLS):
        raise RefusedError(Code.INVALID, f"{field}: must be one line of at most {limits.DISPLAY_CHARS} characters")
    return text


def check_password(password: str) -> None:
    if not limits.PASSWORD_CHARS_MIN <= len(password) <= limits.PASSWORD_CHARS_MAX:
        bounds = f"{limits.PASSWORD_CHARS_MIN} to {limits.PASSWORD_CHARS_MAX}"
        raise RefusedError(Code.INVALID, f"password: must have {bounds} characters")
    check_text("password", password)
