"""`python3 dev.py demo`: a server, two people and a tray client from nothing.

With a display it stays and says what to try. Without one it makes a desktop of its own and walks the whole loop by
itself: message, popup, click, window, answer, server.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.desk.client import SIGN_IN, Client
from tests.desk.desktop import Desk
from tests.desk.hand import Hand
from tests.desk.processes import tail, wait_for
from tests.desk.server import Login, Server

PICTURE = Path("demo.png")
FAILED = Path("artifacts/demo.png")
MARIA, ALEX, MACHINE, PASSWORD = "maria", "alex", "build", "correct horse"
PEOPLE = {MARIA: "Maria Garcia", ALEX: "", MACHINE: "Build server"}
QUESTION = "Lunch at 12:30? The new place by the river, they say the soup is good 🍜"
REPLY = "Yes, see you there!"
BUILD = "1,204 tests in 3 min 40 s. 完成"


class Steps:
    """Says what is done and how long it took; the clock runs from the start of the demo."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        now = time.monotonic()
        print(f"{now - self._begun:6.2f} s  {what} ({1000 * (now - begun):.0f} ms)", flush=True)


def walk_alone(stack: ExitStack, folder: Path, server: Server) -> None:
    """The whole loop on a desktop of our own, by real clicks and keys."""
    steps = Steps()
    with steps.step("a desktop in memory, a server, and accounts for Maria, Alex and a machine"):
        desk = _desk_and_server(stack, folder, server)
    try:
        _walk(stack, steps, desk, server)
    except BaseException:
        desk.screen.save(FAILED)
        raise


def _walk(stack: ExitStack, steps: Steps, desk: Desk, server: Server) -> None:
    client = Client(desk, server)
    stack.callback(client.stop)
    with steps.step("the tray program has asked Alex to sign in"):
        client.start()
        client.wait_for_window(SIGN_IN)
    with steps.step("Alex typed name and password; connected"):
        client.sign_in(ALEX, PASSWORD)
        client.wait_for_log("connected")
    maria = server.login(MARIA, PASSWORD, "phone")
    _wait_until_calm(client)
    with steps.step("Maria's message is a popup"):
        message = server.publish(maria, ALEX, body=QUESTION)
        popup = wait_for(desk.hand.popups, "the popup on the screen")[0]
    with steps.step("the popup was clicked: that message is open in the window"):
        desk.hand.click_in(popup, 60, 24)
        window = client.wait_for_window()
        client.wait_for_log(f"opened {message}")
    client.wait_until_focused(window)
    with steps.step(f"Alex typed “{REPLY}” and pressed Ctrl+Enter; the server has it on disk"):
        client.write(REPLY)
        replied = "SELECT sender_id FROM messages WHERE content ->> 'body' = ? AND reply_to = ?"
        wait_for(lambda: server.rows(replied, REPLY, message), "the reply in the server's database")
    with steps.step(f"another message rang meanwhile; the picture of it all is {PICTURE}"):
        _ring_from_a_machine(server)
        wait_for(desk.hand.popups, "the second popup on the screen")
        desk.hand.away()
        desk.screen.save_when_still(PICTURE)


def _desk_and_server(stack: ExitStack, folder: Path, server: Server) -> Desk:
    with ThreadPoolExecutor() as beside:
        accounts = beside.submit(server.add_users, PEOPLE, PASSWORD)
        desk = stack.enter_context(Desk(folder / "desk"))
        accounts.result()
    server.start()
    return desk


def _wait_until_calm(client: Client) -> None:
    wait_for(lambda: not client.windows(SIGN_IN), "the sign-in window to close")


def _ring_from_a_machine(server: Server) -> None:
    machine = server.login(MACHINE, PASSWORD, "build server")
    server.publish(machine, ALEX, title="Build 218 passed", body=BUILD)


def stay(stack: ExitStack, folder: Path, server: Server) -> None:
    """On the person's own display: everything runs until they end it."""
    server.add_users(PEOPLE, PASSWORD)
    server.start()
    alex = server.login(ALEX, PASSWORD, "demo desktop")
    maria = server.login(MARIA, PASSWORD, "demo phone")
    client = Client(OwnDesk(folder), server).sign_in_beforehand(alex, theme="system")
    stack.callback(client.stop)
    client.start()
    client.wait_for_log("connected")
    server.publish(maria, ALEX, body=QUESTION)
    print(_what_to_try(server, maria), flush=True)
    _tell_replies(server, client, alex)


class OwnDesk:
    """The desktop that we are on. Nobody but the person moves its mouse."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = dict(os.environ)
        self.hand = Hand(self.env)


def _what_to_try(server: Server, maria: Login) -> str:
    return f"""
Deskbell runs: a bell is on your panel, and Maria's message has just popped up. Alex is signed in.

  Click the popup, type an answer, press Ctrl+Enter. Maria's answers are shown here.
  Send another message as Maria would from a script:

    curl -s {server.url}/api/v1/messages -H 'Authorization: Bearer {maria.token}' \\
         -H 'Content-Type: application/json' -d '{{"to": ["{ALEX}"], "title": "Hello", "body": "From the shell"}}'

  Ctrl-C, or Quit in the bell's menu, ends everything; nothing is kept.
"""


def _tell_replies(server: Server, client: Client, alex: Login) -> None:
    told = 0

    def ended() -> bool:
        nonlocal told
        replies = server.bodies_from(alex)
        for reply in replies[told:]:
            print(f"  Maria has Alex's answer: {reply}", flush=True)
        told = len(replies)
        return client.process.exit_code is not None

    wait_for(ended, "the tray program to end", timeout=float("inf"), every=0.5)


def _tell_logs(folder: Path) -> None:
    for log in sorted(folder.rglob("*.log")):
        print(f"--- {log.name}\n{tail(log)}", file=sys.stderr)


def _on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """End in order. What comes while we clear up is too late to hurry us."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    FAILED.unlink(missing_ok=True)
    alone = sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    with tempfile.TemporaryDirectory(prefix="deskbell-demo-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        server = Server(folder)
        stack.callback(server.stop)
        try:
            (walk_alone if alone else stay)(stack, folder, server)
        except (AssertionError, RuntimeError, OSError) as problem:
            print(f"\nThe demo stopped here: {problem}\n", file=sys.stderr)
            _tell_logs(folder)
            if FAILED.exists():
                print(f"--- the screen at that moment: {FAILED}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
