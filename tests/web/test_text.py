"""The pages' reading of texts: what can be seen, what is hidden, where links lead; the same as the desktop's."""

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deskbell_desktop.core import text
from deskbell_protocol.characters import can_be_seen
from deskbell_server.people import texts as server
from tests.conftest import require
from tests.texts import CLEANED, LINKS, SEEN

SCRIPT = Path(__file__).parent.parent.parent / "resources" / "deskbell_resources" / "web" / "js" / "core" / "text.js"
Answer = tuple[list[bool], str, list[tuple[int, int, str, str]]]
"""Which lines can be seen, the text cleaned, the links from where to where and whither."""
NAMES = ["bob", "BOB", "ｂｏｂ", "ＢＯｂ", "straße", "STRASSE", "ﾊﾞﾝ", "バン", "ÅSA", "a\u030asa", "ΣΟΦΟΣ", "σοφοσ"]
Read = Callable[[list[str]], list[Answer]]
pytestmark = pytest.mark.real

PIECES = [
    *(
        "http://",
        "https://",
        "HTTP://",
        "/",
        ":",
        "?",
        "#",
        "&",
        "=",
        "@",
        "%",
        "%41",
        ".",
        ",",
        "80",
        "[::1]",
        "127.1",
    ),
    *("a", "b.test", "例", "ß", "a-b", "/🛎️", "?x=\u200d", "/\ufe0f", "[", "]", "(", ")", "{", "}", "<", ">", "\\"),
    *("'", '"', "`", "|", "*", "（", "）", "，", "～", " ", "\n"),
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the pages' answers lie."""
    return tmp_path_factory.mktemp("text")


@pytest.fixture(scope="module")
def read(asked: Path) -> Read:
    require("node")
    folder = asked
    shutil.copy(SCRIPT, folder / "text.mjs")

    def answers(texts: list[str]) -> list[Answer]:
        (folder / "asked.json").write_text(json.dumps(texts))
        program = Path(__file__).with_name("text.mjs")
        subprocess.run(["node", program, folder / "text.mjs", "asked.json", "answers.json"], cwd=folder, check=True)
        return [
            (seen, shown, [(start, end, url, host) for start, end, url, host in links])
            for seen, shown, links, _folded in json.loads((folder / "answers.json").read_text())
        ]

    return answers


def on_the_desktop(raw: str) -> Answer:
    links = [(link.start, link.end, link.url, link.host) for link in text.links_in(raw)]
    return [can_be_seen(line) for line in raw.split("\n")], text.clean(raw), links


def test_links_are_whole_and_lead_where_they_say(read: Read) -> None:
    for (raw, links), (_seen, _shown, found) in zip(
        LINKS.values(), read([raw for raw, _ in LINKS.values()]), strict=True
    ):
        assert [(raw[start:end], url, host) for start, end, url, host in found] == [tuple(link) for link in links]


def test_what_can_be_seen_and_what_is_shown(read: Read) -> None:
    assert [any(seen) for seen, _, _ in read([raw for raw, _ in SEEN.values()])] == [seen for _, seen in SEEN.values()]
    assert [shown for _, shown, _ in read([raw for raw, _ in CLEANED.values()])] == [s for _, s in CLEANED.values()]


def test_every_character_is_as_on_the_desktop(read: Read) -> None:
    """Alone in its line, and behind a letter to which it may belong."""
    blocks = [range(start, start + 0x800) for start in range(0, 0x110000, 0x800)]
    texts = ["".join(f"{chr(number)}\na{chr(number)}\n" for number in block) for block in blocks]
    differ = [
        block for block, raw, answer in zip(blocks, texts, read(texts), strict=True) if answer != on_the_desktop(raw)
    ]
    assert differ == []


def test_any_text_is_as_on_the_desktop(read: Read) -> None:
    chance = random.Random(11)
    texts = ["".join(chance.choices(PIECES, k=20)) for _ in range(5000)]
    found = [answer for raw, answer in zip(texts, read(texts), strict=True) if answer == on_the_desktop(raw)]
    assert len(found) == len(texts)
    assert sum(bool(links) for _, _, links in found) > 500


def test_names_are_the_same_here_and_there(read: Read, asked: Path) -> None:
    """To the server, the desktop and the pages."""
    read(NAMES)
    page = [folded for _seen, _shown, _links, folded in json.loads((asked / "answers.json").read_text())]
    keys = ([server.folded(name) for name in NAMES], [text.folded(name) for name in NAMES], page)
    same = [[(a, b) for a in range(len(NAMES)) for b in range(len(NAMES)) if key[a] == key[b]] for key in keys]
    assert same[0] == same[1] == same[2]
    assert len(same[0]) > len(NAMES)
