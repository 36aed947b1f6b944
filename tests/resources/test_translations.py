"""Every visible string is translated, and what is shipped is what was translated.

After a change of words, in the repository's root:
    pyside6-lupdate $(git ls-files 'desktop/*.py') -ts resources/deskbell_resources/translations/deskbell_zh_CN.ts \
        -source-language en -target-language zh_CN -locations none -no-obsolete
    (translate what is marked unfinished, by hand or in pyside6-linguist)
    pyside6-lrelease resources/deskbell_resources/translations/deskbell_zh_CN.ts
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "resources/deskbell_resources/translations"
TONGUES = sorted(path.stem.removeprefix("deskbell_") for path in FOLDER.glob("*.ts"))
SOURCES = sorted((ROOT / "desktop").rglob("*.py"))
UNTRANSLATED = {"Deskbell", "Ctrl+Enter"}
SHOWN_BY = re.compile(
    r"\.(setText|setWindowTitle|setToolTip|setPlaceholderText|setAccessibleName|setTitle|addAction|invite|say)\(\s*f?[\"'](?!https?:)"
    r"|\b(?:label|soft|button|QAction|CheckBox)\(\s*f?[\"'][^\"']"
)


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(f"pyside6-{name}"))


def entries(file: Path) -> dict[tuple[str, str], str]:
    """(context, English) to the translation; empty where it is unfinished."""
    found = {}
    for context in ElementTree.parse(file).getroot().findall("context"):
        for message in context.findall("message"):
            translation = message.find("translation")
            assert translation is not None
            done = translation.get("type") is None
            found[context.findtext("name", ""), message.findtext("source", "")] = (translation.text or "") * done
    return found


def test_there_is_chinese() -> None:
    assert TONGUES == ["zh_CN"]


@pytest.mark.parametrize("tongue", TONGUES)
def test_every_string_of_the_sources_is_translated(tongue: str, tmp_path: Path) -> None:
    kept = FOLDER / f"deskbell_{tongue}.ts"
    fresh = tmp_path / kept.name
    shutil.copy(kept, fresh)
    options = ["-source-language", "en", "-target-language", tongue, "-locations", "none", "-no-obsolete"]
    subprocess.run([tool("lupdate"), *map(str, SOURCES), "-ts", str(fresh), *options], check=True, capture_output=True)
    assert entries(fresh).keys() == entries(kept).keys()
    assert [key for key, translation in entries(fresh).items() if not translation] == []


@pytest.mark.parametrize("tongue", TONGUES)
def test_translations_keep_the_places_of_values(tongue: str) -> None:
    for (_context, source), translation in entries(FOLDER / f"deskbell_{tongue}.ts").items():
        assert set(re.findall(r"%\d", source)) == set(re.findall(r"%\d", translation)), source
        assert translation != source or source in UNTRANSLATED, source
        assert ("…" in source) == ("…" in translation), source


@pytest.mark.parametrize("tongue", TONGUES)
def test_the_compiled_file_is_fresh(tongue: str, tmp_path: Path) -> None:
    compiled = tmp_path / "fresh.qm"
    kept = FOLDER / f"deskbell_{tongue}.ts"
    subprocess.run([tool("lrelease"), str(kept), "-qm", str(compiled)], check=True, capture_output=True)
    assert compiled.read_bytes() == kept.with_suffix(".qm").read_bytes()


def test_no_widget_speaks_past_the_translator() -> None:
    found = []
    for path in SOURCES:
        if path.parent.name not in ("qt", "notify") or path.stem.startswith("gallery"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if SHOWN_BY.search(line) and not re.search(r"\(\s*f?([\"'])\1", line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert found == []


@pytest.mark.parametrize(
    "line", ['x.setText("Hello")', "button('Send')", 'self._box.invite("Write")', 'label("Hi", 12)']
)
def test_a_word_past_the_translator_would_be_seen(line: str) -> None:
    assert SHOWN_BY.search(line)
