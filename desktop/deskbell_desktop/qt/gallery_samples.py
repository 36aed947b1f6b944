"""People and messages that do not exist, for the gallery's pictures, in English and in Chinese."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from deskbell_desktop.core.views import ConversationView, Delivery, Found, Hit, Link, MessageView, Popup, StatusView
from deskbell_protocol.wire import Content, Party

SERVER = "https://desk.example.org"
MINUTE = 60_000
DAY = 24 * 60 * MINUTE

ME = Party("u0", "ana", "Ana Ruiz")
MARIA = Party("u1", "maria", "Maria Garcia")
XIAOMING = Party("u2", "陈晓明", "陈晓明")
GRAFANA = Party("u3", "grafana", "Grafana", "app")
OPS = Party("u4", "@operations", "Operations", "group")
EVERYONE = Party("u5", "@everyone", "Everyone", "group")
LI = Party("u6", "li.na", "李娜")


@dataclass(frozen=True)
class Sample:
    """What one language's pictures show."""

    status: StatusView
    conversations: tuple[ConversationView, ...]
    messages: tuple[MessageView, ...]
    alerts: tuple[MessageView, ...]
    people: tuple[Party, ...]
    pages: tuple[tuple[str, StatusView, Sequence[ConversationView] | None], ...]
    popups: tuple[Popup, ...]
    problem: str
    answer: str
    found: Found


def sample(tongue: str) -> Sample:
    return _chinese() if tongue.startswith("zh") else _english()


def _noon() -> int:
    """Half past two today, local time: pictures do not change with the hour."""
    now = time.localtime()
    return round(time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 14, 32, 0, 0, 0, -1)) * 1000)


def _talk(
    party: Party, last: str, ago: int, *, unread: int = 0, mine: bool = False, waiting: Delivery | None = None
) -> ConversationView:
    return ConversationView(party.id, (party,), party.label, last, mine, _noon() - ago, unread, waiting)


def _said(key: str, body: str, ago: int, *, sender: Party = MARIA) -> MessageView:
    return MessageView(key, sender, False, Content(body=body), _noon() - ago, Delivery.RECEIVED)


def _wrote(key: str, body: str, ago: int, state: Delivery, problem: str = "") -> MessageView:
    return MessageView(key, ME, True, Content(body=body), _noon() - ago, state, problem=problem)


def _found(wanted: str, people: tuple[ConversationView, ...], *messages: ConversationView) -> Found:
    return Found(wanted, people, tuple(Hit(f"h{number}", row) for number, row in enumerate(messages)))


def _pages(problem: str) -> tuple[tuple[str, StatusView, Sequence[ConversationView] | None], ...]:
    return (
        ("empty", StatusView(Link.ONLINE, SERVER, "ana"), ()),
        ("loading", StatusView(Link.CONNECTING, SERVER, "ana"), None),
        ("broken", StatusView(Link.OFFLINE, SERVER, "ana", away=problem), ()),
        ("signed-out", StatusView(Link.SIGNED_OUT, SERVER), ()),
    )


def _english() -> Sample:
    return Sample(
        StatusView(Link.ONLINE, SERVER, "ana", unread=3, unsent="1 message was not sent"),
        (
            _talk(MARIA, "Done.", 0, unread=2, waiting=Delivery.FAILED),
            _talk(XIAOMING, "好的，我下午看一下", 27 * MINUTE, waiting=Delivery.SENDING),
            _talk(GRAFANA, "Disk on db-2 is 91 % full", 44 * MINUTE, unread=1),
            _talk(OPS, "Deploy is through", 192 * MINUTE),
            _talk(EVERYONE, "The office closes at 16:00 on Friday", 2 * DAY),
        ),
        (
            _said("m1", "Hi! Lunch at 12:30? The menu is at https://example.org/menu", MINUTE),
            _wrote(
                "m2",
                'Yes, see you there. Could you look at this before?\ndeskbell send @ops "db-2 is back"',
                0,
                Delivery.SENT,
            ),
            _said("m3", "Shall we ship it now?", 0),
            _wrote("m4", "One minute, the tests are still running 🛎️", 0, Delivery.SENDING),
            _wrote("m5", "Done.", 0, Delivery.FAILED),
        ),
        tuple(
            _said(f"a{n}", f"Disk on db-{n} is {78 + n} % full", (20 - n) * MINUTE, sender=GRAFANA) for n in range(15)
        ),
        (MARIA, XIAOMING, OPS),
        _pages("desk.example.org does not answer."),
        (
            Popup("u3", "Important: Grafana", "Disk on db-2 is 91 % full", GRAFANA, "m9", "high", False),
            Popup("u1", "Maria Garcia", "Shall we ship it now?", MARIA, "m3"),
        ),
        "That name and password do not match. 3 tries left.",
        "Yes, ship it",
        _found(
            "ar",
            (_talk(MARIA, "Shall we ship it now?", 0, unread=2),),
            _talk(MARIA, "The tests are still running", 0, mine=True),
            _talk(OPS, "Ana Ruiz: disks are here", 192 * MINUTE),
            _talk(XIAOMING, "Lunch at a quarter past?", DAY),
        ),
    )


def _chinese() -> Sample:
    return Sample(
        StatusView(Link.ONLINE, SERVER, "ana", unread=3, unsent="1 条消息未发送"),
        (
            _talk(XIAOMING, "好了。", 0, unread=2, waiting=Delivery.FAILED),
            _talk(LI, "好的，我下午看一下", 27 * MINUTE, waiting=Delivery.SENDING),
            _talk(GRAFANA, "db-2 的磁盘已用 91 %", 44 * MINUTE, unread=1),
            _talk(MARIA, "Deploy is through", 192 * MINUTE),
            _talk(EVERYONE, "办公室星期五 16:00 关门", 2 * DAY),
        ),
        (
            _said("m1", "你好！12:30 一起吃午饭吗？菜单在 https://example.org/menu", MINUTE, sender=XIAOMING),
            _wrote("m2", '好，到时候见。之前能先看一下这个吗？\ndeskbell send @ops "db-2 恢复了"', 0, Delivery.SENT),
            _said("m3", "现在可以发布了吗？", 0, sender=XIAOMING),
            _wrote("m4", "稍等一分钟，测试还在运行 🛎️", 0, Delivery.SENDING),
            _wrote("m5", "好了。", 0, Delivery.FAILED),
        ),
        tuple(_said(f"a{n}", f"db-{n} 的磁盘已用 {78 + n} %", (20 - n) * MINUTE, sender=GRAFANA) for n in range(15)),
        (XIAOMING, LI, MARIA, OPS),
        _pages("desk.example.org 没有响应。"),
        (
            Popup("u3", "重要：Grafana", "db-2 的磁盘已用 91 %", GRAFANA, "m9", "high", False),
            Popup("u2", "陈晓明", "现在可以发布了吗？", XIAOMING, "m3"),
        ),
        "名称和密码不匹配，还可以再试 3 次。",
        "可以，发布吧",
        _found(
            "晓明",
            (_talk(XIAOMING, "现在可以发布了吗？", 0, unread=2),),
            _talk(OPS, "李娜: 晓明，磁盘换好了吗？", 192 * MINUTE),
            _talk(LI, "下午和晓明一起看文档", DAY, mine=True),
        ),
    )
