"""Text from others, made safe to show: popups get a short plain text, the window links that lead where they say."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from deskbell_desktop.core.hosts import host_of
from deskbell_protocol.characters import UNSEEN, can_be_seen

POPUP_CHARS = 300
LINE_CHARS = 120

_NAME_SEPARATORS = re.compile(r"[\s,;，；、]+")
_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029]")
_VARIATIONS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\ud800-\uf8ff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    "\U000f0000-\U0010ffff"
)
"""Controls, what turns the direction, private use, and what has no place in a script. Joiners and fillers have."""
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
"""Of England and the like, written with characters that elsewhere would hide words."""
_CLEANED = re.compile(f"({_FLAG}|[^{UNSEEN}][{_VARIATIONS}])|[{_HIDDEN}{_VARIATIONS}]")

_SCHEME = re.compile("https?://", re.IGNORECASE | re.ASCII)
_ADDRESS = re.compile(
    r"(https?)://(\[[0-9A-F.]*:[0-9A-F:.]*\]|[^\[\]:/?#@%]+)(?::([0-9]*))?(?![^/?#])(.*)", re.IGNORECASE | re.ASCII
)
_END = re.compile(r"[\s\x00-\x1f\x7f-\x9f<>\\，。；：！？、（）【】「」『』《》〈〉“”～]")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_CLOSED_BY = {**_BRACKETS, "<": "|", "|": "|", '"': '"', "'": "'", "`": "`", "*": "*"}
_TRAILING = ".,;:!?…»’"
_UNWRITTEN = re.compile(r'%(?![0-9A-Fa-f]{2})|["^`{|}]')
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")


@dataclass(frozen=True)
class Link:
    """`text[start:end]` leads to `url`; `host` is what a person should see before going there."""

    start: int
    end: int
    url: str
    host: str


def clean(text: str) -> str:
    """Without controls, what turns the direction, private use and hidden characters; line breaks are `\\n`."""
    return _CLEANED.sub(r"\1", _LINE_BREAKS.sub("\n", text))


def storable(text: str) -> str:
    """Without the halves of characters that a keyboard or a clipboard may leave; no file or wire takes those."""
    return text.encode(errors="replace").decode()


def one_line(text: str, limit: int = LINE_CHARS) -> str:
    """For titles and list rows; empty where nothing can be seen."""
    line = " ".join(clean(text[: limit * 8]).split())
    return _shorten(line, limit) if can_be_seen(line) else ""


def popup_body(text: str, limit: int = POPUP_CHARS) -> str:
    """For a popup: at most `limit` characters in at most six lines."""
    lines = [" ".join(line.split()) for line in clean(text[: limit * 8]).split("\n")]
    filled = [line for line in lines if line]
    return _shorten("\n".join(filled[:6]) + ("…" if len(filled) > 6 else ""), limit)


def names_in(text: str) -> tuple[str, ...]:
    """The names typed into `to`, each once, in order: separated by spaces, commas or semicolons, Chinese ones too."""
    return tuple(dict.fromkeys(name for name in _NAME_SEPARATORS.split(text) if name))


def links_in(text: str) -> Iterator[Link]:
    """The http and https addresses in `text` that can be opened, each rebuilt from its parts."""
    end = 0
    for match in _SCHEME.finditer(text):
        start = match.start()
        if start < end:
            continue
        end = _end_of_link(text, start)
        found = _address(text[start:end])
        if found is not None:
            yield Link(start, end, *found)


def safe_url(url: str) -> str | None:
    """`url` rebuilt when it may be opened: http or https, a host, nobody's name in front of it. Else None."""
    if _END.search(url) or clean(url) != url:
        return None
    found = _address(url)
    return found[0] if found else None


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _end_of_link(text: str, start: int) -> int:
    """Where the address that begins at `start` ends: at a space, or at what closes the sign right before it."""
    closing = _CLOSED_BY.get(text[start - 1 : start])
    expected: list[str] = []
    end = start
    for end in range(start, len(text) + 1):
        char = text[end : end + 1]
        if not char or _END.match(char) or (not expected and char == closing):
            break
        if expected and char == expected[-1]:
            expected.pop()
        elif char in _BRACKETS:
            expected.append(_BRACKETS[char])
        elif char == '"' and not expected:
            if text[end - 1] != "=":
                break
            expected.append(char)
    return start + _trimmed(text[start:end])


def _trimmed(found: str) -> int:
    """The length of `found` without the punctuation of the sentence around it; pairs that are whole inside it stay."""
    unpaired = {close: found.count(close) - found.count(opening) for opening, close in _BRACKETS.items()}
    unpaired |= {quote: found.count(quote) % 2 for quote in "\"'`"}
    length = len(found)
    while length and ((last := found[length - 1]) in _TRAILING or unpaired.get(last, 0) > 0):
        unpaired[last] = unpaired.get(last, 0) - 1
        length -= 1
    return length


def _address(url: str) -> tuple[str, str] | None:
    """The whole and the host as it is looked up (a look-alike shows as what it is), with the port that was given."""
    match = _ADDRESS.fullmatch(url)
    if match is None:
        return None
    scheme, name, port, rest = match.groups()
    try:
        host = host_of(name.strip("[]"))
        if _NUMBER.fullmatch(host):
            ipaddress.IPv4Address(host)  # in other forms it is somewhere else than it says
    except ValueError:
        return None
    if int(port or 0) > 65535:
        return None
    host += f":{int(port)}" if port else ""
    return f"{scheme.lower()}://{host}{_UNWRITTEN.sub(_escaped, rest)}", host


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def folded(name: str) -> str:
    """As the server compares names: letters of full and half width are the ordinary ones (RFC 8265)."""
    usual = re.sub("[\u3000\uff01-\uffee]+", lambda wide: unicodedata.normalize("NFKC", wide[0]), name)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", usual).casefold())
