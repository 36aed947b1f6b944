"""PySide6 without its import hook, which reads the source of every module that is imported after it, and keeps it.

That is 11 MiB here, and a tenth of a second, to look for `from __feature__ import …`, which nothing of ours says.
"""

import builtins


def import_without_hook() -> None:
    """To be called before anything else imports PySide6."""
    plain = builtins.__import__
    import PySide6.QtCore  # noqa: F401 - the first of its modules brings the hook

    builtins.__import__ = plain
