"""The reference client, socket.io-client 4 from npm, against both kinds."""

import json
import shutil
import subprocess
from pathlib import Path

import flask_socketio
import pytest

from tests.conftest import absent, require
from tests.server.transport.conftest import serving
from tests.server.transport.test_conformance import Program

TALK = Path(__file__).with_name("talk.mjs")


@pytest.fixture(scope="session")
def npm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("npm", "node")
    folder = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    assert npm is not None
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "socket.io-client@4"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    if done.returncode:
        absent(f"socket.io-client from npm ({done.stderr.strip()[-200:]})")
    return folder


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
def test_the_javascript_client(kind: str, npm_folder: Path, transports: str) -> None:
    program = Program(kind, polling="polling" in transports)
    program.transport.hot("hot", lambda _sid, data: {"got": data}, inline=True)

    def ask(question: int) -> None:
        flask_socketio.emit("question", question, callback=lambda *answer: flask_socketio.emit("answered", answer))

    program.front.on_ask_me = ask  # type: ignore[method-assign]
    with serving(program.transport):
        command = ["node", str(TALK), str(npm_folder), program.url, transports]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {
        "transport": transports.split(",")[-1],
        "echo": [1, "zwei", {"三": [3]}],
        "hot": 3000,
        "failed": "internal",
        "asked": [42, "yes"],
        "news": list(range(50)),
        "second": "here too",
        "refused": ["no entry", {"code": "unauthorized"}],
        "reason": "io server disconnect",
    }
    assert program.front.gone[-1] == "server disconnect"
