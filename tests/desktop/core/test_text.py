"""Text from others: what is left of it in a popup, and which links may be followed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell_desktop.core import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x00b\x07c\x1b[31md", "abc[31md"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066x\u2069\u200fy", "xy"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("👩\u200d👩\u200d👧 简体中文 e\u0301", "👩\u200d👩\u200d👧 简体中文 e\u0301"),
        ("\ud800", ""),
        ("\ufeff\u00adsoft", "soft"),
    ],
)
def test_controls_and_overrides_go_and_scripts_stay(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


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


@pytest.mark.parametrize(
    ("raw", "urls"),
    [
        ("see https://example.org/menu.", ["https://example.org/menu"]),
        ("(https://en.wikipedia.org/wiki/A_(b))", ["https://en.wikipedia.org/wiki/A_(b)"]),
        ("见 https://例子.测试/路径，好吗", ["https://xn--fsqu00a.xn--0zwm56d/路径"]),
        ("HTTP://EXAMPLE.org:8080/x?y=1#z", ["http://example.org:8080/x?y=1#z"]),
        ("http://[::1]:80/", ["http://[::1]:80/"]),
        ("<http://a.b><http://c.d>", ["http://a.b", "http://c.d"]),
        ("javascript:alert(1) file:///etc/passwd smb://h/x \\\\h\\x data:text/html,x", []),
        ("http://user@evil.example https://a:b@c", []),
        ("http:// https://", []),
        ("http://a:99999/", []),
        ("https://раураl.com/", ["https://xn--l-7sba6dbr.com/"]),
    ],
)
def test_links_lead_where_they_say(raw: str, urls: list[str]) -> None:
    found = list(text.links_in(raw))
    assert [link.url for link in found] == urls
    assert all(raw[link.start : link.end].lower().startswith("http") for link in found)
    assert all(link.host in link.url for link in found)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:x", "//evil", "http://a@b", "http://a\u202eb", "ms-msdt:x", "", "http://"]
)
def test_other_addresses_are_not_opened(url: str) -> None:
    assert text.safe_url(url) is None


def test_a_safe_address_survives() -> None:
    assert text.safe_url("https://example.org/a?b=c#d") == "https://example.org/a?b=c#d"


@given(st.text(alphabet="htps:/.@[]()ab%#?&= \n，。", max_size=200))
def test_no_text_breaks_the_link_finder(raw: str) -> None:
    for link in text.links_in(raw):
        assert text.safe_url(link.url) == link.url


def test_long_lines_are_no_trap() -> None:
    begun = time.perf_counter()
    list(text.links_in("http://" * 30_000))
    list(text.links_in("https://a/" + "(" * 100_000))
    list(text.links_in("https://a/" + ")" * 16_000))
    text.popup_body("x" * 200_000)
    assert time.perf_counter() - begun < 5
