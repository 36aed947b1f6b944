"""The rules of the house as failures: who may import whom, and what may be written where."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from deskbell_protocol import names

ROOT = Path(__file__).parent.parent
LINES_MAX = 400


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its text, its syntax tree."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _tree(self.text)

    @property
    def imports(self) -> set[str]:
        """Dotted names of all that is imported anywhere in it, within functions too."""
        return set(_imports(self.tree))

    def within(self, *places: str) -> bool:
        return any(self.name == place or self.name.startswith(place + ".") for place in places)


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here (the linter's house rule)"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules(folder: str) -> list[Module]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT / folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path.read_text(encoding="utf-8")))
    return found


SOURCES = [module for folder in ("desktop", "server", "resources") for module in _modules(folder)]


def is_of(imported: str, *packages: str) -> bool:
    return any(imported == package or imported.startswith(package + ".") for package in packages)


# -- who may import whom ------------------------------------------------------------------------------------------

OURS = ("deskbell_protocol", "deskbell_desktop", "deskbell_server", "deskbell_resources")

WORDS = tuple(f"deskbell_server.{name}" for name in ("errors", "principals", "limiter", "clock", "periodic"))
"""What every room of the server speaks of."""


def of_server(*rooms: str) -> tuple[str, ...]:
    return (*(f"deskbell_server.{room}" for room in rooms), *WORDS, "deskbell_protocol")


# Within a place: of our own packages it may import only these.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "deskbell_protocol": ("deskbell_protocol",),
    "deskbell_resources": ("deskbell_resources",),
    "deskbell_desktop": ("deskbell_desktop", "deskbell_protocol", "deskbell_resources"),
    "deskbell_desktop.core": ("deskbell_desktop.core", "deskbell_protocol"),
    "deskbell_desktop.io": ("deskbell_desktop.io", "deskbell_desktop.core", "deskbell_protocol"),
    "deskbell_desktop.qt": ("deskbell_desktop.qt", "deskbell_desktop.core", "deskbell_protocol", "deskbell_resources"),
    "deskbell_desktop.notify": (
        "deskbell_desktop.notify",
        "deskbell_desktop.qt",
        "deskbell_desktop.core",
        "deskbell_protocol",
        "deskbell_resources",
    ),
    "deskbell_server": ("deskbell_server", "deskbell_protocol", "deskbell_resources"),
    "deskbell_server.transport": ("deskbell_server.transport", "deskbell_protocol"),
    "deskbell_server.store": of_server("store"),
    "deskbell_server.people": of_server("people", "store"),
    "deskbell_server.messaging": of_server("messaging", "people", "store"),
    "deskbell_server.upkeep": of_server("upkeep", "people", "store"),
    "deskbell_server.delivery": of_server("delivery", "messaging", "people", "store", "transport"),
    "deskbell_server.redis": of_server("redis", "delivery", "messaging", "store"),
    "deskbell_server.edge": of_server("edge", "delivery", "people", "store"),
    "deskbell_server.ingest": of_server(
        "ingest", "edge", "redis", "delivery", "messaging", "people", "store", "transport"
    ),
    "deskbell_server.web": (
        *of_server("web", "edge", "delivery", "messaging", "people", "transport"),
        "deskbell_resources",
    ),
}

# Only within these places may these be imported, where a program of ours imports them at all.
ONLY_WITHIN: dict[tuple[str, ...], tuple[str, ...]] = {
    ("PySide6", "shiboken6"): ("deskbell_desktop.qt", "deskbell_desktop.notify", "deskbell_desktop.app"),
    ("flask", "flask_socketio", "werkzeug"): (
        "deskbell_server.edge",
        "deskbell_server.ingest",
        "deskbell_server.process.app",
        "deskbell_server.transport",
        "deskbell_server.web",
    ),
    ("sqlalchemy", "sqlite3", "psycopg", "alembic"): ("deskbell_server.store", "deskbell_desktop.io"),
    ("click",): (
        "deskbell_server.cli",
        "deskbell_server.__main__",
        "deskbell_desktop.cli",
        "deskbell_desktop.__main__",
    ),
    ("keyring",): ("deskbell_desktop.io.keyring_process",),
    ("argparse",): ("deskbell_desktop.__main__", "deskbell_desktop.config"),
    # what acts is given its parts by the composition root, and asks nothing of it
    ("deskbell_desktop.app",): ("deskbell_desktop.__main__",),
    ("deskbell_desktop.carrier",): ("deskbell_desktop.app",),
    tuple(f"deskbell_desktop.{part}" for part in ("credentials", "popups", "safekeeping")): (
        "deskbell_desktop.app",
        "deskbell_desktop.carrier",
    ),
}

# Nothing but the standard library and these, so that the wire and the core stay small and testable by plain calls.
PURE = {"deskbell_protocol": ("msgspec",), "deskbell_desktop.core": ("msgspec", "idna"), "deskbell_resources": ()}


def breaches_of_imports(module: Module) -> list[str]:
    found = []
    for imported in sorted(module.imports):
        for place, allowed in MAY_IMPORT.items():
            if module.within(place) and is_of(imported, *OURS) and not is_of(imported, *allowed):
                found.append(f"{module.name} imports {imported}: {place} may import {', '.join(allowed)}")
        for packages, places in ONLY_WITHIN.items():
            if is_of(imported, *packages) and not module.within(*places):
                found.append(f"{module.name} imports {imported}: only {', '.join(places)} may")
        for place, extra in PURE.items():
            standard = imported.split(".")[0] in sys.stdlib_module_names
            if module.within(place) and not standard and not is_of(imported, *OURS, *extra):
                found.append(f"{module.name} imports {imported}: {place} is kept to the standard library")
    return found


# -- what may be written where ------------------------------------------------------------------------------------

CONFIG = ("deskbell_desktop.config", "deskbell_server.process.config")
SPEAKS = ("deskbell_server.cli", "deskbell_server.__main__", "deskbell_desktop.__main__", "deskbell_desktop.cli")
SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b", re.DOTALL
)
NAMED_BY_EVENT = frozenset({"emit", "on", "call", "hot", "fan_out", "send_event", "on_event"})


def breaches_of_environment(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.environb", "os.getenv"):
            yield f"{module.name}:{node.lineno} reads the environment: only {', '.join(CONFIG)} may"


def breaches_of_sql(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"{module.name}:{node.lineno} holds SQL: {node.value.strip()[:40]!r}"


def breaches_of_print(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{module.name}:{node.lineno} prints: a program without a terminal logs"


def breaches_of_event_names(module: Module) -> Iterator[str]:
    """An event's name given as a literal to what sends or receives events, or compared with one."""
    events = names.CLIENT_EVENTS | names.SERVER_EVENTS
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if called in NAMED_BY_EVENT and isinstance(first, ast.Constant) and first.value in events:
                yield f"{module.name}:{node.lineno} spells the event {first.value!r}: deskbell_protocol.names has it"


