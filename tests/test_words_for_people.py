"""What people read says *sign in* and *sign out*, on every surface; machines keep their `login` and `logout`."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLD = re.compile(
    r"\blog(ged|ging)?[ -](in|out|on|off)\b|\blog(in|out|on)s?\b|登陆|登出|注销|退出账[号户]", re.IGNORECASE
)
MACHINES = re.compile(r"`[^`]*`|```.*?```|--log-out|\S*/log(in|out)\S*|\S*[._]log(in|out)\S*", re.DOTALL)
"""Code, options, addresses and field names."""


def old_words(text: str) -> list[str]:
    return [found.group() for found in OLD.finditer(MACHINES.sub("", text))]


def documents() -> Iterator[tuple[str, str]]:
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        yield path.name, path.read_text(encoding="utf-8")


def sentences() -> Iterator[tuple[str, str]]:
    """Strings of the programs that may be shown: those with a space in them, and what commands say of themselves."""
    for path in (*(ROOT / "server").rglob("*.py"), *(ROOT / "desktop").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        silent = set() if "cli" in path.parts else set(_docstrings(tree))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and " " in node.value
                and node not in silent
            ):
                yield f"{path.name}:{node.lineno}", node.value


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def words_of_the_surfaces() -> Iterator[tuple[str, str]]:
    resources = ROOT / "resources/deskbell_resources"
    for path in (*(resources / "web/words").glob("*.js"), *(resources / "web").glob("*.html")):
        for text in re.findall(r'"[^"\n]* [^"\n]*"|>[^<]+<|"[^"\n]*[一-鿿][^"\n]*"', path.read_text(encoding="utf-8")):
            yield path.name, text
    for path in (resources / "translations").glob("*.ts"):
        for text in re.findall(r"<(?:source|translation)[^>]*>([^<]*)<", path.read_text(encoding="utf-8")):
            yield path.name, text


@pytest.mark.parametrize("surface", [documents, sentences, words_of_the_surfaces])
def test_people_sign_in_and_sign_out(surface: Callable[[], Iterator[tuple[str, str]]]) -> None:
    read = list(surface())
    assert len(read) > 5
    assert [(place, old_words(text)) for place, text in read if old_words(text)] == []


@pytest.mark.parametrize("text", ["Log out", "You were logged in.", "a new login", "Please log-on", "您已登出"])
def test_an_old_word_would_be_seen(text: str) -> None:
    assert old_words(text)


@pytest.mark.parametrize("text", ["POST /api/v1/login", "`device.login`", "user passwd --log-out", "a blog in"])
def test_machines_keep_theirs(text: str) -> None:
    assert old_words(text) == []
