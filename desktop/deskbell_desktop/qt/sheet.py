"""The little style sheet that Fusion needs to look like ours: corners, hairlines and the one loud button."""

from collections.abc import Mapping

_SHEET = """
QLineEdit, QPlainTextEdit[boxed="true"] {{
    background: {surface}; color: {text}; border: 1px solid {line}; border-radius: 8px; padding: 7px 11px;
    placeholder-text-color: {soft}; selection-background-color: {accent}; selection-color: {accent_ink};
}}
QPlainTextEdit {{ background: transparent; border: none; placeholder-text-color: {soft}; }}
QLineEdit:focus, QPlainTextEdit[boxed="true"]:focus {{ border: 1px solid {accent}; }}
QLineEdit[wrong="true"] {{ border: 1px solid {bad}; }}
QPushButton {{
    background: {surface}; color: {text}; border: 1px solid {line}; border-radius: 8px; padding: 6px 15px;
}}
QPushButton:hover {{ background: {selection}; }}
QPushButton:focus {{ border: 1px solid {accent}; }}
QPushButton:disabled {{ color: {soft}; background: {selection}; }}
QPushButton[primary="true"] {{ background: {accent}; color: {accent_ink}; border: 1px solid {accent}; }}
QPushButton[primary="true"]:hover {{ background: {accent_hover}; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {text}; padding: 5px 14px; }}
QPushButton[primary="true"]:disabled {{ background: {line}; color: {soft}; border: 1px solid {line}; }}
QPushButton[pill="true"] {{ border-radius: 15px; }}
QPushButton[link="true"] {{
    background: transparent; border: 1px solid transparent; color: {accent}; padding: 3px 7px;
}}
QPushButton[link="true"]:hover {{ background: {selection}; }}
QPushButton[link="true"]:focus {{ border: 1px solid {accent}; }}
QPushButton[bad="true"] {{ color: {bad}; padding: 0 2px; margin-left: -3px; text-align: left; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 8px; padding: 6px; }}
QToolButton:hover {{ background: {selection}; }}
QToolButton:focus {{ border: 1px solid {accent}; }}
QToolButton::menu-indicator {{ image: none; }}
QMenu {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 6px; }}
QMenu::item:selected {{ background: {selection}; }}
QMenu::item:disabled {{ color: {soft}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {line}; padding: 4px 8px; }}
QAbstractScrollArea {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {handle}; border-radius: 3px; margin: 2px 3px; min-height: 32px; }}
QScrollBar::handle:vertical:hover {{ background: {soft}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def style_sheet(colours: Mapping[str, str]) -> str:
    """The sheet for one scheme; set again whenever the scheme changes."""
    return _SHEET.format(**colours)
