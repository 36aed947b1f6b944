"""axe-core on every page, in both themes: nothing serious, nothing critical."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vendor
from tests.desk.server import Server
from tests.web.chromium import PHONE, WIDE, Person
from tests.web.conftest import MakePerson, options_of, running_house
from tests.web.gallery import SCENES, furnish
from tests.web.npm import AXE, from_npm

OPTIONS = ("--diagnostics",)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark-phone": {"color_scheme": "dark", "locale": "zh-CN", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


def found_by_axe(person: Person) -> list[str]:
    """As `impact rule: element`. Through the debugger, because the page's own policy lets no script in."""
    person.page.evaluate((from_npm(AXE) / "axe.min.js").read_text(encoding="utf-8"))
    result = person.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:160]} {node['any'][:1]}"
        for violation in result["violations"]
        for node in violation["nodes"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def furnished(session_folder: Path) -> Path:
    """The gallery's data."""
    vendor.bring()
    place = session_folder / "furnished"
    place.mkdir()
    with Server(place, "--publish-rate", "0") as server:
        furnish(server)
        return server.data


@pytest.fixture
def house(furnished: Path, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    with running_house(furnished, folder, options_of(request)) as server:
        yield server


@pytest.mark.timeout(300)
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious(person: MakePerson, look: str) -> None:
    """One visitor walks through all of it, as a person would."""
    found = {}
    visitor = person(reduced_motion="reduce", **LOOKS[look])
    room = LOOKS[look].get("viewport", WIDE)["width"]
    for name, scene in SCENES.items():
        if name == "offline":
            continue
        scene(visitor)
        found[name] = found_by_axe(visitor)
        if visitor.page.evaluate("() => document.documentElement.scrollWidth") > room:
            found[name].append("the page is wider than its window")
        if name == "empty":
            visitor.sign_out()
    visitor.complaints.clear()
    assert len(found) == len(SCENES) - 1
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_axe_would_see_something(person: MakePerson) -> None:
    alex = person("alex")
    alex.page.evaluate("() => document.body.append(document.createElement('button'))")
    assert [problem for problem in found_by_axe(alex) if "button-name" in problem]
