"""Both languages of the pages say everything, with the same blanks to fill in; every key that is asked for is there."""

import re
from pathlib import Path

import pytest

from deskbell_protocol.errors import Code

WEB = Path(__file__).parent.parent.parent / "resources" / "deskbell_resources" / "web"
ENTRY = re.compile(r'"([a-z][a-z._]*)": "((?:[^"\\]|\\.)*)"')
FORMS = ("one", "other")


def table(language: str) -> dict[str, str]:
    return dict(ENTRY.findall((WEB / "words" / f"{language}.js").read_text(encoding="utf-8")))


def base(key: str) -> str:
    """Without the plural's form, which not every language has."""
    stem, _, last = key.rpartition(".")
    return stem if last in FORMS else key


def test_chinese_says_all_that_english_says() -> None:
    english, chinese = table("en"), table("zh")
    assert len(english) > 150
    assert {base(key) for key in english} == {base(key) for key in chinese}
    assert [key for key, text in chinese.items() if not text.strip()] == []


def test_the_same_blanks_are_filled_in() -> None:
    def blanks(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    english = {base(key): blanks(text) for key, text in table("en").items() if not key.endswith(".one")}
    for key, text in table("zh").items():
        assert (key, blanks(text)) == (key, english[base(key)])


def test_what_is_the_same_in_both_is_so_on_purpose() -> None:
    english, chinese = table("en"), table("zh")
    assert {key for key in english if english[key] == chinese.get(key)} == {"party.person", "since"}


@pytest.mark.parametrize("script", sorted((WEB / "js").rglob("*.js")), ids=lambda path: path.stem)
def test_every_key_that_is_asked_for_is_there(script: Path) -> None:
    known = {base(key) for key in table("en")}
    asked = re.findall(r'\bt\("([a-z.]+)"', script.read_text(encoding="utf-8"))
    assert [key for key in asked if key not in known and base(key) not in known] == []


def test_every_code_that_a_person_may_meet_has_its_words() -> None:
    assert [code for code in Code if f"refused.{code}" not in table("en")] == []


def test_every_act_that_is_written_down_has_its_words() -> None:
    known, acts = table("en"), set()
    for module in (WEB.parent.parent.parent / "server").rglob("*.py"):
        for call in re.findall(r"doors\.audit\((.*)\)", module.read_text(encoding="utf-8")):
            acts |= set(re.findall(r'"((?:user|group|device)\.[a-z]+|announce|restore|prune)"', call))
    assert len(acts) >= 12
    assert sorted(act for act in acts if f"act.{act}" not in known) == []


def test_no_visible_sentence_stands_in_a_script() -> None:
    quoted = re.compile(r'"([A-Z][a-z]+ [a-z]+ [^"]*)"')
    for script in (WEB / "js").rglob("*.js"):
        code = re.sub(r"(^|\s)//.*|/\*.*?\*/", "", script.read_text(encoding="utf-8"))
        assert (script.name, quoted.findall(code)) == (script.name, [])
