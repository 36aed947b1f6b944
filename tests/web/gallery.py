"""Pictures of every page, both themes and languages, and at a phone's width: `python -m tests.web.gallery FOLDER`."""

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.desk.server import Login, Server
from tests.web.chromium import CONNECTED, PHONE, WIDE, Person, running_browser

PASSWORD = "correct horse"
PEOPLE = {"maria": "Maria Garcia", "陈晓明": "陈晓明", "grafana": "Grafana", "ana": "Ana Souza", "alex": "Alex Kim"}
SETUP_LINK = re.compile(r"http://\S+/setup\?secret=\S+")
FACTS = "[data-fact=state].good"


def furnish(server: Server) -> None:
    """People who have written to each other, so that there is something to see. The server runs afterwards."""
    server.add_user("alex", PASSWORD, "--display", PEOPLE["alex"], "--admin")
    others = {name: display for name, display in PEOPLE.items() if name != "alex"}
    server.add_users(others, PASSWORD)
    server.command("group", "add", "@ops", "alex", "ana", "maria", "--display", "Operations")
    server.command("group", "add", "@everyone", "ana")
    server.start()
    who: dict[str, Login] = {name: server.login(name, PASSWORD, "the desk") for name in PEOPLE}
    alex = who["alex"]
    server.publish(alex, "@everyone", body="The office closes at 16:00 on Friday.", title="Friday")
    server.add_user("newcomer", PASSWORD)  # afterwards, so that nothing has come for them yet
    server.publish(who["ana"], "@ops", body="deploy is through")
    server.publish(who["maria"], "@ops", body="Thanks! I’ll watch the graphs.")
    server.publish(who["grafana"], "alex", body="Disk on db-2 is 91 % full", title="db-2", priority="high")
    server.publish(who["陈晓明"], "alex", body="下午能看一下这份文档吗？\nhttps://example.org/文档")
    server.publish(alex, "陈晓明", body="好的，我下午看一下")
    server.publish(who["maria"], "alex", body="Hi! Lunch at 12:30? The menu is at https://example.org/menu.")
    server.publish(
        alex, "maria", body='Yes, see you there. Could you look at this before?\n\ndeskbell send @ops "db-2"'
    )
    server.publish(who["maria"], "alex", body="Shall we ship it now?")


def signed_in(person: Person) -> None:
    """At the inbox, as Alex; signs in where that has not been done."""
    person.go()
    person.page.wait_for_selector(f"{CONNECTED}, input[name=name]", state="attached", timeout=20_000)
    if person.page.locator("input[name=name]").count():
        person.sign_in("alex", PASSWORD)


def inbox(person: Person) -> None:
    signed_in(person)
    person.open_conversation("Maria Garcia")
    person.page.wait_for_selector(".log .bubble")


def conversation_list(person: Person) -> None:
    signed_in(person)


def unread(person: Person) -> None:
    """Where the first unread message begins, and that there are more below."""
    ana = person.server.login("ana", PASSWORD, "the desk")
    for number in range(16):
        person.server.publish(ana, "alex", body=f"Build {number} is through: 构建 {number} 已完成")
    signed_in(person)
    person.open_conversation("Ana Souza")
    person.page.wait_for_selector(".newer:visible")


def search(person: Person) -> None:
    signed_in(person)
    person.page.fill("[type=search]", "gra")
    person.page.wait_for_selector(".found-head")


def chinese_conversation(person: Person) -> None:
    signed_in(person)
    person.open_conversation("陈晓明")
    person.page.fill(".editor", "文档写得很好，我加了两条意见。")


def group(person: Person) -> None:
    signed_in(person)
    person.open_conversation("Operations")


def compose(person: Person) -> None:
    signed_in(person)
    person.page.locator(".side-head .icon").click()
    person.page.keyboard.type("a")
    person.page.wait_for_selector("#people li")


def menu(person: Person) -> None:
    signed_in(person)
    person.page.locator(".side-foot .icon").click()


def offline(person: Person) -> None:
    inbox(person)
    person.page.evaluate("window.dispatchEvent(new Event('offline'))")
    person.server.stop()
    person.page.wait_for_selector(".side-foot .dot.bad", state="attached")
    person.page.fill(".editor", "This waits until the server is back.")
    person.page.press(".editor", "Control+Enter")
    person.page.wait_for_selector("[data-cid]")


