"""Times in words, initials, and the core's sentences through the translator."""

import inspect
import time
from datetime import datetime, timedelta

import pytest
from PySide6.QtWidgets import QApplication

from deskbell_desktop.core.words import Words
from deskbell_desktop.qt import language, words
from deskbell_desktop.qt.avatars import initials
from deskbell_desktop.qt.core_words import TranslatedWords, fill

NOW = datetime(2026, 3, 11, 14, 32)


def ms(moment: datetime) -> int:
    return round(time.mktime(moment.timetuple()) * 1000)


@pytest.mark.parametrize(
    ("ago", "label", "short"),
    [
        (timedelta(), "Today", "14:32"),
        (timedelta(hours=14, minutes=32), "Today", "00:00"),
        (timedelta(hours=14, minutes=33), "Yesterday", "Tue"),
        (timedelta(days=2), "Monday", "Mon"),
        (timedelta(days=6), "Thursday", "Thu"),
        (timedelta(days=7), "Wednesday, 4 March 2026", "04/03/2026"),
        (timedelta(days=-1), "Thursday, 12 March 2026", "12/03/2026"),  # a clock that is wrong
    ],
)
def test_days_and_times(ago: timedelta, label: str, short: str) -> None:
    at = ms(NOW - ago)
    assert words.day_label(at, ms(NOW)) == label
    assert words.short_time(at, ms(NOW)) == short


def test_no_time_is_shown_where_there_is_none_and_nonsense_does_not_raise() -> None:
    assert words.short_time(0, ms(NOW)) == ""
    for at in (-1, 2**53, 10**30):
        assert words.clock(at)


def test_twelve_hours_where_the_locale_has_them(qapp: QApplication) -> None:
    language.apply(qapp, "en_US")
    assert words.clock(ms(NOW)).replace("\u202f", " ") == "2:32 PM"


@pytest.mark.parametrize(
    ("label", "letters"),
    [
        ("Maria Garcia", "MG"),
        ("Maria del Carmen Garcia", "MG"),
        ("grafana", "GR"),
        ("x", "X"),
        ("陈晓明", "陈"),
        ("陈 晓明", "陈"),
        ("Ünal Öz", "ÜÖ"),
        ("ß", "SS"),
        ("(Bob) [x]", "BX"),
        ("", "?"),
        ("🛎️ !!", "?"),
        ("\u202eevil", "EV"),
    ],
)
def test_initials(label: str, letters: str) -> None:
    assert initials(label) == letters


# -- the core's sentences -----------------------------------------------------------------------------------------

VALUES: dict[str, list[object]] = {
    "int": [0, 1, 2, 1_760_000_000_000],
    "str": ["", "here", "%1 and %2", "<b>x</b>"],
    "list[str]": [["Ana"], ["Ana", "Bo", "Cy", "Di", "Ed"]],
}
SENTENCES = [name for name, _function in inspect.getmembers(Words, inspect.isfunction) if not name.startswith("_")]


def calls(name: str) -> list[list[object]]:
    kinds = [str(p.annotation) for p in list(inspect.signature(getattr(Words, name)).parameters.values())[1:]]
    kinds = [kind.removeprefix("<class '").removesuffix("'>") for kind in kinds]
    width = max([len(VALUES[kind]) for kind in kinds], default=1)
    return [[VALUES[kind][number % len(VALUES[kind])] for kind in kinds] for number in range(width)]


@pytest.mark.parametrize("name", SENTENCES)
def test_a_translated_sentence_is_the_core_s_own_where_the_language_is_english(name: str) -> None:
    assert name in vars(TranslatedWords), "not translated"
    for arguments in calls(name):
        assert getattr(TranslatedWords(), name)(*arguments) == getattr(Words(), name)(*arguments)


@pytest.mark.parametrize("name", SENTENCES)
def test_in_chinese_it_is_another(name: str, qapp: QApplication) -> None:
    language.apply(qapp, "zh_CN")
    for arguments in calls(name):
        translated, english = getattr(TranslatedWords(), name)(*arguments), getattr(Words(), name)(*arguments)
        bare = name in ("counted", "conversation_title", "from_people") and len(english) < 30
        assert translated != english or bare
        for argument in arguments:
            if isinstance(argument, str):
                assert argument in translated


def test_a_value_is_never_read_as_a_place() -> None:
    assert fill("%1 in %2", "%2", "%1") == "%2 in %1"


def test_the_system_s_language_is_taken_or_english(qapp: QApplication) -> None:
    language.apply(qapp, "zh_CN")
    assert words.day_label(ms(NOW), ms(NOW)) == "今天"
    language.apply(qapp, "sv_SE")  # not translated yet
    assert words.day_label(ms(NOW), ms(NOW)) == "Today"
    language.apply(qapp)
    assert words.day_label(ms(NOW), ms(NOW)) in ("Today", "今天")
