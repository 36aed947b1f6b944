"""Which characters can be seen: one rule for the server, the desktop and, held against it by a test, the pages.

By what no later Unicode takes back, not by the tables of the Python that runs: an old server sees a new emoji.
"""

import re
from typing import Final

_CONTROLS = "\x00-\x1f\x7f-\x9f"
_SURROGATES_AND_PRIVATE = "\ud800-\uf8ff\U000f0000-\U0010ffff"
_DEFAULT_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode 17.0 (DerivedCoreProperties.txt)."""
_BLANK = "\u2800\ufff9-\ufffc\U00013430-\U00013442\U00016fe4\U0001d159"
"""Drawn, and with nothing in it: Braille's blank, frames of annotations and objects, Egyptian joiners, fillers."""

UNSEEN: Final = rf"\s{_CONTROLS}{_SURROGATES_AND_PRIVATE}{_DEFAULT_IGNORABLE}{_BLANK}"
"""The inside of a regular expression's character class."""
_SEEN = re.compile(f"[^{UNSEEN}]")


def can_be_seen(text: str) -> bool:
    """Whether anything of `text` leaves ink on a screen."""
    return _SEEN.search(text) is not None
