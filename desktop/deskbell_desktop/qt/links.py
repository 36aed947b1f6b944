"""The only way out of a message into the browser: checked once more, then given to the desktop."""

import logging

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from deskbell_desktop.core import text

log = logging.getLogger(__name__)


def open_link(url: str) -> bool:
    """Open an http or https address; anything else is refused."""
    safe = text.safe_url(url)
    if safe is None:
        log.warning("a link was refused: neither http nor https, or not what it seems")
        return False
    target = QUrl(safe, QUrl.ParsingMode.StrictMode)
    return target.isValid() and QDesktopServices.openUrl(target)
