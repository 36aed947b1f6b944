"""The language of the words: English is in the source, others are files of the resources."""

import logging

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from deskbell_resources.files import read, resource

log = logging.getLogger(__name__)


def apply(app: QCoreApplication, language: str | None = None) -> None:
    """Speak `language` ("en", "zh_CN"), or the system's first one that we know. Call it before making widgets."""
    locale = QLocale(language) if language else QLocale.system()
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.setParent(None)
    QLocale.setDefault(locale)
    for name in [language] if language else locale.uiLanguages(QLocale.TagSeparator.Underscore):
        if name.split("_")[0] in ("en", "C"):
            return
        if _install(app, name):
            return


class _Translator(QTranslator):
    """Reads from memory, and Qt does not copy what it is given."""

    def __init__(self, parent: QObject, data: bytes) -> None:
        super().__init__(parent)
        self._data = data
        self.readable = self.load(data)


def _install(app: QCoreApplication, name: str) -> bool:
    file = f"translations/deskbell_{name}.qm"
    if not resource(file).is_file():
        return False
    ours = _Translator(app, read(file))
    if not ours.readable:
        log.warning("the translation %s cannot be read", name)
        return False
    qts = QTranslator(app)
    if qts.load(f"qtbase_{name}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qts)
    app.installTranslator(ours)
    return True
