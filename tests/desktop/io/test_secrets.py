"""The token between two starts: real keyring daemons on a bus of the test's own, each look by a process of its own."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deskbell_desktop.core.account import TokenKept
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.results import TokenLoaded
from deskbell_desktop.io.secrets import Secrets, TokenFile
from tests.desk.bus import Bus
from tests.desk.desktop import Desk
from tests.desk.processes import wait_for
from tests.desktop.io.conftest import Posts
from tests.fakes import ACCOUNT

TOKEN = "a-token-of-forty-three-characters-0123456789"
PROGRAM = """
import sys
from pathlib import Path
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.secrets import Secrets
from tests.desktop.io.conftest import Posts
from tests.fakes import ACCOUNT
from deskbell_desktop.io.results import TokenLoaded

posts = Posts()
secrets = Secrets(posts, Path(sys.argv[1]), Words(), in_file=False)
for act in sys.argv[2:]:
    name, _, token = act.partition("=")
    getattr(secrets, name)(ACCOUNT, *([token] if token else []))
secrets.load(ACCOUNT)
posts.next(TokenLoaded, timeout=20)
for post in posts.all:
    print(type(post).__name__, getattr(post, "token", ""), post.problem, sep="|")
secrets.close()
"""


ENDED_AT_ONCE = """
import os, signal, sys, threading
from pathlib import Path
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.secrets import Secrets
from tests.fakes import ACCOUNT

profile, act, daemon = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.kill(daemon, signal.SIGSTOP)
threading.Timer(1, os.kill, (daemon, signal.SIGCONT)).start()
secrets = Secrets(lambda _post: None, profile, Words(), in_file=False)
name, _, token = act.partition("=")
getattr(secrets, name)(ACCOUNT, *([token] if token else []))
secrets.close()
"""

LOCKED = """
import sys, time
from pathlib import Path
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.secrets import Secrets
from tests.desktop.io.conftest import Posts
from tests.fakes import ACCOUNT

posts = Posts()
secrets = Secrets(posts, Path(sys.argv[1]), Words(), in_file=False)
begun = time.monotonic()
secrets.load(ACCOUNT)
print(time.monotonic() - begun)
secrets.close()
print(time.monotonic() - begun)
for post in posts.all:
    print(type(post).__name__, post.token, post.problem, sep="|")
"""


def look(env: dict[str, str], *acts: str, profile: str = "/profile") -> list[list[str]]:
    """Do `acts` and load; what was posted, as (type, token, problem)."""
    return [line.split("|") for line in _run(PROGRAM, env, profile, *acts)]


def _run(program: str, env: dict[str, str], *args: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        env=env,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_token_is_there_at_the_next_start_and_gone_when_forgotten(desk: Desk) -> None:
    assert look(desk.env) == [["TokenLoaded", "None", ""]]
    assert look(desk.env, f"keep={TOKEN}") == [["TokenKept", "", ""], ["TokenLoaded", TOKEN, ""]]
    assert look(desk.env) == [["TokenLoaded", TOKEN, ""]]
    assert look(desk.env, profile="/another") == [["TokenLoaded", "None", ""]]
    assert look(desk.env, "forget") == [["TokenLoaded", "None", ""]]
    assert look(desk.env, "forget") == [["TokenLoaded", "None", ""]]
    leaks = [
        file
        for file in desk.folder.rglob("*")
        if file.is_file() and not file.is_socket() and TOKEN.encode() in file.read_bytes()
    ]
    assert leaks == []


@pytest.mark.parametrize(("act", "there"), [(f"keep={TOKEN}", TOKEN), ("forget", "None")])
def test_a_change_right_before_the_end_is_still_made(desk: Desk, act: str, there: str) -> None:
    """As when somebody signs in and quits, on a machine that is busy for a second."""
    assert look(desk.env, "keep=another")[-1][1] == "another"
    _run(ENDED_AT_ONCE, desk.env, "/profile", act, str(desk.pid_of("gnome-keyring-daemon")))
    assert look(desk.env) == [["TokenLoaded", there, ""]]


def test_without_a_bus_it_says_why_and_keeps_nothing(desk: Desk) -> None:
    env = {key: value for key, value in desk.env.items() if key != "DBUS_SESSION_BUS_ADDRESS"}
    env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent"
    kept, loaded = look(env, f"keep={TOKEN}")
    assert kept[0] == "TokenKept"
    assert "offers no keyring" in kept[2]
    assert loaded[:2] == ["TokenLoaded", "None"]
    assert "Please sign in" in loaded[2]


def test_a_bus_without_a_keyring_is_the_same(bus: Bus, tmp_path: Path) -> None:
    env = {
        "DBUS_SESSION_BUS_ADDRESS": bus.address,
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    kept, loaded = look(env, f"keep={TOKEN}")
    assert kept[0] == "TokenKept"
    assert loaded[:2] == ["TokenLoaded", "None"]
    assert loaded[2]


def test_a_plain_text_keyring_of_the_persons_own_is_not_used(desk: Desk) -> None:
    """Chosen in keyring's configuration, as somebody does who wants no prompts."""
    (desk.folder / "plain.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Plain(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, name): return 'planted'\n"
        "    def set_password(self, service, name, password): open(__file__ + '.leak', 'w').write(password)\n"
        "    def delete_password(self, service, name): pass\n"
    )
    env = {**desk.env, "PYTHON_KEYRING_BACKEND": "plain.Plain", "PYTHONPATH": str(desk.folder)}
    kept, loaded = look(env, f"keep={TOKEN}")
    assert kept[0] == "TokenKept"
    assert loaded[1] == "None"
    assert list(desk.folder.glob("*.leak")) == []