def breaches_of_state(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Global):
            yield f"{module.name}:{node.lineno} changes a module's global: state belongs to an object with an owner"


def breaches_of_secrecy(module: Module) -> Iterator[str]:
    """A name in the pure core for what must be in no log."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and module.within("deskbell_desktop.core"):
            name = ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else node.arg
            if name in ("token", "password"):
                yield f"{module.name}:{node.lineno} knows the {name}: deskbell_desktop.credentials does"


OLD_WORDS = {"Desk", "Everywhere", "Watch", "Follower", "Kept", "Place", "again"}


def breaches_of_words(module: Module) -> Iterator[str]:
    """Names of our own that had a meaning besides the one in docs/words.md."""
    for node in ast.walk(module.tree):
        name = ""
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        elif isinstance(node, ast.arg):
            name = node.arg
        if name.lstrip("_") in OLD_WORDS:
            yield f"{module.name}: {name} (docs/words.md)"


def breaches_of_form(module: Module) -> Iterator[str]:
    if module.text.strip() and not ast.get_docstring(module.tree):
        yield f"{module.name} does not say why it exists"
    if (lines := module.text.count("\n")) > LINES_MAX:
        yield f"{module.name} has {lines} lines: does it still do one thing?"


Rule = Callable[[Module], Iterator[str]]

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "environment": (breaches_of_environment, CONFIG),
    "sql": (breaches_of_sql, ("deskbell_server.store", "deskbell_desktop.io")),
    "print": (breaches_of_print, SPEAKS),
    "event names": (breaches_of_event_names, ("deskbell_protocol",)),
    "state": (breaches_of_state, ()),
    "secrecy": (breaches_of_secrecy, ()),
    "form": (breaches_of_form, ()),
    "words": (breaches_of_words, ()),
}


def test_imports_follow_the_layers() -> None:
    assert [breach for module in SOURCES for breach in breaches_of_imports(module)] == []


ROOMS = frozenset(path.name for path in (ROOT / "server/deskbell_server").iterdir() if (path / "__init__.py").exists())


def test_the_rooms_of_the_server_stand_in_no_circle() -> None:
    within: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module in SOURCES:
        package, room, *_ = (*module.name.split("."), "", "")
        if package == "deskbell_server" and room in ROOMS:
            within[room] |= {imported.split(".")[1] for imported in module.imports if is_of(imported, package)}
    TopologicalSorter({room: (others & ROOMS) - {room} for room, others in within.items()}).prepare()


def test_no_modules_stand_in_a_circle() -> None:
    """Not even for the type checker alone: two that cannot be read apart are one."""
    names_ = {module.name for module in SOURCES}

    def found(imported: str) -> str:
        return imported if imported in names_ else imported.rpartition(".")[0]

    TopologicalSorter({module.name: {*map(found, module.imports)} - {module.name} for module in SOURCES}).prepare()


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_written_where_it_does_not_belong(rule: str) -> None:
    check, exempt = RULES[rule]
    assert [breach for module in SOURCES if not module.within(*exempt) for breach in check(module)] == []


def test_every_event_is_known_on_both_sides() -> None:
    events = names.CLIENT_EVENTS | names.SERVER_EVENTS
    constants = {name for name, value in vars(names).items() if isinstance(value, str) and value in events}
    for side in ("deskbell_server", "deskbell_desktop"):
        text = "\n".join(module.text for module in SOURCES if module.within(side))
        assert {name for name in constants if not re.search(rf"\bnames\.{name}\b", text)} == set(), side


# -- the tests themselves -----------------------------------------------------------------------------------------


def test_tests_use_no_mocks() -> None:
    mocked = [
        module.name
        for module in _modules("tests")
        if any(is_of(imported, "unittest.mock", "mock") for imported in module.imports)
    ]
    assert mocked == []


def test_tests_wait_for_conditions() -> None:
    """A pause within a loop paces or polls; any other says beside it why there is nothing to wait for."""
    found = []
    for module in _modules("tests"):
        lines = module.text.splitlines()
        found += [f"tests.{module.name}:{at}" for at in _pauses(module.tree) if "#" not in lines[at - 1]]
    assert found == []


def _pauses(tree: ast.AST) -> Iterator[int]:
    """Lines of `time.sleep` outside of loops."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            yield node.lineno
        if not isinstance(node, ast.For | ast.While):
            yield from _pauses(node)


