"""The question before something is lost: the program is to end, or to sign out, while the disk takes nothing."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox

from deskbell_desktop.qt import icons

translate = QCoreApplication.translate


def is_accepted(loss: str) -> bool:
    """Waits for the person; staying is what Return and Escape do."""
    box = QMessageBox(QMessageBox.Icon.Warning, translate("Loss", "Deskbell"), loss)
    box.setWindowIcon(icons.app_icon())
    stay = box.addButton(translate("Loss", "Stay"), QMessageBox.ButtonRole.RejectRole)
    lose = box.addButton(translate("Loss", "Lose it"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is lose
