"""A host's name as typed and as looked up: what a browser would go to, or nothing."""

import pytest

from deskbell_desktop.core import text
from deskbell_desktop.core.hosts import host_of, is_loopback

HOSTS = [
    ("straße.test", "xn--strae-oqa.test"),
    ("Faß.de", "xn--fa-hia.de"),
    ("βόλος.com", "xn--nxasmm1c.com"),
    ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ("１２７.０.０.１", "127.0.0.1"),
    ("my_desk.lan", "my_desk.lan"),
    ("r3---sn-1.example", "r3---sn-1.example"),
    ("desk.example.", "desk.example."),
]


@pytest.mark.parametrize(
    ("typed", "host"), [*HOSTS, ("例え。jp", "xn--r8jz45g.jp"), ("0::1", "[::1]"), ("XN--Fa-hia.de", "xn--fa-hia.de")]
)
def test_a_host_is_what_a_browser_makes_of_it(typed: str, host: str) -> None:
    assert host_of(typed) == host


@pytest.mark.parametrize(("typed", "host"), HOSTS)
def test_a_link_leads_there_too(typed: str, host: str) -> None:
    assert [(link.url, link.host) for link in text.links_in(f"http://{typed}/x")] == [(f"http://{host}/x", host)]


@pytest.mark.parametrize(
    "typed",
    ["", "a..b", ".a", "a b", "a%2eb", "a!b", "x" * 64, "xn--999999b", "ex\u200cample.test", "1::2::3", "ü" * 70],
)
def test_what_is_no_host_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever its text, the callers have their own
        host_of(typed)


@pytest.mark.parametrize(
    ("host", "own"), [("localhost", True), ("127.9.9.9", True), ("[::1]", True), ("desk", False), ("10.0.0.1", False)]
)
def test_this_computer_is_known_by_its_names(host: str, own: bool) -> None:
    assert is_loopback(host) is own
