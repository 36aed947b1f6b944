"""The scripts have an order: what several pages use stands beside their folders, and what is shared stands once."""

import re
from pathlib import Path

from deskbell_protocol import limits

JS = Path(__file__).parent.parent.parent / "resources" / "deskbell_resources" / "web" / "js"
SCRIPTS = {path: path.read_text(encoding="utf-8") for path in sorted(JS.rglob("*.js"))}
IMPORTED = re.compile(r'\bfrom "(\.[^"]+)"')
FUNCTION = re.compile(r"^(export )?(?:async function |function |const (?=\w+ = (?:async )?\())(\w+)", re.MULTILINE)


def test_a_page_takes_nothing_from_another_page() -> None:
    taken = [
        (path, (path.parent / name).resolve()) for path, text in SCRIPTS.items() for name in IMPORTED.findall(text)
    ]
    assert len(taken) > 50
    inside = [(path, found) for path, found in taken if found.is_relative_to(JS)]
    assert [(path.name, found.name) for path, found in inside if found.parent not in (JS, path.parent)] == []


def test_names_of_wide_characters_fit_their_fields() -> None:
    """`maxlength` counts UTF-16 units, of which a character takes up to two."""
    found = re.findall(r'name: "(name|display)", [^}]*?maxlength: ([^,}]+?)(?:,| })', "\n".join(SCRIPTS.values()))
    name, display = f"2 * {limits.NAME_CHARS}", f"2 * {limits.DISPLAY_CHARS}"
    assert sorted(found) == [("display", display), ("name", name), ("name", name)]


def test_a_function_that_is_shared_is_written_once() -> None:
    functions = [found for text in SCRIPTS.values() for found in FUNCTION.findall(text)]
    names = [name for _, name in functions]
    shared = {name for exported, name in functions if exported}
    assert {"groupOf", "copyText", "labelOf"} <= shared
    assert sorted(name for name in shared if names.count(name) > 1) == []
