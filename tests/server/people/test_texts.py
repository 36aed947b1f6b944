"""Names and texts: what is accepted, what is refused, and that the refusal names the character."""

import pytest

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Party
from deskbell_server.errors import RefusedError
from deskbell_server.people import texts
from tests.texts import SEEN


@pytest.mark.parametrize("name", ["maria", "Maria.Garcia", "陈晓明", "a", "x" * 64, "o-o_o", "हिन्दी", "7"])
def test_good_names(name: str) -> None:
    assert texts.clean_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "x" * 65, "@ops", "a b", "a\u202eb", "a\u200db", "a/b", "a<b", "\x00", "tab\t", "🔔", "a@b", "a\n"),
        *("bob\ufe0f", "b\u034fob", "\u1160", "\u3164", "\u05d0a", "\ufb01", "x\u00b2"),
    ],
)
def test_bad_names(name: str) -> None:
    with pytest.raises(RefusedError) as refused:
        texts.clean_name(name)
    assert refused.value.code is Code.INVALID


def test_names_are_composed_and_compared_without_case() -> None:
    assert texts.clean_name("Jose\u0301") == "José"
    assert texts.folded("JOSE\u0301") == texts.folded("josé")
    assert texts.folded("STRASSE") == texts.folded("straße")
    assert texts.clean_name("\uff42\uff4f\uff42") == "bob"
    assert texts.folded("\uff22\uff2f\uff22") == texts.folded("bob")


def test_what_is_no_name_is_like_nobody_else() -> None:
    assert texts.folded("bob\ufe0f") != "bob"
    assert texts.folded("bob\u0301\ufe0f") == texts.folded("BOB\u0301\ufe0f")


@pytest.mark.parametrize("char", "\u200b\u200e\u202e\u2028\u2029\u2066\ufeff\xad\u061c")
def test_a_line_hides_nothing_and_turns_nothing_round(char: str) -> None:
    with pytest.raises(RefusedError, match=f"^display: the character U\\+{ord(char):04X} is not allowed"):
        texts.clean_line("display", f"Maria{char}Garcia")


@pytest.mark.parametrize(
    "line", ["👩\u200d👧 at work", "❤\ufe0f", "\u0645\u06cc\u200c\u062e", "\U0001f3f4\U000e0067\U000e007f"]
)
def test_a_line_keeps_what_holds_letters_and_emoji_together(line: str) -> None:
    assert texts.clean_line("display", line) == line


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\ud800"])
def test_a_control_character_is_named(char: str) -> None:
    with pytest.raises(RefusedError, match=f"U\\+{ord(char):04X}"):
        texts.check_body(f"a{char}b")


@pytest.mark.parametrize(
    "body",
    ["a\nb\tc\r", "<b>", "\u202ertl", "简体中文", "👩‍👩‍👧", "<img src=file:///etc/passwd>", "x" * limits.BODY_BYTES],
)
def test_everything_else_is_kept_as_it_is(body: str) -> None:
    texts.check_body(body)


@pytest.mark.parametrize("name", SEEN)
def test_what_cannot_be_seen_is_no_message(name: str) -> None:
    body, seen = SEEN[name]
    if seen:
        texts.check_body(body)
    else:
        with pytest.raises(RefusedError, match=r"seen|not allowed"):
            texts.check_body(body)


@pytest.mark.parametrize("name", [name for name, (_text, seen) in SEEN.items() if not seen])
def test_what_cannot_be_seen_is_no_name(name: str) -> None:
    for char in SEEN[name][0]:
        with pytest.raises(RefusedError, match=r"^name: "):
            texts.clean_name(f"maria{char}")


@pytest.mark.parametrize("line", [" ", "\u3164", "\ufe0f\u200b", "\ue000"])
def test_a_line_of_which_nothing_can_be_seen_is_none(line: str) -> None:
    assert texts.clean_line("display", line) == ""
    assert Party("u1", "maria", line).label == "maria"


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("a b", "a space"),
        ("a\n", "a line break"),
        ("a\t", "a tab"),
        ("a/b", "the character “/”"),
        ("a\u202eb", r"U\+202E"),
    ],
)
def test_a_name_that_is_refused_says_by_which_character(name: str, named: str) -> None:
    with pytest.raises(RefusedError, match=f"^name: .*{named}"):
        texts.clean_name(name)


def test_a_line_names_its_field() -> None:
    with pytest.raises(RefusedError, match=r"^device: must be one line"):
        texts.clean_line("device", "a\nb")


@pytest.mark.parametrize("body", ["x" * (limits.BODY_BYTES + 1), "文" * (limits.BODY_BYTES // 3 + 1)])
def test_a_body_is_measured_in_bytes(body: str) -> None:
    with pytest.raises(RefusedError) as refused:
        texts.check_body(body)
    assert refused.value.code is Code.TOO_LARGE


@pytest.mark.parametrize(("password", "good"), [("1234567", False), ("12345678", True), ("x" * 1025, False)])
def test_passwords_have_a_length(password: str, good: bool) -> None:
    if good:
        texts.check_password(password)
    else:
        with pytest.raises(RefusedError):
            texts.check_password(password)
