"""Read is what stood in view of a page that has the focus; nothing above or below it, nor while one looks elsewhere."""

import pytest
from playwright.sync_api import Page, expect

from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.web.chromium import PHONE, WIDE, Person
from tests.web.conftest import PASSWORD, MakePerson
from tests.web.test_inbox import PRESS, WATCHED

IN_VIEW = """() => {
    const view = document.querySelector('.log').getBoundingClientRect();
    return [...document.querySelectorAll('.log [data-id]:not(.mine) .bubble')].filter(bubble => {
        const { top, bottom } = bubble.getBoundingClientRect();
        return top >= view.top - 1 && bottom <= view.bottom + 1;
    }).map(bubble => bubble.innerText);
}"""
"""Bodies of what can be read without scrolling; a line that is cut by less than a pixel can."""
BELOW_THE_LINE = "() => document.querySelector('.new-line')?.nextElementSibling?.querySelector('.bubble').innerText"


class Maria:
    """Writes to Alex, numbers."""

    def __init__(self, house: Server) -> None:
        self.house = house
        self.login = house.login("maria", PASSWORD)
        self.written = 0

    def write(self, count: int = 1, **more: object) -> list[str]:
        numbers = range(self.written, self.written + count)
        self.written += count
        return [self.house.publish(self.login, "alex", body=str(number), **more) for number in numbers]


@pytest.fixture
def maria(house: Server) -> Maria:
    return Maria(house)


@pytest.fixture
def alex(person: MakePerson, house: Server) -> Person:
    """Stands at the end of a conversation that is longer than the view; all of it is read."""
    house.publish(house.login("alex", PASSWORD), "maria", body="line\n" * 58 + "the end")
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    alex.open_conversation("Maria Garcia")
    alex.page.wait_for_selector(".log .bubble:has-text('the end')")
    return alex


def read_bodies(house: Server) -> list[str]:
    rows = house.rows(
        "SELECT content ->> 'body' FROM views WHERE kind = 'message' AND NOT unread AND NOT mine ORDER BY seq"
    )
    return [body for (body,) in rows]


def wait_until_read(house: Server, *bodies: str) -> None:
    wait_for(lambda: read_bodies(house) == list(bodies), f"just {bodies} to be read")


def look_away(alex: Person) -> Page:
    """Another tab gets the focus; that tab. (Playwright pretends that each has it until told otherwise.)"""
    session = alex.context.new_cdp_session(alex.page)
    session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    other = alex.open_tab()
    other.bring_to_front()
    alex.page.wait_for_function("() => !document.hasFocus()")
    return other


def scroll_up(alex: Person) -> None:
    alex.page.evaluate("document.querySelector('.log').scrollTop = 0")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_conversation_opens_at_the_first_unread_message_and_only_what_is_in_view_is_read(
    person: MakePerson, house: Server, maria: Maria, viewport: dict[str, int]
) -> None:
    alex = person("alex", viewport=viewport)
    maria.write(40)
    alex.wait_for_unread(40)
    alex.open_conversation("Maria Garcia")
    wait_for(lambda: read_bodies(house), "something to be read")
    in_view = alex.page.evaluate(IN_VIEW)
    assert in_view[0] == "0"
    wait_until_read(house, *in_view)
    expect(alex.page.locator(".new-line")).to_have_text("New")
    rest = 40 - len(in_view)
    assert rest > 10
    alex.wait_for_unread(rest)
    expect(alex.page.locator(".newer")).to_have_text(f"↓ {rest} new")
    alex.page.click(".newer")
    wait_for(lambda: str(len(in_view)) in read_bodies(house), "the next ones to be read")
    alex.page.focus(".log")
    alex.page.keyboard.press("End")
    wait_for(lambda: "39" in read_bodies(house), "the last one to be read")
    assert alex.page.evaluate(BELOW_THE_LINE) == "0", "the line stays until the conversation is left"
    expect(alex.page.locator(".newer")).to_be_hidden()


def test_of_hundreds_of_unread_ones_those_around_the_first_are_shown(
    person: MakePerson, house: Server, maria: Maria
) -> None:
    house.publish_at_once(maria.login, [{"to": ["alex"], "body": f"{number}"} for number in range(300)])
    alex = person("alex")
    alex.wait_for_unread(300)
    alex.open_conversation("Maria Garcia")
    wait_for(lambda: read_bodies(house), "something to be read")
    assert alex.page.locator(".log .bubble").count() < 100
    before = alex.page.evaluate(IN_VIEW)
    for _ in range(5):
        alex.page.click(".newer")
    assert not set(alex.page.evaluate(IN_VIEW)) & set(before)
    alex.reply("an answer goes to the end")
    alex.page.wait_for_selector(".message.mine[data-id] .bubble:text-is('an answer goes to the end')")
    assert len(read_bodies(house)) < 150


