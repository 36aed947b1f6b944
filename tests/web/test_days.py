"""Times on the page follow midnight and the time zone while it is open."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.desk.server import Server
from tests.web.conftest import PASSWORD, MakePerson


@pytest.mark.parametrize(("locale", "days"), [("en-GB", ["Today", "Yesterday"]), ("zh-CN", ["今天", "昨天"])])
def test_midnight_and_another_time_zone_are_followed(
    person: MakePerson, house: Server, locale: str, days: list[str]
) -> None:
    house.publish(house.login("maria", PASSWORD), "alex", body="late in the evening")
    alex = person(locale=locale)
    session = alex.context.new_cdp_session(alex.page)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
    alex.page.clock.install(time=datetime.now(UTC))
    alex.sign_in("alex", PASSWORD)
    alex.open_conversation("Maria Garcia")
    heading, clock = alex.page.locator(".log .day"), alex.page.locator(".log time")
    expect(heading).to_have_text(days[0])
    here = clock.inner_text()
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kathmandu"})
    alex.page.clock.run_for(11_000)
    there = (datetime.strptime(here, "%H:%M") + timedelta(hours=5, minutes=45)).strftime("%H:%M")
    expect(clock).to_have_text(there)
    expect(alex.page.locator(".conversation time")).to_have_text(there)
    alex.page.clock.fast_forward("24:00:00")
    expect(heading).to_have_text(days[1])
    expect(alex.page.locator(".conversation time")).not_to_have_text(there)
