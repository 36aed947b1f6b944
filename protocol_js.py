"""What the browser must know of the protocol, in its language: `.venv/bin/python protocol_js.py` writes it."""

import json
from pathlib import Path
from typing import Any

from deskbell_protocol import PROTOCOL_VERSION, limits
from deskbell_protocol.errors import FATAL, FINAL

FILE = Path(__file__).resolve().parent / "resources/deskbell_resources/web/js/protocol.js"


def text() -> str:
    """The whole file; a test says when it is out of date."""
    numbers = {name: value for name, value in vars(limits).items() if name.isupper()}
    known: dict[str, Any] = {"VERSION": PROTOCOL_VERSION, "LIMITS": numbers}
    lines = ["// Made by protocol_js.py: change it there."]
    lines += [f"export const {name} = {json.dumps(value)};" for name, value in known.items()]
    lines += [
        f"export const {name} = new Set({json.dumps(sorted(codes))});"
        for name, codes in (("FATAL", FATAL), ("FINAL", FINAL))
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
