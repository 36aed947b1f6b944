"""What goes wrong at a browser: hostile texts, a megabyte pasted, server restarts, ended sessions, a wrong clock."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from deskbell_protocol.ids import new_id
from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.desk.wire import Wire
from tests.web.chromium import Person
from tests.web.conftest import PASSWORD, MakePerson

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "<b>bold</b> &amp; <a href='javascript:window.hacked=1'>x</a>",
    "javascript:window.hacked=1 data:text/html,<script>1</script> file:///etc/passwd",
    "{{7*7}} ${7*7} `x` </textarea></script>",
    "\u202egnirts desrever\u202c \u200b\u2066hidden",
    "![x](http://127.0.0.1:1/pixel.png) <img src=http://127.0.0.1:1/pixel.png>",
]
NOTHING_RAN = (
    "() => [window.hacked ?? null, document.querySelectorAll('.log script, .log img, .log svg, .log b').length]"
)
FILL = """() => {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
        try {
            for (let number = 0; ; number += 1) localStorage.setItem(`full.${size}.${number}`, "x".repeat(size));
        } catch { /* as many of this size as there is room for */ }
    }
}"""
"""The browser has no room for anything more."""
EMPTY = "for (const key of Object.keys(localStorage)) if (key.startsWith('full.')) localStorage.removeItem(key)"


def test_markup_is_text_everywhere(person: MakePerson, house: Server) -> None:
    house.command("user", "add", "eve", "--display", HOSTILE[1][:100], stdin=PASSWORD + "\n")
    house.command("group", "add", "@evil", "alex", "eve", "--display", HOSTILE[0])
    eve, alex = house.login("eve", PASSWORD, HOSTILE[0]), person("alex")
    for text in HOSTILE:
        house.publish(eve, "alex", body=text, title=text[:200])
        house.publish(eve, "@evil", body=text)
    alex.wait_for_unread(2 * len(HOSTILE))
    for index in range(2):
        alex.page.click(f".conversation >> nth={index}")
        alex.page.wait_for_selector(".log .bubble")
        assert alex.page.evaluate(NOTHING_RAN) == [None, 0]
    alex.open_conversation(HOSTILE[1])
    assert "\u202e" not in alex.page.inner_text(".log")
    assert HOSTILE[0] in alex.page.inner_text(".log")
    links = alex.page.evaluate("() => [...document.querySelectorAll('.log a')].map(a => a.href)")
    assert all(link.startswith(("http://", "https://")) for link in links)
    alex.page.fill("[type=search]", HOSTILE[0])
    alex.page.wait_for_selector(".conversation")
    assert alex.page.evaluate(NOTHING_RAN) == [None, 0]


def test_links_lead_where_they_say(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    body = (
        "see https://example.org/a_(b), http://user@evil.example/ and https://xn--pple-43d.com and https://аpple.com."
    )
    token, long = house.login("maria", PASSWORD), "https://example.org/" + "a" * 100
    house.publish(token, "alex", body=body)
    house.publish(token, "alex", body=f"{'x' * 3919} {long} and https://example.org/b")
    house.publish(token, "alex", body="🛎" * 4001)
    alex.wait_for_unread(3)
    alex.open_conversation("Maria Garcia")
    links = alex.page.evaluate(
        "() => [...document.querySelectorAll('.log a')].map(a => [a.innerText, a.href, a.rel, a.target])"
    )
    safe = ["noopener noreferrer nofollow", "_blank"]
    assert links == [
        ["https://example.org/a_(b)", "https://example.org/a_(b)", *safe],
        ["https://xn--pple-43d.com", "https://xn--pple-43d.com/", *safe],
        ["https://xn--pple-43d.com", "https://xn--pple-43d.com/", *safe],
        [long, long, *safe],
    ]
    assert "�" not in alex.page.inner_text(".log")


def test_a_megabyte_pasted_is_refused_in_words_and_what_was_typed_stays(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    alex.page.fill(".editor", "typed before")
    paste = (
        "size => { const data = new DataTransfer(); data.setData('text/plain', 'x'.repeat(size));"
        " return document.querySelector('.editor').dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: data, cancelable: true, bubbles: true})) }"
    )
    assert alex.page.evaluate(paste, 1 << 20) is False, "the browser must not put it in"
    expect(alex.page.locator(".write .problem")).to_contain_text("Too long to paste: 1024.0 KiB")
    assert alex.page.input_value(".editor") == "typed before"
    alex.page.fill(".editor", "é" * 9000)
    expect(alex.page.locator(".write .problem")).to_contain_text("Too long: 17.6 KiB")
    expect(alex.page.locator(".write [type=submit]")).to_be_disabled()
    for text, sent in (("\u3164\ufe0f \ue000", False), ("\u3164a", True)):
        alex.page.fill(".editor", text)
        expect(alex.page.locator(".write [type=submit]")).to_be_enabled(enabled=sent)


def test_a_server_that_restarts_while_one_types(person: MakePerson, house: Server) -> None:
    """The draft stays, the socket comes back by itself, and what was sent meanwhile is there once."""
    alex, maria = person("alex"), person("maria")
    maria.compose("alex", "first")
    alex.open_conversation("Maria Garcia")
    alex.page.fill(".editor", "half a sen")
    house.stop()
    alex.page.wait_for_selector(".side-foot .dot.bad")
    maria.reply("sent while it was away")
    expect(maria.page.locator("[data-cid]")).to_contain_text("Sending…")
    house.start()
    alex.wait_until_connected()
    maria.wait_until_connected()
    alex.wait_for_bodies("first", "sent while it was away")
    maria.wait_for_bodies("first", "sent while it was away")
    expect(maria.page.locator("[data-cid]")).to_have_count(0)
    assert alex.page.input_value(".editor") == "half a sen"
    alex.page.press(".editor", "End")
    alex.page.keyboard.type("tence")
    alex.page.keyboard.press("Control+Enter")
    maria.wait_for_bodies("first", "sent while it was away", "half a sentence")
    assert house.rows("SELECT count(*) FROM messages") == [(3,)]
    forgive_the_network(alex.complaints, maria.complaints)


def test_who_waits_for_the_connection_can_try_now(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    again = alex.page.get_by_role("button", name="Try now")
    expect(again).to_be_hidden()
    house.stop()
    expect(alex.page.locator(".side-foot")).to_contain_text("Waits for the connection")
    with alex.page.expect_request("**/web/*"):
        again.click()
    house.start()
    alex.wait_until_connected()
    expect(again).to_be_hidden()
    forgive_the_network(alex.complaints)


def test_what_waits_survives_a_closed_tab_and_goes_out_once(person: MakePerson, house: Server) -> None:
    alex, maria = person("alex"), house.login("maria", PASSWORD)
    house.publish(maria, "alex", body="before")
    alex.open_conversation("Maria Garcia")
    alex.page.wait_for_selector(".bubble")
    house.stop()
    alex.page.wait_for_selector(".side-foot .dot.bad")
    alex.reply("written offline")
    alex.page.close()
    house.start()
    alex.page = alex.open_tab()
    alex.go()
    alex.wait_until_connected()
    alex.open_conversation("Maria Garcia")
    alex.wait_for_bodies("before", "written offline")
    assert house.bodies_from(house.login("alex", PASSWORD)) == ["written offline"]
    forgive_the_network(alex.complaints)


def test_what_a_full_browser_cannot_keep_stays_in_the_box(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    house.publish(house.login("陈晓明", PASSWORD), "alex", body="hi")
    alex.page.evaluate(FILL)
    alex.open_conversation("陈晓明")
    alex.reply("does not fit")
    expect(alex.page.locator(".write .problem")).to_contain_text("this browser has no room left")
    alex.open_conversation("Maria Garcia")
    expect(alex.page.locator(".write .problem")).to_have_text("")
    alex.compose("陈", "does not fit either")
    expect(alex.page.locator(".compose > form > .problem").last).to_contain_text("this browser has no room left")
    assert alex.page.input_value(".compose textarea") == "does not fit either"
    assert house.bodies_from(house.login("alex", PASSWORD)) == []
    alex.page.evaluate(EMPTY)
    alex.page.press(".compose textarea", "Control+Enter")
    alex.wait_for_bodies("hi", "does not fit either")
    assert alex.page.input_value(".editor") == "does not fit"
    alex.page.press(".editor", "Control+Enter")
    alex.wait_for_bodies("hi", "does not fit either", "does not fit")
    wait_for(lambda: len(house.bodies_from(house.login("alex", PASSWORD))) == 2, "both to be stored")


def test_a_draft_makes_room_for_its_own_message(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    body = "long" * 1000
    alex.page.fill(".editor", "x" * 5000)
    alex.page.evaluate(FILL)
    alex.reply(body)
    alex.wait_for_bodies("hi", body)


def test_a_full_browser_sends_what_is_refused_only_once(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    lose_the_group(alex, house)
    house.stop()
    alex.page.wait_for_selector(".side-foot .dot.bad")
    alex.reply("to nobody")
    alex.page.evaluate(FILL)
    sent: list[str] = []
    alex.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    house.start()
    expect(alex.page.locator("[data-cid] [role=alert]")).to_contain_text("Not sent", timeout=20_000)
    assert len([frame for frame in sent if '"send"' in frame]) == 1
    forgive_the_network(alex.complaints)


def test_where_the_browser_keeps_nothing_messages_are_sent_all_the_same(person: MakePerson, house: Server) -> None:
    alex = person()
    alex.context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error(); } })")
    alex.sign_in("alex", PASSWORD)
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    house.stop()
    alex.page.wait_for_selector(".side-foot .dot.bad")
    alex.reply("kept in this page")
    expect(alex.page.locator("[data-cid]")).to_contain_text("Sending…")
    house.start()
    alex.wait_for_bodies("hi", "kept in this page")
    expect(alex.page.locator("[data-cid]")).to_have_count(0)
    forgive_the_network(alex.complaints)


def test_what_is_discarded_in_one_tab_is_gone_in_the_other(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    lose_the_group(alex, house)
    alex.reply("to nobody")
    other = alex.open_tab()
    other.goto(alex.page.url)
    other.wait_for_selector(".side-foot .dot.good")
    other.click("[data-cid] button:text-is('Try again')")
    for tab in (other, alex.page):
        expect(tab.locator("[data-cid] [role=alert]")).to_contain_text("Nobody here is called “@ops”.")
    alex.page.click("[data-cid] button:text-is('Discard')")
    for tab in (alex.page, other):
        expect(tab.locator("[data-cid]")).to_have_count(0)


def lose_the_group(alex: Person, house: Server) -> None:
    """A conversation with a group that is gone is open afterwards: what is written there is refused for good."""
    house.command("group", "add", "@ops", "alex", "maria", "--display", "Operations")
    house.publish(house.login("maria", PASSWORD), "@ops", body="last words")
    alex.open_conversation("Operations")
    house.command("group", "remove", "@ops")


def test_what_was_not_sent_stands_in_the_list_and_is_gone_to(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    lose_the_group(alex, house)
    house.publish(house.login("maria", PASSWORD), "alex", body="newer")
    alex.reply("to nobody")
    row = alex.page.locator(".conversation:has(.name bdi:text-is('Operations')) .last")
    expect(row).to_have_text("Not sent: to nobody")
    expect(row).to_have_class(re.compile(r"\bbad\b"))
    alex.open_conversation("Maria Garcia")
    alex.page.click(".side-foot button:text-is('1 message was not sent')")
    expect(alex.page.locator(".pane-head h1")).to_have_text("Operations")
    alex.page.click("button:text-is('Discard')")
    expect(row).to_have_text("Maria Garcia: last words")
    expect(alex.page.locator(".side-foot .bad.link")).to_be_hidden()


def test_what_another_tab_has_just_discarded_is_gone_to_no_more(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    lose_the_group(alex, house)
    alex.reply("to nobody")
    unsent = alex.page.locator(".side-foot .bad.link")
    expect(unsent).to_be_visible()
    alex.page.evaluate(
        "for (const name of Object.keys(localStorage)) if (/outbox/.test(name)) delete localStorage[name]"
    )
    unsent.click()
    expect(unsent).to_be_hidden()


@pytest.mark.parametrize("broken", ["{", "{}", "7", "null", "[null, 7, {}]"])
def test_what_the_browser_kept_and_nobody_can_read_is_no_end_of_the_page(
    person: MakePerson, house: Server, broken: str
) -> None:
    maria = person("maria")
    me = house.login("maria", PASSWORD).user["id"]
    house.publish(house.login("alex", PASSWORD), "@everyone", body="for all")
    maria.page.wait_for_selector(".conversation.unread")
    for name in (f"outbox.{me}", f"groups.{me}", f"draft.{me}.new to", "rang"):
        maria.page.evaluate("([name, value]) => localStorage.setItem(name, value)", [f"deskbell.{name}", broken])
    maria.page.evaluate("name => localStorage.setItem(name, 'Dear')", f"deskbell.draft.{me}.new")
    maria.page.reload()
    maria.wait_until_connected()
    maria.open_conversation("Everyone")
    maria.page.click("[aria-label='New message']")
    expect(maria.page.locator(".compose textarea")).to_have_value("Dear")
    expect(maria.page.locator(".tag")).to_have_count(0)


def test_a_conversation_that_has_only_what_waits_is_in_the_list_too(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    alex.choose("陈")
    house.command("user", "disable", "陈晓明")
    alex.page.fill(".compose textarea", "too late")
    alex.page.press(".compose textarea", "Control+Enter")
    expect(alex.page.locator("[data-cid] [role=alert]")).to_contain_text("Not sent")
    alex.page.reload()
    expect(alex.page.locator(".conversation .last")).to_have_text("Not sent: too late")


def test_what_the_server_has_forgotten_is_answered_where_it_came_from(person: MakePerson, house: Server) -> None:
    house.command("group", "add", "@ops", "alex", "maria", "--display", "Operations")
    maria, alex = house.login("maria", PASSWORD), person("alex")
    house.publish(maria, "alex", body="to you")
    house.publish(maria, "@ops", body="to the group")
    alex.compose("陈", "to one of you")
    alex.wait_for_unread(2)
    house.command("prune", "--keep", "0")
    assert house.rows("SELECT count(*) FROM messages") == [(0,)]
    for title in ("Maria Garcia", "Operations", "陈晓明"):
        alex.open_conversation(title)
        alex.reply(f"answer in {title}")
        alex.page.wait_for_selector(f".message.mine[data-id] .bubble:text-is('answer in {title}')")
    stored = house.ask("GET", "/api/v1/messages", token=house.login("alex", PASSWORD).token).body["events"]
    went = {event["data"]["body"]: [party["name"] for party in event["data"]["to"]] for event in stored}
    expected = {"Maria Garcia": ["maria"], "Operations": ["@ops"], "陈晓明": ["陈晓明"]}
    assert went == {f"answer in {title}": names for title, names in expected.items()}


def test_what_a_restored_server_has_lost_is_sent_again_and_what_is_too_old_is_not(
    person: MakePerson, house: Server, folder: Path
) -> None:
    alex = person("alex")
    me, maria = house.login("alex", PASSWORD), house.login("maria", PASSWORD)
    house.command("backup", str(folder / "backup"))
    now = int(time.time() * 1000)
    items = [
        {
            "cid": new_id(),
            "at": now - age_ms,
            "counted": now - age_ms,
            "conversation": maria.user["id"],
            "parties": [dict(maria.user)],
            "draft": {"to": ["maria"], "body": body},
            "problem": "",
            "stored": True,
        }
        for body, age_ms in (("confirmed before the restore", 60_000), ("eight days ago", 8 * 86_400_000))
    ]
    alex.page.evaluate(
        "([key, items]) => localStorage.setItem(key, items)", [f"deskbell.outbox.{me.user['id']}", json.dumps(items)]
    )
    house.command("restore", str(folder / "backup"), "--force")
    wait_for(lambda: house.rows("SELECT content ->> 'body' FROM messages"), "the message to be stored")
    alex.open_conversation("Maria Garcia")
    alex.page.wait_for_selector(".message.mine[data-id]")
    assert house.rows("SELECT content ->> 'body' FROM messages") == [("confirmed before the restore",)]


HOLD_FETCH = """
const real = fetch, held = new Promise((go) => { globalThis.go = go; });
globalThis.fetch = async (...what) => { await held; return real(...what); };
null
"""


def test_a_session_that_was_ended_elsewhere_asks_to_sign_in_and_keeps_the_draft(
    person: MakePerson, house: Server
) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    alex.page.fill(".editor", "not lost")
    alex.page.evaluate(HOLD_FETCH)
    (device,) = house.rows("SELECT id FROM devices WHERE revoked_at IS NULL AND name LIKE '%(Linux)'")[0]
    house.command("device", "revoke", str(device))
    expect(alex.page.locator("#app")).to_be_empty()  # at once, while the server is still asked who is here
    alex.page.evaluate("go()")
    expect(alex.page.locator(".card")).to_contain_text("nothing you wrote is lost", timeout=8000)
    alex.submit_name("alex", PASSWORD)
    alex.wait_until_connected()
    alex.page.wait_for_selector(".editor")
    assert alex.page.input_value(".editor") == "not lost"
    forgive_the_network(alex.complaints)


def test_an_inbox_that_was_signed_out_hears_nothing_more(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="unread")
    alex.wait_for_unread(1)
    before = listeners(alex)
    assert {"focus", "hashchange", "keydown", "online", "storage", "visibilitychange"} <= set(before)
    (device,) = house.rows("SELECT id FROM devices WHERE revoked_at IS NULL AND name LIKE '%(Linux)'")[0]
    house.command("device", "revoke", str(device))
    expect(alex.page.locator(".card")).to_be_visible()
    alex.page.evaluate(
        "new Promise(heard => { addEventListener('hashchange', heard, {once: true}); location.hash = 'x'; })"
    )
    assert alex.page.title() == "Deskbell"
    alex.submit_name("alex", PASSWORD)
    alex.wait_until_connected()
    alex.wait_for_unread(1)
    assert listeners(alex) == before
    forgive_the_network(alex.complaints)


def listeners(person: Person) -> list[str]:
    """What window and document listen for."""
    session = person.context.new_cdp_session(person.page)
    found: list[str] = []
    for name in ("window", "document"):
        target = session.send("Runtime.evaluate", {"expression": name})["result"]
        heard = session.send("DOMDebugger.getEventListeners", {"objectId": target["objectId"]})["listeners"]
        found += [listener["type"] for listener in heard]
    session.detach()
    return sorted(found)


def test_a_cookie_that_expired_while_one_typed_asks_to_sign_in_and_keeps_the_draft(
    person: MakePerson, house: Server
) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    alex.page.fill(".editor", "not lost")
    alex.context.clear_cookies()
    alex.page.reload()
    expect(alex.page.locator("h1")).to_have_text("Sign in to Deskbell")
    assert "hi" not in alex.page.inner_text("body").split()
    alex.submit_name("alex", PASSWORD)
    alex.wait_until_connected()
    alex.page.wait_for_selector(".editor")
    assert alex.page.input_value(".editor") == "not lost"


def test_the_conversation_in_the_address_opens_when_it_comes_only_with_the_sync(
    person: MakePerson, house: Server
) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    alex.context.clear_cookies()
    alex.page.reload()
    expect(alex.page.locator("h1")).to_have_text("Sign in to Deskbell")
    forget = "async () => { for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name); }"
    alex.page.evaluate(forget)
    alex.submit_name("alex", PASSWORD)
    alex.page.wait_for_selector(".editor")


@pytest.mark.parametrize("nonsense", ["#%", "#100%", "#%ff"])
def test_nonsense_in_the_address_opens_the_inbox_all_the_same(person: MakePerson, house: Server, nonsense: str) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="hi")
    alex.open_conversation("Maria Garcia")
    alex.page.evaluate("nonsense => { location.hash = nonsense; }", nonsense)
    alex.page.wait_for_selector(".editor", state="detached")
    alex.page.reload()
    alex.wait_until_connected()
    alex.open_conversation("Maria Garcia")
    alex.wait_for_bodies("hi")


def test_another_person_at_the_same_browser_sees_nothing_of_the_first(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="for alex alone")
    alex.wait_for_unread(1)
    other = alex.open_tab()
    other.goto(house.url)
    other.wait_for_selector(".side-foot .dot.good")
    other.evaluate("password => import('/web/js/io/http.js').then(http => http.signIn('陈晓明', password))", PASSWORD)
    alex.page.wait_for_function("() => document.body?.innerText.includes('Maria') === false")
    alex.wait_until_connected()
    assert "for alex alone" not in alex.page.inner_text("body")
    forgive_the_network(alex.complaints)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_off_by_a_day_changes_nothing_but_the_words(
    person: MakePerson, house: Server, days: int
) -> None:
    alex = person()
    alex.context.add_init_script(f"{{ const now = Date.now; Date.now = () => now() + {days} * 86400000; }}")
    alex.sign_in("alex", PASSWORD)
    for number in range(3):
        house.publish(house.login("maria", PASSWORD, f"device {number}"), "alex", body=f"in order {number}")
    alex.wait_for_unread(3)
    alex.open_conversation("Maria Garcia")
    alex.wait_for_bodies("in order 0", "in order 1", "in order 2")
    alex.reply("sent all the same")
    alex.page.wait_for_function("() => document.querySelectorAll('.message.mine[data-id]').length == 1")


def test_a_burst_of_a_thousand_ends_complete_and_in_order(person: MakePerson, house: Server) -> None:
    alex, maria = person("alex"), house.login("maria", PASSWORD)
    house.publish(maria, "alex", body="burst 0")
    alex.open_conversation("Maria Garcia")
    alex.page.evaluate(
        "() => { window.longest = 0; new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " window.longest = Math.max(window.longest, entry.duration); }).observe({entryTypes: ['longtask']}) }"
    )
    with Wire(house, maria) as wire:
        wire.send_all([{"cid": new_id(), "to": ["alex"], "body": f"burst {number}"} for number in range(1, 1000)])
    me = str(house.login("alex", PASSWORD).user["id"])
    everything = [f"burst {number}" for number in range(1000)]
    wait_for(lambda: len(alex.kept_bodies(me)) >= 1000, "all of them to be kept")
    assert alex.kept_bodies(me) == everything
    shown = alex.bodies()
    assert shown == everything[: len(shown)], "the view stays at the first unread one"
    alex.reply("the end")
    alex.page.wait_for_selector(".message.mine[data-id]")
    *shown, last = alex.bodies()
    assert last == "the end"
    assert shown == everything[-len(shown) :]
    assert alex.page.evaluate("() => window.longest") < 1000, "200 are promised, see benchmarks.web"


def forgive_the_network(*complaints: list[str]) -> None:
    """The browser itself writes down that a connection or a request failed; nothing else may stand there."""
    for said in complaints:
        rest = [text for text in said if not any(word in text for word in ("net::ERR", "status of 40", "WebSocket"))]
        assert rest == [], json.dumps(rest)
        said.clear()
