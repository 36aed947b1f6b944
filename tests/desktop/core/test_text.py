"""Text from others: what is left of it in a popup, and which links may be followed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell_desktop.core import text
from deskbell_protocol.characters import can_be_seen
from tests.texts import CLEANED, LINKS, SEEN


@pytest.mark.parametrize("name", CLEANED)
def test_hidden_characters_go_and_scripts_stay(name: str) -> None:
    raw, shown = CLEANED[name]
    assert text.clean(raw) == shown


@pytest.mark.parametrize("name", SEEN)
def test_a_line_of_which_nothing_can_be_seen_is_empty(name: str) -> None:
    raw, seen = SEEN[name]
    assert can_be_seen(raw) is seen
    assert bool(text.one_line(raw)) is seen


@given(st.text())
def test_a_popup_is_short_and_plain(raw: str) -> None:
    body = text.popup_body(raw)
    assert len(body) <= text.POPUP_CHARS
    assert body.count("\n") <= 5
    assert text.clean(body) == body


@given(st.text())
def test_a_line_is_one_line(raw: str) -> None:
    assert "\n" not in text.one_line(raw)
    assert len(text.one_line(raw)) <= text.LINE_CHARS


def test_ten_thousand_newlines_are_one_popup() -> None:
    assert text.popup_body("a" + "\n" * 10_000 + "b") in ("a", "a\nb")


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("bob", ("bob",)),
        ("bob, @ops;陈晓明 bob", ("bob", "@ops", "陈晓明")),
        ("陈晓明，王芳；李雷、bob", ("陈晓明", "王芳", "李雷", "bob")),
        (" ,; ", ()),
    ],
)
def test_names_are_separated_by_what_people_type(raw: str, names: tuple[str, ...]) -> None:
    assert text.names_in(raw) == names


@pytest.mark.parametrize("name", LINKS)
def test_links_are_whole_and_lead_where_they_say(name: str) -> None:
    raw, links = LINKS[name]
    found = list(text.links_in(raw))
    assert [(raw[link.start : link.end], link.url, link.host) for link in found] == [tuple(link) for link in links]
    assert all(text.safe_url(link.url) == link.url for link in found)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:x", "//evil", "http://a@b", "http://a\u202eb", "ms-msdt:x", "", "http://"]
)
def test_other_addresses_are_not_opened(url: str) -> None:
    assert text.safe_url(url) is None


def test_a_safe_address_survives() -> None:
    assert text.safe_url("https://example.org/a?b=c#d") == "https://example.org/a?b=c#d"


@given(st.text(alphabet="htps:/.@[](){}'\"`|*<>ab%#?&= \n，。", max_size=200))
def test_no_text_breaks_the_link_finder(raw: str) -> None:
    for link in text.links_in(raw):
        assert text.safe_url(link.url) == link.url


def test_long_lines_are_no_trap() -> None:
    begun = time.process_time()
    list(text.links_in("http://" * 30_000))
    list(text.links_in("https://a/" + "(" * 100_000))
    list(text.links_in("https://a/" + ")" * 16_000))
    list(text.links_in('"https://a"' * 10_000))
    text.popup_body("x" * 200_000)
    assert time.process_time() - begun < 5
