"""The command line and its settings: what is asked, what wins, what is told, and what never appears."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from deskbell_server.cli import command
from deskbell_server.cli.main import serve
from deskbell_server.errors import SetupError
from deskbell_server.process import config
from tests.desk.server import PROGRAM


def run(folder: Path, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [str(PROGRAM), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)} | (env or {}),
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_accounts_from_an_empty_folder(folder: Path) -> None:
    assert run(folder, "--data", "d", "user", "add", "陈晓明", "--display", "Chen", stdin="12345678\n")[0] == 0
    assert run(folder, "--data", "d", "user", "add", "root", "--admin", stdin="12345678\n")[0] == 0
    assert run(folder, "--data", "d", "user", "list") == (0, "root\t\tadmin\n陈晓明\tChen\t\n")
    refused = run(folder, "--data", "d", "user", "disable", "root")
    assert refused == (1, "Error: root is the last admin: make another first\n")
    assert run(folder, "--data", "d", "user", "add", "second", "--admin", stdin="12345678\n")[0] == 0
    assert run(folder, "--data", "d", "user", "disable", "ROOT")[0] == 0
    assert "root\t\tadmin,disabled" in run(folder, "--data", "d", "user", "list")[1]
    assert run(folder, "--data", "d", "user", "disable", "root", "--undo")[0] == 0
    assert "disabled" not in run(folder, "--data", "d", "user", "list")[1]


def test_a_folder_of_others_things_is_refused_and_left_as_it_is(folder: Path) -> None:
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "theirs").write_text("x")
    add = ("--data", "shared", "user", "add", "bob")
    code, text = run(folder, *add, stdin="12345678\n")
    assert (code, "chmod 700" in text) == (1, True)
    assert shared.stat().st_mode & 0o777 == 0o755
    (shared / "theirs").unlink()
    assert run(folder, *add, stdin="12345678\n")[0] == 0
    assert shared.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["what?/data", "%41#;file:x"])
def test_a_folder_may_be_called_anything(folder: Path, name: str) -> None:
    assert run(folder, "--data", f"./{name}", "user", "add", "bob", stdin="12345678\n")[0] == 0
    assert {path.name for path in (folder / name).iterdir()} >= {"deskbell.db", "web.key"}
    assert run(folder, "--data", f"./{name}", "backup", "./#a?b")[0] == 0
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["#a?b"]


@pytest.mark.parametrize("name", ["web.key", "deskbell.db"])
def test_a_file_that_others_may_write_is_refused(folder: Path, name: str) -> None:
    assert run(folder, "--data", "d", "user", "add", "bob", stdin="12345678\n")[0] == 0
    (folder / "d" / name).chmod(0o666)
    code, text = run(folder, "--data", "d", "user", "list")
    assert (code, f"chmod 600 d/{name}" in text) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tls-key", "key.pem"], "--tls-key needs --tls-cert"),
        (["--publish-rate", "nan"], "nan is not a number"),
        (["--retention-days", "inf"], "inf is not a number"),
    ],
)
def test_a_setting_that_would_do_nothing_or_too_much_is_refused(folder: Path, arguments: list[str], says: str) -> None:
    code, text = run(folder, "--data", "d", "serve", "--port", "0", *arguments)
    assert (code > 0, says in text) == (True, True), text


def test_a_database_in_a_folder_that_is_not_there(folder: Path) -> None:
    code, text = run(folder, "--data", "d", "--database", f"sqlite:///{folder}/typo/x.db", "user", "add", "x")
    assert (code, "there is no folder" in text) == (1, True)
    assert not (folder / "typo").exists()


@pytest.mark.parametrize("database", ["", "postgresql+psycopg://nowhere/x"])
@pytest.mark.parametrize(
    "words",
    [
        *("user list", "user passwd bob", "user link bob", "user disable bob", "device list", "device revoke x"),
        *("group list", "group add @ops bob", "group remove @ops", "announce hi --as bob", "activity"),
        *("backup file", "prune --keep 0"),
    ],
)
def test_what_needs_a_server_makes_none(folder: Path, words: str, database: str) -> None:
    place = ["--data", str(folder / "mistyped"), "--database", database]
    result = CliRunner().invoke(command, [*place, *words.split()], catch_exceptions=False)
    assert (result.exit_code, f"no server in {folder}/mistyped:" in result.output) == (1, True), result.output
    assert not list(folder.iterdir())


def test_a_closed_stdin_is_told(folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec '{PROGRAM}' --data d user add bob <&-"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 2
    assert "stdin, which is closed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("user", "add", "bob"), "short\n", "8 to 1024"),
        (("user", "add", "bob"), "", "nothing came"),
        (("user", "add", "b b"), "", "name"),
        (("user", "passwd", "nobody"), "", "nobody"),
        (("user", "add", "b b"), "12345678\n", "name"),
        (("user", "add", "@bob"), "12345678\n", "name"),
        (("user", "passwd", "nobody"), "12345678\n", "nobody"),
        (("user", "disable", "nobody"), "", "nobody"),
        (("device", "revoke", "nothing"), "", "no such device"),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(folder: Path, arguments: tuple[str, ...], stdin: str, says: str) -> None:
    CliRunner().invoke(command, ["--data", str(folder / "d"), "user", "add", "first"], input="12345678\n")
    code, text = run(folder, "--data", "d", *arguments, stdin=stdin)
    assert code == 1
    assert text.startswith("Error: ")
    assert says in text
    assert len(text.splitlines()) == 1


def test_file_variable_and_command_line_in_this_order(folder: Path) -> None:
    (folder / "a.toml").write_text('data = "from-file"\n[serve]\nport = 1\npublish-rate = 3.5\n')
    seen: list[dict[str, object]] = []

    def spy(*_place: object, **values: object) -> None:
        seen.append(values)

    runner, original = CliRunner(), serve.callback
    serve.callback = spy
    try:
        for arguments, env in (
            (["--config", "a.toml", "serve"], {}),
            (["--config", "a.toml", "serve"], {"DESKBELL_SERVE_PORT": "2"}),
            (["--config", "a.toml", "serve", "--port", "3"], {"DESKBELL_SERVE_PORT": "2"}),
            (["serve"], {"DESKBELL_CONFIG": str(folder / "a.toml")}),
        ):
            config_path = [str(folder / "a.toml") if part == "a.toml" else part for part in arguments]
            result = runner.invoke(command, config_path, env=env)
            assert result.exit_code == 0, result.output
    finally:
        serve.callback = original
    assert [values["port"] for values in seen] == [1, 2, 3, 1]
    assert {values["publish_rate"] for values in seen} == {3.5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "unknown setting prot"),
        ("[serve]\nprot = 1", "unknown setting serve.prot"),
        ("serve = 1", "must be a table"),
        ("= 1", "cannot read"),
    ],
)
def test_a_mistake_in_the_file_is_told(folder: Path, text: str, says: str) -> None:
    path = folder / "a.toml"
    path.write_text(text)
    with pytest.raises(SetupError, match=says):
        config.load(path)
    code, output = run(folder, "--config", "a.toml", "user", "list")
    assert code == 1
    assert says in output


def test_a_variable_sets_the_folder(folder: Path) -> None:
    run(folder, "user", "add", "bob", stdin="12345678\n", env={"DESKBELL_DATA": str(folder / "elsewhere")})
    assert (folder / "elsewhere" / "deskbell.db").exists()


@pytest.mark.parametrize("url", ["postgresql://x/y", "sqlite://", "sqlite:x", "/tmp/x.db", "mysql://"])
def test_only_databases_that_it_can_use_are_taken(folder: Path, url: str) -> None:
    code, text = run(folder, "--database", url, "user", "list")
    assert code == 1
    assert "sqlite:///PATH" in text


def test_another_place_for_the_database(folder: Path) -> None:
    (folder / "own").mkdir()
    run(folder, "--data", "d", "--database", f"sqlite:///{folder}/own/x.db", "user", "add", "bob", stdin="12345678\n")
    assert (folder / "own" / "x.db").exists()
    assert not (folder / "d" / "deskbell.db").exists()


def test_a_port_in_use_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, text = run(folder, "--data", "d", "serve", "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert "is in use" in text


def test_every_setting_is_a_key_an_option_and_has_help() -> None:
    for table, made in ((config.COMMON, command), (config.SERVE, serve)):
        options = {parameter.name: parameter for parameter in made.params}
        for option in table:
            parameter = options[option.name.replace("-", "_")]
            assert getattr(parameter, "help", "").endswith(".")
            assert parameter.default == option.default


def test_without_its_libraries_it_says_what_to_install(folder: Path) -> None:
    code = "import sys; sys.modules['gevent'] = None; from deskbell_server import __main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"{sys.executable} -m pip install '.[server]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("psycopg", "--database postgresql+psycopg://nowhere/x serve"),
        ("psycopg", "--database postgresql+psycopg://nowhere/x user add bob"),
        ("redis", "--redis redis://nowhere serve"),
    ],
)
def test_without_a_library_that_a_setting_needs_it_says_what_to_install(folder: Path, library: str, words: str) -> None:
    argv = ["x", "--data", str(folder / "data"), *words.split()]
    code = f"import sys; sys.modules[{library!r}] = None; sys.argv = {argv};"
    code += "import deskbell_server.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    extras = {"psycopg": "server,postgres", "redis": "server,redis"}[library]
    assert done.returncode == 1
    assert re.search(rf"needs (the )?{library}", done.stderr)
    assert f"In the clone of Deskbell, run: {sys.executable} -m pip install '.[{extras}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_command_waits_for_libraries_that_only_migrations_need() -> None:
    code = "import sys, deskbell_server.cli; print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
