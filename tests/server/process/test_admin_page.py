"""The page for administrators is right: its settings file is read, and its unit runs what the lines above it make."""

import configparser
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deskbell_server.cli import command
from deskbell_server.cli.main import serve

PAGE = (Path(__file__).parents[3] / "docs" / "admin.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from the environment."""
    for name in [name for name in os.environ if name.startswith("DESKBELL_")]:
        monkeypatch.delenv(name)


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def parsed(*words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the whole server and of `serve`, as these words give them."""
    at = words.index("serve")
    outer = command.make_context("deskbell-server", list(words[: at + 1]))
    return outer.params, serve.make_context("serve", list(words[at + 1 :]), parent=outer).params


def test_the_settings_file_gives_what_stands_in_it(folder: Path) -> None:
    file = folder / "deskbell.toml"
    file.write_text(block("toml"))
    written = tomllib.loads(block("toml"))
    found, of_serve = parsed("--config", str(file), "serve")
    assert found["data"] == Path(written["data"])
    assert len(written["serve"]) > 2
    for name, value in written["serve"].items():
        assert of_serve[name.replace("-", "_")] == (tuple(value) if isinstance(value, list) else value)


def test_the_unit_runs_what_was_made_before_it() -> None:
    unit = configparser.RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(block("ini"))
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    found, _ = parsed(*words)
    assert found["data"] == Path("/var/lib") / service["StateDirectory"]
    user = service["User"]
    for line in (
        f"sudo {Path(program).parent}/pip install '.[server]'",
        f"sudo useradd --system --shell /usr/sbin/nologin {user}",
        f"sudo install -d -m 700 -o {user} -g {user} {found['data']}",
        f"sudo -u {user} {program} --data {found['data']} serve",
    ):
        assert f"\n{line}" in PAGE.split("### systemd")[0], line