def test_a_locked_keyring_blocks_nobody_and_closing_does_not_wait(desk: Desk) -> None:
    """The daemon asks for its password in a window that nobody answers, or says at once that it cannot ask."""
    assert look(desk.env, f"keep={TOKEN}")[-1][1] == TOKEN
    desk.lock_keyring()
    loading, closing, *posted = _run(LOCKED, desk.env, "/profile")
    assert float(loading) < 0.4, "asked on the same thread it would take most of a second"
    assert float(closing) < 4.5, "a change would be waited for five seconds"
    assert TOKEN not in repr(posted)
    assert all(line.startswith("TokenLoaded|None|The keyring could not be asked") for line in posted)


# -- the file, by choice ------------------------------------------------------------------------------------------


def test_the_file_is_for_this_user_alone_and_made_only_by_choice(tmp_path: Path, posts: Posts) -> None:
    secrets = Secrets(posts, tmp_path, Words(), in_file=True)
    secrets.keep(ACCOUNT, TOKEN)
    secrets.load(ACCOUNT)
    assert posts.next(TokenLoaded).token == TOKEN
    assert (tmp_path / "token.json").stat().st_mode & 0o777 == 0o600
    secrets.forget(ACCOUNT)
    secrets.load(ACCOUNT)
    assert posts.next(TokenLoaded).token is None
    assert TOKEN not in (tmp_path / "token.json").read_text()
    secrets.close()
    wait_for(lambda: "keyring" not in [thread.name for thread in threading.enumerate()], "its thread to end")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_token_file_is_an_empty_one(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "token.json").write_bytes(raw)
    file = TokenFile(tmp_path / "token.json")
    assert file.get_password("", "x") is None
    file.set_password("", "x", TOKEN)
    assert file.get_password("", "x") == TOKEN


def test_where_the_file_cannot_be_written_the_person_is_told(posts: Posts) -> None:
    secrets = Secrets(posts, Path("/proc/deskbell"), Words(), in_file=True)
    secrets.keep(ACCOUNT, TOKEN)
    assert posts.next(TokenKept).problem
    secrets.load(ACCOUNT)
    assert posts.next(TokenLoaded).token is None
    secrets.close()


def test_a_result_does_not_show_its_token() -> None:
    results: list[Callable[[], object]] = [lambda: TokenLoaded(ACCOUNT, TOKEN)]
    assert all(TOKEN not in repr(make()) for make in results)