def test_scrolled_up_a_message_counts_and_makes_no_notification_but_an_urgent_one_rings(
    alex: Person, house: Server, maria: Maria
) -> None:
    scroll_up(alex)
    maria.write()
    alex.wait_for_unread(1)
    expect(alex.page.locator(".newer")).to_have_text("↓ 1 new")
    expect(alex.page.locator(".conversation .badge")).to_contain_text("1 unread message")
    maria.write(priority="urgent")
    alex.page.wait_for_function("() => window.rung.length > 0")
    assert alex.page.evaluate("window.rung.map(n => n.body)") == ["1"]
    assert read_bodies(house) == []
    alex.page.click(".newer")
    wait_until_read(house, "0", "1")
    maria.write(priority="urgent")
    wait_until_read(house, "0", "1", "2")
    assert alex.page.evaluate("window.rung.length") == 1, "that very message was in view"


def test_what_comes_while_one_looks_elsewhere_is_unread_until_one_is_back(
    alex: Person, house: Server, maria: Maria
) -> None:
    other = look_away(alex)
    maria.write(60)
    alex.wait_for_unread(60)
    alex.page.wait_for_function("() => document.querySelector('.newer').innerText")
    assert alex.page.evaluate(BELOW_THE_LINE) == "0"
    in_view = alex.page.evaluate(IN_VIEW)
    assert in_view[0] == "0", "a burst leaves the view at the first unread one"
    assert read_bodies(house) == []
    other.close()
    alex.page.bring_to_front()
    wait_until_read(house, *in_view)
    alex.wait_for_unread(60 - len(in_view))


def test_a_burst_does_not_push_what_is_unread_out_of_view(alex: Person, house: Server, maria: Maria) -> None:
    house.publish_at_once(maria.login, [{"to": ["alex"], "body": f"{number}"} for number in range(100)])
    alex.page.wait_for_selector(".newer:visible")
    newer = alex.page.locator(".newer")
    wait_for(lambda: newer.inner_text() == f"↓ {100 - len(read_bodies(house))} new", "what was in view to be read")
    alex.wait_for_unread(100 - len(read_bodies(house)))
    assert alex.unread() > 50


def test_answering_reads_nothing_that_was_not_in_view(alex: Person, house: Server, maria: Maria) -> None:
    scroll_up(alex)
    maria.write(40)
    alex.wait_for_unread(40)
    alex.reply("an answer")
    expect(alex.page.locator(".message.mine[data-id] .bubble:text-is('an answer')")).to_be_in_viewport(ratio=1)
    # the topmost is held in view until it is read, and may then be cut
    wait_for(
        lambda: alex.page.evaluate(IN_VIEW) in (read_bodies(house), read_bodies(house)[1:]), "only the end to be read"
    )
    wait_for(lambda: alex.unread() == 40 - len(read_bodies(house)), "the others to be counted")
    assert 5 < len(read_bodies(house)) < 10


def test_a_click_on_a_notification_reads_that_message_and_what_is_around_it_only(
    alex: Person, house: Server, maria: Maria
) -> None:
    alex.page.click("[aria-label='New message']")
    first, *_ = maria.write(60)
    alex.page.wait_for_function("() => window.rung[0]?.showSeen")
    alex.wait_for_unread(60)
    assert read_bodies(house) == [], "the conversation is chosen, but a new message is being written"
    alex.page.evaluate(PRESS, 0)
    expect(alex.page.locator(".message.found")).to_have_attribute("data-id", first)
    wait_until_read(house, *alex.page.evaluate(IN_VIEW))


def test_of_two_tabs_only_the_one_that_is_looked_at_reads_and_the_other_leaves_the_ringing_to_it(
    alex: Person, house: Server, maria: Maria
) -> None:
    other = look_away(alex)
    other.goto(house.url)
    other.wait_for_selector(".side-foot .dot.good")
    maria.write()
    other.wait_for_function("() => window.rung.length === 1")
    other.click(".conversation")
    wait_until_read(house, "0")
    for number in (1, 2, 3):
        maria.write()
        wait_until_read(house, *map(str, range(number + 1)))
    assert [tab.evaluate("window.rung.length") for tab in (alex.page, other)] == [0, 1]


def test_a_message_taller_than_the_view_is_read_when_it_fills_half_of_it(
    alex: Person, house: Server, maria: Maria
) -> None:
    house.publish(maria.login, "alex", body="\n".join(map(str, range(55))))
    house.publish(maria.login, "alex", body="after it")
    wait_for(lambda: len(read_bodies(house)) == 1, "the tall one to be read")
    alex.wait_for_unread(1)
    alex.page.click(".newer")
    wait_for(lambda: len(read_bodies(house)) == 2, "what stands under it to be read")
