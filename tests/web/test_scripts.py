"""The scripts have an order: rooms of which each knows only those beneath it, and what is shared stands once."""

import re
from pathlib import Path

import pytest

from deskbell_protocol import limits

JS = Path(__file__).parent.parent.parent / "resources" / "deskbell_resources" / "web" / "js"
SCRIPTS = {path.relative_to(JS).as_posix(): path.read_text(encoding="utf-8") for path in sorted(JS.rglob("*.js"))}
IMPORTED = re.compile(r'\b(?:from |import\()"(\.[^"]+)"')
FUNCTION = re.compile(
    r"^(export )?(?:async )?(?:function |const (?=\w+ = (?:async )?(?:\w+|\([^()]*\)) =>))(\w+)", re.MULTILINE
)
BENEATH = {"core": ("core",), "io": ("core", "io"), "page": ("core", "io", "page")}
"""Of which rooms one may take something; a page of all these, and its own folder."""
WORLD = re.compile(
    r"\b(document|window|globalThis|navigator|location|localStorage|sessionStorage|indexedDB|fetch|Notification|AudioContext"
    r"|addEventListener|setTimeout|setInterval|queueMicrotask|performance|crypto|Promise|async|await"
    r"|Date\.now|new Date|Math\.random)\b"
)
LINES_MAX = 400


def breaches_of_rooms(path: str, text: str) -> list[str]:
    room = path.rpartition("/")[0]
    found = [(JS / path).parent.joinpath(name).resolve() for name in IMPORTED.findall(text)]
    inside = [taken.relative_to(JS).parent.as_posix() for taken in found if taken.is_relative_to(JS)]
    return [
        f"{path} takes from {other}" for other in inside if other not in (".", *BENEATH.get(room, (room, *BENEATH)))
    ]


def breaches_of_purity(path: str, text: str) -> list[str]:
    bare = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    bare = re.sub(r"(^|\s)//.*", "", bare)
    return [f"{path} knows {word}" for word in WORLD.findall(bare)] if path.startswith("core/") else []


def test_rooms_take_only_from_what_lies_beneath_them() -> None:
    assert {path.partition("/")[0] for path in SCRIPTS} > {*BENEATH, "inbox", "admin"}
    assert [breach for path, text in SCRIPTS.items() for breach in breaches_of_rooms(path, text)] == []


def test_the_core_knows_no_page_no_storage_and_no_clock() -> None:
    assert [breach for path, text in SCRIPTS.items() for breach in breaches_of_purity(path, text)] == []


def loaded_by(script: Path) -> set[Path]:
    """All that a script takes before it begins, and what that takes."""
    found: set[Path] = set()
    todo = {script.resolve()}
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            ours = path.read_text(encoding="utf-8") if path.is_relative_to(JS.resolve()) else ""
            todo |= {(path.parent / name).resolve() for name in re.findall(r'\bfrom "(\.[^"]+)"', ours)}
    return found


def test_the_inbox_asks_at_once_for_all_that_it_begins_with() -> None:
    """Without a list the browser learns of each only from the one that takes it, and waits for one after the other."""
    text = (JS.parent / "inbox.html").read_text(encoding="utf-8")
    named = re.findall(r'<link rel="modulepreload"[^>]* href="web/([^"]+)">', text)
    loaded = {path.relative_to(JS.parent.resolve()).as_posix() for path in loaded_by(JS / "inbox/main.js")}
    assert sorted([*named, "js/inbox/main.js"]) == sorted(loaded)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/log.js", 'import { h } from "../page/dom.js";'),
        ("io/store.js", 'import { t } from "../page/words.js";'),
        ("page/dom.js", 'import { Side } from "../inbox/side.js";'),
        ("admin/users.js", 'import { Side } from "../inbox/side.js";'),
    ],
)
def test_a_wrong_import_would_be_seen(path: str, text: str) -> None:
    assert breaches_of_rooms(path, text)


@pytest.mark.parametrize("text", ["const at = Date.now();", "/** When. */\nlocalStorage.clear();", "async f() {}"])
def test_a_core_that_knows_the_world_would_be_seen(text: str) -> None:
    assert breaches_of_purity("core/log.js", text)


def test_each_says_why_it_exists_and_does_one_thing() -> None:
    assert [path for path, text in SCRIPTS.items() if not text.startswith("// ")] == []
    assert [path for path, text in SCRIPTS.items() if text.count("\n") > LINES_MAX] == []


def test_names_of_wide_characters_fit_their_fields() -> None:
    """`maxlength` counts UTF-16 units, of which a character takes up to two."""
    found = re.findall(
        r'name: "(name|display)",[^}]*?maxlength: ([^,}]+?)(?:,| })', "\n".join(SCRIPTS.values()), re.DOTALL
    )
    name, display = f"2 * {limits.NAME_CHARS}", f"2 * {limits.DISPLAY_CHARS}"
    assert sorted(found) == [*[("display", display)] * 2, *[("name", name)] * 3]


def test_a_function_that_is_shared_is_written_once() -> None:
    functions = [found for text in SCRIPTS.values() for found in FUNCTION.findall(text)]
    names = [name for _, name in functions]
    shared = {name for exported, name in functions if exported}
    assert {"groupOf", "copyText", "labelOf"} <= shared
    assert sorted(name for name in shared if names.count(name) > 1) == []
