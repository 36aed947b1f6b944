"""Texts and what is made of them, the same for server, desktop and pages."""

import json
from pathlib import Path

_FOLDER = Path(__file__).parent

LINKS: dict[str, tuple[str, list[tuple[str, str, str]]]] = json.loads((_FOLDER / "links.json").read_text("utf-8"))
"""A text, and the links in it: as written, where they lead, and the host that is looked up."""
_SEEN = json.loads((_FOLDER / "seen.json").read_text("utf-8"))
SEEN: dict[str, tuple[str, bool]] = _SEEN["seen"]
"""A text, and whether anything of it can be seen."""
CLEANED: dict[str, tuple[str, str]] = _SEEN["cleaned"]
"""A text, and what of it is shown."""
