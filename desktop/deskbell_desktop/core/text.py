"""Text from others, made safe to show: popups get a short plain text, the window links that lead where they say."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from deskbell_desktop.core.hosts import host_of

POPUP_CHARS = 300
LINE_CHARS = 120

_NAME_SEPARATORS = re.compile(r"[\s,;，；、]+")
_LINK = re.compile(r"https?://[^\s<>\"'`|\\^{}\x00-\x1f\x7f-\x9f，。；：！？、（）【】「」《》“”]+", re.IGNORECASE)
_TRAILING = ".,;:!?…»’"
_CLOSING = {")": "(", "]": "["}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT_FORMAT = frozenset("\u200c\u200d")
"""Joiners: emoji families and several scripts need them."""


@dataclass(frozen=True)
class Link:
    """`text[start:end]` leads to `url`; `host` is what a person should see before going there."""

    start: int
    end: int
    url: str
    host: str


def clean(text: str) -> str:
    """Without control, bidi-override, private and invisible format characters; line breaks are `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(char for char in text if _shown(char))


def storable(text: str) -> str:
    """Without the halves of characters that a keyboard or a clipboard may leave; no file or wire takes those."""
    return text.encode(errors="replace").decode()


def one_line(text: str, limit: int = LINE_CHARS) -> str:
    """For titles and list rows."""
    return _shorten(" ".join(clean(text[: limit * 8]).split()), limit)


def popup_body(text: str, limit: int = POPUP_CHARS) -> str:
    """For a popup: at most `limit` characters in at most six lines."""
    lines = [" ".join(line.split()) for line in clean(text[: limit * 8]).split("\n")]
    filled = [line for line in lines if line]
    return _shorten("\n".join(filled[:6]) + ("…" if len(filled) > 6 else ""), limit)


def names_in(text: str) -> tuple[str, ...]:
    """The names typed into `to`, each once, in order: separated by spaces, commas or semicolons, Chinese ones too."""
    return tuple(dict.fromkeys(name for name in _NAME_SEPARATORS.split(text) if name))


def links_in(text: str) -> Iterator[Link]:
    """The http and https addresses in `text` that can be followed. Each is parsed once, and rebuilt from its parts."""
    for match in _LINK.finditer(text):
        found = _trim(match.group())
        parts = _split(found)
        if parts is not None:
            yield Link(match.start(), match.start() + len(found), urlunsplit(parts), parts.netloc)


def safe_url(url: str) -> str | None:
    """`url` rebuilt when it may be opened: http or https, a host, nobody's name in front of it. Else None."""
    if any(not _shown(char) or char.isspace() for char in url):
        return None
    parts = _split(url)
    return None if parts is None else urlunsplit(parts)


def _shown(char: str) -> bool:
    if char in "\n\t":
        return True
    return char in _KEPT_FORMAT or (char not in _BIDI and unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"})


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _trim(found: str) -> str:
    """Without the punctuation of the sentence around it; a closing bracket stays when it was opened inside."""
    while found:
        last = found[-1]
        if last in _TRAILING or (last in _CLOSING and found.count(last) > found.count(_CLOSING[last])):
            found = found[:-1]
        else:
            break
    return found


def _split(url: str) -> SplitResult | None:
    """The parts, host in the form that is looked up (punycode): a look-alike shows as what it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
            return None
        host = host_of(host)
    except ValueError:
        return None
    return parts._replace(netloc=host if port is None else f"{host}:{port}")
