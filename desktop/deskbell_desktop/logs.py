"""The program's diary, `deskbell.log` in the profile: ids and times of a message's walk, never body or token."""

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from deskbell_desktop import __version__

log = logging.getLogger(__name__)

LOG_BYTES = 2 << 20


def begin_log(path: Path) -> None:
    """For this user alone, two files at most; where none can be written it goes to standard error."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = PrivateFile(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    log.info("deskbell %s starts", __version__)


class OneLine(logging.Formatter):
    """A word of the server's cannot look like another log line; only tracebacks have several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class PrivateFile(RotatingFileHandler):
    """For this user alone, also after each rotation, and where an older version was not so careful."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=_open_privately)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk is said by the store, and not by a traceback for each line."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def _open_privately(path: str, flags: int) -> int:
    file = os.open(path, flags, 0o600)
    os.fchmod(file, 0o600)
    return file
