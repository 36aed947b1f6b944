"""A start of the program as far as the claim; what happens stands on its output. Arguments: profile, token."""

import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from deskbell_desktop.qt.instance import SingleInstance


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


application = QCoreApplication(["deskbell"])
instance = SingleInstance(Path(sys.argv[1]))
instance.raise_requested.connect(lambda token: say(f"raised {token!r}"))
if not instance.claim(sys.argv[2] if len(sys.argv) > 2 else ""):
    say("second")
    sys.exit(0)
say("first")
sys.exit(application.exec())
