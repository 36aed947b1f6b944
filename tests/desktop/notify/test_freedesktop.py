"""Our notifier against a real bus and a daemon that obeys: what is asked of it, and what comes back."""

import html
from dataclasses import replace

import pytest
from jeepney import new_signal
from pytestqt.qtbot import QtBot

from deskbell_desktop.core.views import Popup
from deskbell_desktop.notify.freedesktop import ADDRESS, FreedesktopNotifier
from deskbell_desktop.qt.session_bus import SessionBus
from tests.desk.bus import Bus
from tests.desktop.notify.conftest import MARIA, Daemon, Heard, StartDaemon

HELLO = Popup("c1", "Maria Garcia", "Lunch at 12:30?", MARIA, "m1")
EVIL = '<b>x</b> <img src="file:///etc/passwd"> & "quoted"'


@pytest.fixture
def daemon(start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier) -> Daemon:
    daemon = start_daemon()
    session.open()
    return daemon


def shown(daemon: Daemon, qtbot: QtBot, count: int = 1) -> list[dict[str, object]]:
    qtbot.waitUntil(lambda: len(daemon.calls()) >= count)
    assert len(daemon.calls()) == count
    return daemon.calls()


def test_a_popup_has_the_types_and_hints_of_the_specification(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    notifier.show(HELLO)
    (call,) = shown(daemon, qtbot)
    assert (call["app"], call["summary"], call["body"], call["timeout"]) == (
        "Deskbell",
        "Maria Garcia",
        "Lunch at 12:30?",
        -1,
    )
    assert call["actions"] == ["default", "Open", "reply", "Reply", "read", "Mark read"]
    assert call["types"] == {"urgency": "y", "category": "s", "desktop-entry": "s", "image-data": "(iiibiiay)"}
    hints = call["hints"]
    assert isinstance(hints, dict)
    assert (hints["urgency"], hints["category"], hints["desktop-entry"]) == (1, "im.received", "deskbell")
    assert hints["image-data"] == [64, 64, 256, True, 8, 4, {"bytes": 64 * 256}]


@pytest.mark.parametrize(("caps", "body"), [("body,body-markup", html.escape(EVIL, quote=False)), ("body", EVIL)])
def test_text_is_escaped_only_where_it_is_read_as_markup(
    caps: str, body: str, start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    daemon = start_daemon(f"--caps={caps}")
    session.open()
    notifier.show(replace(HELLO, body=EVIL))
    (call,) = shown(daemon, qtbot)
    assert call["body"] == body
    assert call["actions"] == []  # it did not offer any


def test_a_daemon_without_bodies_shows_the_text_in_the_summary(
    start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    daemon = start_daemon("--caps=actions,body-markup")
    session.open()
    notifier.show(replace(HELLO, body="Lunch <b>at\n12:30</b>?"))
    (call,) = shown(daemon, qtbot)
    assert (call["summary"], call["body"]) == ("Maria Garcia: Lunch <b>at 12:30</b>?", "")


def test_an_urgent_one_stays_and_a_program_gets_no_reply(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    notifier.show(replace(HELLO, priority="urgent", can_reply=False))
    (call,) = shown(daemon, qtbot)
    assert call["timeout"] == 0
    assert call["hints"]["urgency"] == 2  # type: ignore[index]
    assert call["actions"] == ["default", "Open", "read", "Mark read"]


def test_capabilities_are_asked_once(daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot) -> None:
    for key in ("a", "b", "c"):
        notifier.show(replace(HELLO, key=key))
    shown(daemon, qtbot, 3)
    assert len(daemon.calls("GetCapabilities")) == 1


def test_every_action_comes_back_with_its_key(daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot) -> None:
    heard = Heard(notifier)
    for number, (action, signal) in enumerate(
        [("default", "opened"), ("reply", "reply_requested"), ("read", "read_requested")], start=1
    ):
        notifier.show(HELLO)
        shown(daemon, qtbot, number)
        qtbot.waitUntil(lambda: notifier._shown["c1"].id != 0)
        daemon.invoke(notifier._shown["c1"].id, action, token="token-7")
        qtbot.waitUntil(lambda wanted=2 * number: len(heard.events) == wanted)  # type: ignore[misc]
        assert heard.events[-2][:2] == (signal, "c1")
    assert heard.events[0] == ("opened", "c1", "token-7")


def test_a_typed_reply_where_the_daemon_has_a_field(
    start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    daemon = start_daemon("--caps=actions,body,inline-reply")
    session.open()
    heard = Heard(notifier)
    notifier.show(HELLO)
    (call,) = shown(daemon, qtbot)
    assert call["actions"] == ["default", "Open", "inline-reply", "Reply", "read", "Mark read"]
    assert call["hints"]["x-kde-reply-submit-button-text"] == "Send"  # type: ignore[index]
    daemon.reply(1, "好的 🛎️")
    qtbot.waitUntil(lambda: ("replied", "c1", "好的 🛎️") in heard.events)


def test_a_later_popup_of_the_same_key_replaces_the_first(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: notifier._capabilities is not None)
    for body in ("one", "two", "three"):  # faster than the daemon answers
        notifier.show(replace(HELLO, body=body))
    qtbot.waitUntil(lambda: any(call["body"] == "three" for call in daemon.calls()))
    calls = daemon.calls()
    assert [call["replaces"] for call in calls] == [0] + [1] * (len(calls) - 1)
    assert {call["id"] for call in calls} == {1}
    assert len(calls) == 2  # the middle one was overtaken while the first was on its way


def test_withdrawing_closes_also_what_was_not_answered_yet(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    heard = Heard(notifier)
    notifier.show(HELLO)
    qtbot.waitUntil(lambda: "c1" in notifier._shown)
    notifier.withdraw("c1")
    qtbot.waitUntil(lambda: daemon.calls("CloseNotification") == [{"call": "CloseNotification", "id": 1}])
    qtbot.waitUntil(lambda: heard.events == [("closed", "c1")])
    notifier.withdraw("c1")
    notifier.withdraw("unknown")
    assert notifier._shown == {}


def test_a_popup_withdrawn_before_the_daemon_was_known_is_never_shown(
    start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    notifier.show(HELLO)
    notifier.withdraw("c1")
    notifier.show(replace(HELLO, key="c2"))
    daemon = start_daemon()
    session.open()
    (call,) = shown(daemon, qtbot)
    assert notifier._shown.keys() == {"c2"}
    assert call["id"] == 1


@pytest.mark.parametrize(("gone", "told"), [("expire", []), ("dismiss", [("closed", "c1")])])
def test_a_popup_in_the_history_still_obeys(
    gone: str, told: list[tuple[str, ...]], daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    heard = Heard(notifier)
    notifier.show(HELLO)
    qtbot.waitUntil(lambda: "c1" in notifier._shown and not notifier._shown["c1"].asked)
    getattr(daemon, gone)(1)
    daemon.invoke(1, "read")
    qtbot.waitUntil(lambda: heard.events == [*told, ("read_requested", "c1"), ("closed", "c1")])
    notifier.show(HELLO)
    assert shown(daemon, qtbot, 2)[1]["replaces"] == 0  # there is nothing left to replace


def test_what_expired_is_replaced_and_leaves_the_history_when_it_is_read(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    heard = Heard(notifier)
    for body in ("one", "two"):
        notifier.show(replace(HELLO, body=body))
        qtbot.waitUntil(lambda b=body: "c1" in notifier._shown and notifier._shown["c1"].popup.body == b)  # type: ignore[misc]
        qtbot.waitUntil(lambda: not notifier._shown["c1"].asked)
        daemon.expire(1)
    assert [call["replaces"] for call in daemon.calls()] == [0, 1]
    assert heard.events == []  # nobody has done anything with it
    notifier.withdraw("c1")
    qtbot.waitUntil(lambda: daemon.calls("CloseNotification") == [{"call": "CloseNotification", "id": 1}])
    daemon.invoke(1, "default")  # a daemon that shows it all the same is not obeyed
    notifier.show(replace(HELLO, key="c2"))
    shown(daemon, qtbot, 3)
    assert heard.events == [("closed", "c1")]


def test_other_programs_popups_are_not_ours(
    daemon: Daemon, notifier: FreedesktopNotifier, qtbot: QtBot, bus: Bus
) -> None:
    heard = Heard(notifier)
    notifier.show(HELLO)
    shown(daemon, qtbot)
    qtbot.waitUntil(lambda: notifier._shown["c1"].id == 1)
    daemon.invoke(77, "default")
    daemon.dismiss(78)
    with bus.connect() as stranger:  # says that our popup was clicked, but is not the daemon
        stranger.send(new_signal(ADDRESS, "ActionInvoked", "us", (1, "default")))
        stranger.send(new_signal(ADDRESS, "NotificationReplied", "us", (1, "sent by a stranger")))
    daemon.invoke(1, "read")
    qtbot.waitUntil(lambda: ("closed", "c1") in heard.events)
    assert heard.events == [("read_requested", "c1"), ("closed", "c1")]


def test_a_restarted_daemon_knows_no_old_numbers(
    start_daemon: StartDaemon, session: SessionBus, notifier: FreedesktopNotifier, qtbot: QtBot
) -> None:
    first = start_daemon()
    session.open()
    heard = Heard(notifier)
    for key in ("a", "b", "c"):
        notifier.show(replace(HELLO, key=key))
    shown(first, qtbot, 3)
    qtbot.waitUntil(lambda: all(entry.id for entry in notifier._shown.values()))
    first.stop()
    qtbot.waitUntil(lambda: len(heard.events) == 3)
    second = start_daemon("--caps=body")
    qtbot.waitUntil(lambda: notifier._capabilities == frozenset({"body"}))
    notifier.show(replace(HELLO, key="c"))
    (call,) = shown(second, qtbot)
    assert call["replaces"] == 0
    second.invoke(3, "default")
    second.invoke(1, "default")
    qtbot.waitUntil(lambda: ("opened", "c", "") in heard.events)
    assert ("opened", "a", "") not in heard.events
