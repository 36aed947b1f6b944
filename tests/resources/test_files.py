"""What the package carries: drawings that draw, and an entry for the desktop's menu that is valid."""

import configparser
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtSvg import QSvgRenderer

from deskbell_desktop.qt.tray_icon import SIZES
from deskbell_resources.files import read, resource

ICONS = Path(str(resource("icons")))
DRAWINGS = sorted(ICONS.rglob("*.svg"))
SYMBOLIC = [path for path in DRAWINGS if path.stem != "deskbell"]


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_can_be_drawn_and_holds_nothing_foreign(path: Path, qapp: object) -> None:
    assert QSvgRenderer(path.read_bytes()).isValid()
    root = ElementTree.parse(path).getroot()
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") not in ("script", "image", "foreignObject")
        assert not [name for name in element.attrib if "href" in name]


@pytest.mark.parametrize("path", SYMBOLIC, ids=lambda path: path.stem)
def test_a_symbolic_drawing_takes_the_colour_it_is_given(path: Path) -> None:
    assert b"currentColor" in path.read_bytes()


def test_the_tray_has_every_state_at_every_size() -> None:
    assert {path.stem for path in (ICONS / "tray").iterdir()} == {
        f"{state}-{size}" for state in ("idle", "offline", "quiet") for size in SIZES
    }


def test_a_file_that_is_not_there_is_not_made_up() -> None:
    with pytest.raises(FileNotFoundError):
        read("icons/nothing.svg")


def test_the_desktop_entry_is_valid(tmp_path: Path) -> None:
    raw = read("deskbell.desktop").decode()
    entry = configparser.RawConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read_string(raw)
    keys = dict(entry["Desktop Entry"])
    assert (keys["Type"], keys["Exec"], keys["Icon"], keys["Terminal"]) == (
        "Application",
        "deskbell",
        "deskbell",
        "false",
    )
    assert all(keys[f"{name}[zh_CN]"] for name in ("GenericName", "Comment", "Keywords"))
    assert all(keys[name].endswith(";") for name in ("Categories", "Keywords", "Keywords[zh_CN]"))
    if shutil.which("desktop-file-validate"):
        file = tmp_path / "deskbell.desktop"
        file.write_text(raw)
        subprocess.run(["desktop-file-validate", str(file)], check=True)
