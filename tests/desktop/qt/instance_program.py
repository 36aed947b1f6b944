"""A start of the program as far as the claim; what happens stands on its output. Arguments: profile, token, screen."""

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from deskbell_desktop.config import read_settings, this_environment
from deskbell_desktop.qt.instance import SingleInstance


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


profile, token, screen = [*sys.argv[1:], "", ""][:3]
settings = read_settings(["--profile", profile], this_environment())
application = QCoreApplication(["deskbell"])
instance = SingleInstance(Path(profile), settings.folder, [screen], patience_s=0.5)
instance.raise_requested.connect(lambda token: say(f"raised {token!r}"))
other = instance.claim(token)
if other is not None:
    say(f"second: {other.words}")
    sys.exit(0 if other.shown else 1)
say(f"first {instance.problem}".strip())
sys.exit(application.exec())
