"""Channels: where an entry of the log is visible. A channel is a number, made of those of the people and groups in it.

A pair of people (or somebody's notes to themselves) has the smaller number above and the larger one below; a group and
one person's own channel, for what only their devices are told, have theirs above. Source: DESIGN, "One log".
"""

from typing import Final

EVERYONE: Final = 0
GONE: Final = -1
"""Of what was forgotten: nobody sees it."""
NUMBER_MAX: Final = 2**31 - 1
"""Of people and groups: two of them are one positive number of 63 bits."""
_BITS: Final = 32
_BELOW: Final = 2**_BITS - 1


def pair(one: int, other: int) -> int:
    return min(one, other) << _BITS | max(one, other)


def group(number: int) -> int:
    return number << _BITS


def own(person: int) -> int:
    return person << _BITS | _BELOW


def person_of(channel: int) -> int | None:
    """The person's number, if it is their own."""
    above, below = divmod(channel, 1 << _BITS)
    return above if below == _BELOW else None


def group_of(channel: int) -> int | None:
    """The group's number, if it is a group's; everyone's is 0."""
    above, below = divmod(channel, 1 << _BITS)
    return None if below else above


def pair_of(channel: int) -> tuple[int, int] | None:
    """The numbers of both people, the smaller one first, if it is a pair's."""
    above, below = divmod(channel, 1 << _BITS)
    return None if below in (0, _BELOW) else (above, below)


NOT_OWN = f"& {_BELOW} <> {_BELOW}"
"""SQL behind the name of a channel: it is nobody's own, so that it holds messages."""
OF_GROUP = f"channel & {_BELOW} = 0"
"""SQL: it is a group's, or everyone's. The index of those who see a group knows the condition by these words."""
