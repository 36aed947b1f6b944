"""`deskbell` on the command line: looks whether the desktop parts are installed, and becomes the program."""

import signal
import sys
from importlib.util import find_spec

from deskbell_desktop.config import read_settings, read_words, this_environment

NEEDED = ("PySide6", "aiohttp", "socketio", "keyring", "platformdirs")


def main() -> int | str:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's bindings lose a KeyboardInterrupt while they load
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        read_words(sys.argv[1:])  # `--version` needs nothing
        remedy = f"In the clone of Deskbell, run: {sys.executable} -m pip install '.[desktop]'"
        say(f"{', '.join(missing)} not installed. {remedy}")
        return 1
    settings = read_settings(sys.argv[1:], this_environment())
    from deskbell_desktop.qt.import_hook import import_without_hook

    import_without_hook()
    from deskbell_desktop.qt.x11 import missing_screen

    if not settings.platform and (problem := missing_screen(settings.screens)):
        say(problem)
        return 1
    from deskbell_desktop.app import run

    return run(settings, say)


def say(words: str) -> None:
    print(f"deskbell: {words}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
