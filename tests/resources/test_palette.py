"""The palette stands once: the desktop reads it, and the pages' style sheets say the same."""

import json
import re
from pathlib import Path

import pytest

from deskbell_desktop.qt import theme
from deskbell_resources.files import read, resource

PALETTE: dict[str, dict[str, str]] = json.loads(read("palette.json"))
SHEETS = {path.name: path.read_text() for path in sorted(Path(str(resource("web/css"))).glob("*.css"))}
COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}\b")
BLOCK = {"light": r":root \{(.*?)\}", "dark": r':root\[data-theme="dark"\] \{(.*?)\}'}


@pytest.mark.parametrize("scheme", BLOCK)
def test_the_pages_have_the_palette(scheme: str) -> None:
    (block,) = re.findall(BLOCK[scheme], SHEETS["base.css"], re.DOTALL)
    found = {name.replace("-", "_"): colour for name, colour in re.findall(r"--([a-z-]+): (#\w+);", block)}
    assert found == PALETTE[scheme]


@pytest.mark.parametrize("scheme", BLOCK)
def test_the_desktop_has_it_too(scheme: str) -> None:
    colours = {"light": theme.LIGHT, "dark": theme.DARK}[scheme]
    assert {name: getattr(colours, name) for name in theme.COLOUR_NAMES} == PALETTE[scheme]


def test_no_colour_stands_anywhere_else_in_the_style_sheets() -> None:
    rest = {name: re.sub("|".join(BLOCK.values()), "", text, flags=re.DOTALL) for name, text in SHEETS.items()}
    assert [(name, found) for name, text in rest.items() if (found := COLOUR.findall(text))] == []


def test_every_colour_that_is_used_is_there() -> None:
    known = {f"--{name.replace('_', '-')}" for name in PALETTE["light"]} | {"--shadow"}
    used = {name for text in SHEETS.values() for name in re.findall(r"var\((--[a-z-]+)", text)}
    own = {name for text in SHEETS.values() for name in re.findall(r"^\s*(--[a-z-]+):", text, re.MULTILINE)}
    assert used - known - own == set()