BROKEN = [
    ("deskbell_desktop.core.session", "from PySide6.QtCore import QObject"),
    ("deskbell_desktop.core.session", "import aiohttp"),
    ("deskbell_desktop.core.session", "def f():\n    from deskbell_desktop.io import store"),
    ("deskbell_desktop.io.http", "import deskbell_server.errors"),
    ("deskbell_server.messaging.messages", "from flask import request"),
    ("deskbell_server.messaging.messages", "import sqlite3"),
    ("deskbell_server.transport.native", "from deskbell_server.errors import Problem"),
    ("deskbell_protocol.wire", "import sqlalchemy"),
    ("deskbell_desktop.qt.window", "from deskbell_desktop.io.store import Store"),
    ("deskbell_desktop.carrier", "from deskbell_desktop.app import App"),
    ("deskbell_desktop.presenter", "from deskbell_desktop.carrier import Carrier"),
    ("deskbell_desktop.safekeeping", "from deskbell_desktop.carrier import Carrier"),
]


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_a_wrong_import_would_be_seen(name: str, text: str) -> None:
    assert breaches_of_imports(Module(name, text))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("environment", "import os\nx = os.environ['HOME']"),
        ("sql", "x = 'SELECT a FROM b'"),
        ("sql", "x = '''\n  UPDATE users SET x = 1'''"),
        ("print", "print(1)"),
        ("event names", "socket.emit('sync', {})"),
        ("event names", "@server.on('ack')\ndef f(): ..."),
        ("state", "def f():\n    global x\n    x = 1"),
        ("form", "x = 1"),
        ("form", '"""Long."""\n' + "x = 1\n" * LINES_MAX),
    ],
)
def test_a_broken_rule_would_be_seen(rule: str, text: str) -> None:
    assert list(RULES[rule][0](Module("deskbell_server.somewhere", text)))


def test_a_token_in_the_core_would_be_seen() -> None:
    text = "class SignInAccepted:\n    token: str"
    assert list(breaches_of_secrecy(Module("deskbell_desktop.core.account", text)))
    assert not list(breaches_of_secrecy(Module("deskbell_desktop.credentials", text)))
