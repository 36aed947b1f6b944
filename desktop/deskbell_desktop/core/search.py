"""What a search compares: letters, whatever their case and width; and where in a text they stand."""

import unicodedata
from collections.abc import Iterator

from deskbell_protocol.wire import Content

BEFORE = 12
"""Characters of a line that are shown before a hit, so that it is in view in a narrow list."""


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def searched(content: Content) -> str:
    """What the search looks through."""
    return folded(f"{content.title}\n{content.body}")


def hits(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    """From and to of each place where `wanted`, which is folded, stands in `text`; in characters."""
    owners = [number for number, char in enumerate(text) for _ in folded(char)]
    whole = "".join(map(folded, text))
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        yield owners[at], owners[at + len(wanted) - 1] + 1
        at = whole.find(wanted, at + len(wanted))


def around(text: str, wanted: str, used: int = 0) -> str:
    """`text` beginning so that its first hit can be seen, where `used` characters of the line are taken."""
    whole = folded(text)
    at = whole.find(wanted) if len(whole) == len(text) else next(hits(text, wanted), (0, 0))[0]
    if at + used <= 2 * BEFORE:
        return text
    start = max(0, at - max(2, BEFORE - used))
    gap = text.find(" ", max(0, start - 1), at)  # a whole word, where words have gaps
    return "…" + text[start if gap < 0 else gap + 1 :]
