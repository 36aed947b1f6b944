"""Times and states in words, translated; `now` is passed in (milliseconds since the epoch), local time is meant."""

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QTime

from deskbell_desktop.core import text
from deskbell_desktop.core.views import Delivery, Link, MessageView, StatusView

DAYS_BY_NAME: Final = 6

translate = QCoreApplication.translate


def _local(at: int) -> datetime:
    try:
        return datetime.fromtimestamp(at / 1000)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0)


def day(at: int) -> int:
    """The local calendar day as a number; messages of one day share it."""
    return _local(at).toordinal()


def clock(at: int) -> str:
    """14:32, or 2:32 PM where the system's locale has it so."""
    moment = _local(at)
    locale = QLocale()
    twelve = "a" in locale.timeFormat(QLocale.FormatType.ShortFormat).lower()
    return locale.toString(QTime(moment.hour, moment.minute), "h:mm AP" if twelve else "HH:mm")


def day_label(at: int, now: int) -> str:
    """Today, Yesterday, Monday, or the whole date."""
    days = day(now) - day(at)
    if days == 0:
        return translate("Words", "Today")
    if days == 1:
        return translate("Words", "Yesterday")
    moment = _local(at)
    date = QDate(moment.year, moment.month, moment.day)
    if 1 < days <= DAYS_BY_NAME:
        return QLocale().toString(date, "dddd")
    return QLocale().toString(date, QLocale.FormatType.LongFormat)


def short_time(at: int, now: int) -> str:
    """For a row of the list: the clock today, the weekday this week, the date before; nothing for 0."""
    if not at:
        return ""
    days = day(now) - day(at)
    if days == 0:
        return clock(at)
    moment = _local(at)
    date = QDate(moment.year, moment.month, moment.day)
    if 0 < days <= DAYS_BY_NAME:
        return QLocale().toString(date, "ddd")
    return QLocale().toString(date, QLocale.FormatType.ShortFormat)


def status_line(status: StatusView) -> str:
    """Where the connection stands. A problem is its own sentence."""
    if status.problem:
        return status.problem
    where = server_name(status.server)
    if status.link is Link.ONLINE:
        return translate("Words", "Connected to %1").replace("%1", where)
    if status.link is Link.CONNECTING:
        return translate("Words", "Connecting to %1…").replace("%1", where)
    if status.link is Link.OFFLINE:
        return translate("Words", "Waits for the connection to %1").replace("%1", where)
    return translate("Words", "Signed out")


def server_name(server: str) -> str:
    """The part of an address that a person knows: host and, where it is not the usual one, port."""
    try:
        return urlsplit(server).netloc.rpartition("@")[2] or server
    except ValueError:
        return server


def state(message: MessageView) -> str:
    """What happened to a message of mine; nothing for one that was received."""
    if message.state is Delivery.SENDING:
        return translate("Words", "Sending…")
    if message.state is Delivery.SENT:
        return translate("Words", "Sent")
    if message.state is Delivery.FAILED:
        return message.problem or translate("Words", "Not sent.")
    return ""


def whom(message: MessageView) -> str:
    """Whom a message of mine goes to besides the one of the conversation; nothing where that is nobody."""
    return translate("Words", "To %1").replace("%1", text.one_line(", ".join(message.to), 100)) if message.to else ""


def priority(message: MessageView) -> str:
    if message.content.priority == "urgent":
        return translate("Words", "Urgent")
    if message.content.priority == "high":
        return translate("Words", "Important")
    return ""