def sign_in(person: Person) -> None:
    signed_in(person)
    person.page.locator(".side-foot .icon").click()
    person.page.click("[data-act=signout]")
    person.submit_name("maria", "wrong")
    person.page.wait_for_selector(".problem:not(:empty)")


def password(person: Person) -> None:
    link = person.server.command("user", "link", "maria").split()[-1]
    person.go(link)
    person.page.wait_for_selector("input[name=new]")


def diagnostics(person: Person) -> None:
    signed_in(person)
    person.go("/diagnostics")
    person.page.wait_for_selector(FACTS)
    for form in ("named", "args", "ack", "room", "error", "callback"):
        person.page.click(f"[data-form={form}] button")
    person.page.click("[data-do=ping]")
    person.page.wait_for_function("() => document.querySelectorAll('.lines .line').length > 14")


def confirmation(person: Person) -> None:
    signed_in(person)
    person.go("/admin")
    person.page.wait_for_selector("input[name=password]")


def administration(tab: str) -> Callable[[Person], None]:
    def show(person: Person) -> None:
        signed_in(person)
        person.go("/admin")
        person.page.wait_for_selector("input[name=password], [role=tablist]")
        if person.page.locator("input[name=password]").count():
            person.page.fill("input[name=password]", PASSWORD)
            person.page.click("button[type=submit]")
        person.page.click(f"#tab-{tab}")
        person.page.wait_for_selector(f"#panel[aria-labelledby=tab-{tab}] .panel")
        if tab == "users":
            person.page.click("tr[data-name=maria] .acts .button >> nth=0")
            person.page.wait_for_selector(".said")
        person.page.wait_for_load_state("networkidle")

    return show


def first_start(person: Person) -> None:
    """On a server of its own, where nobody has an account yet; the second password is mistyped."""
    with tempfile.TemporaryDirectory(prefix="deskbell-first-") as name, Server(Path(name)) as fresh:
        fresh.start()
        found = fresh.process.wait_until(lambda: SETUP_LINK.search(fresh.process.log.read_text()), "the link")
        assert found
        person.page.goto(found[0])
        person.page.wait_for_selector("form")
        for field, value in {"name": "alex", "display": "Alex Kim", "password": PASSWORD, "again": "mistyped"}.items():
            person.page.fill(f"input[name={field}]", value)
        person.page.click("button[type=submit]")
        person.page.wait_for_selector("[role=alert]")


def empty(person: Person) -> None:
    person.go().sign_out()
    person.sign_in("newcomer", PASSWORD)


SCENES: dict[str, Callable[[Person], None]] = {
    "sign-in": sign_in,
    "list": conversation_list,
    "inbox": inbox,
    "unread": unread,
    "search": search,
    "chinese": chinese_conversation,
    "group": group,
    "compose": compose,
    "menu": menu,
    "empty": empty,
    "password": password,
    "first-start": first_start,
    "diagnostics": diagnostics,
    "admin-confirm": confirmation,
    **{f"admin-{tab}": administration(tab) for tab in ("users", "groups", "devices", "announce", "activity")},
    "offline": offline,  # the last: it stops the server
}


def take(browser: Browser, server: Server, out: Path, wanted: list[str]) -> None:
    for name, scene in SCENES.items():
        if wanted and name not in wanted:
            continue
        for look, options in looks().items():
            if not server.is_up():
                server.start()
            person = Person(browser, server, reduced_motion="reduce", **options)
            scene(person)
            whole = name.startswith(("admin", "diagnostics"))
            person.page.screenshot(path=out / f"{name}-{look}.png", full_page=whole)
            if not server.is_up():
                server.start()
            person.leave()
    server.stop()


def looks() -> dict[str, dict[str, Any]]:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    return {
        "light-en": {"viewport": WIDE, "color_scheme": "light", "locale": "en-GB"},
        "dark-zh": {"viewport": WIDE, "color_scheme": "dark", "locale": "zh-CN"},
        "dark-en": {"viewport": WIDE, "color_scheme": "dark", "locale": "en-GB"},
        "light-zh": {"viewport": WIDE, "color_scheme": "light", "locale": "zh-CN"},
        "phone-light-zh": {**phone, "color_scheme": "light", "locale": "zh-CN"},
        "phone-dark-en": {**phone, "color_scheme": "dark", "locale": "en-GB"},
    }


def main(out: Path, wanted: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="deskbell-gallery-") as name,
        running_browser() as browser,
        Server(Path(name), "--diagnostics", "--publish-rate", "0") as server,
    ):
        furnish(server)
        take(browser, server, out, wanted)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
