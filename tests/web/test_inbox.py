"""The inbox in real browsers: told at once, read on one and so on all, answered, by mouse and by keyboard."""

import json

import pytest
from playwright.sync_api import Route, expect

from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.web.chromium import PHONE
from tests.web.conftest import PASSWORD, MakePerson

WATCHED = """
window.rung = [];
window.asked = 0;
const real = Notification;
window.Notification = class extends real {
  static requestPermission() { window.asked += 1; return real.requestPermission(); }
  constructor(title, options) {
    super(title, options);
    window.rung.push(this);
    for (const what of ["show", "close"]) this.addEventListener(what, () => { this[`${what}Seen`] = true; });
  }
};
"""
"""The browser's own notifications, and a list of them: nothing outside can press on one."""
PRESS = "number => window.rung[number].dispatchEvent(new Event('click'))"


def test_b_is_told_of_what_a_writes_without_reloading_and_reads_it(person: MakePerson, house: Server) -> None:
    maria, alex = person("maria"), person("alex")
    alex.page.evaluate("window.mark = 'not reloaded'")
    body = f"Hello from {maria.page.title()}"
    maria.compose("alex", body)
    alex.wait_for_unread(1)
    row = alex.page.locator(".conversation.unread")
    expect(row).to_contain_text("Maria Garcia")
    expect(row.locator(".badge")).to_contain_text("1 unread message")
    expect(alex.page.locator("#favicon")).to_have_attribute("href", "web/icons/unread-1.svg")
    row.click()
    assert alex.bodies()[-1] == body
    alex.wait_for_unread(0)
    expect(alex.page.locator("#favicon")).to_have_attribute("href", "web/icons/favicon.svg")
    alex.reply("Hello Maria")
    maria.page.wait_for_selector(".log .message:not(.mine) .bubble:text-is('Hello Maria')")
    expect(alex.page.locator(".message.mine .meta").last).to_contain_text("Sent")
    assert alex.page.evaluate("window.mark") == "not reloaded"


def test_read_on_one_is_read_on_all_within_two_seconds(person: MakePerson, house: Server) -> None:
    desk, phone = person("alex"), person("alex", viewport=PHONE)
    house.publish(house.login("maria", PASSWORD), "alex", body="One for all")
    desk.wait_for_unread(1)
    phone.wait_for_unread(1)
    phone.open_conversation("Maria Garcia")
    desk.wait_for_unread(0, timeout_ms=2000)
    assert desk.page.locator(".conversation.unread").count() == 0


def test_two_tabs_of_one_browser_show_and_send_everything_once(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="Into both tabs")
    alex.wait_for_unread(1)
    alex.open_conversation("Maria Garcia")
    other = alex.open_tab()
    other.goto(alex.page.url)
    other.wait_for_selector(".side-foot .dot.good")
    for number in range(3):
        tab = (alex.page, other)[number % 2]
        tab.fill(".editor", f"from tab {number}")
        tab.press(".editor", "Control+Enter")
    for tab in (alex.page, other):
        tab.wait_for_function(
            "() => [...document.querySelectorAll('.bubble')].filter(b => /from tab/.test(b.innerText)).length == 3"
        )
        expect(tab.locator("[data-cid]")).to_have_count(0)
    stored = house.rows("SELECT content ->> 'body' FROM messages WHERE content ->> 'body' LIKE 'from tab%' ORDER BY 1")
    assert stored == [("from tab 0",), ("from tab 1",), ("from tab 2",)]


def test_a_reload_shows_the_log_from_this_browser_and_asks_only_for_what_is_new(
    person: MakePerson, house: Server
) -> None:
    alex, maria = person("alex"), house.login("maria", PASSWORD)
    for number in range(5):
        house.publish(maria, "alex", body=f"kept {number}")
    alex.wait_for_unread(5)
    me = str(house.login("alex", PASSWORD).user["id"])
    wait_for(lambda: len(alex.kept_bodies(me)) >= 5, "all of them to be kept")
    asked: list[str] = []
    alex.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))))
    alex.page.reload()
    alex.wait_until_connected()
    alex.wait_for_unread(5)
    alex.page.wait_for_function("() => document.querySelectorAll('.conversation').length > 0")
    syncs = [json.loads(frame[frame.index("[") :])[1] for frame in asked if '"sync"' in frame]
    assert syncs
    assert syncs[0]["after"] >= 5
    assert syncs[0]["epoch"] is not None


def test_where_one_may_not_write_there_is_no_box_but_a_way_to_answer_alone(person: MakePerson, house: Server) -> None:
    maria, alex = person("maria"), house.login("alex", PASSWORD)
    box, why = maria.page.locator(".editor"), maria.page.get_by_text("Only administrators write to everyone.")
    house.publish(alex, "@everyone", body="The office closes at 16:00.")
    maria.open_conversation("Everyone")
    expect(why).to_be_visible()
    expect(box).to_be_hidden()
    maria.page.click("button:text-is('Answer Alex Kim privately')")
    maria.page.keyboard.type("Even on Monday?")
    maria.page.keyboard.press("Control+Enter")
    maria.page.wait_for_selector(".message.mine[data-id]")
    assert house.rows("SELECT content ->> 'body' FROM views WHERE user_id = ? AND unread = 1", alex.user["id"]) == [
        ("Even on Monday?",)
    ]
    house.command("group", "add", "@everyone", "maria")
    maria.open_conversation("Everyone")
    expect(box).to_be_visible()
    house.command("group", "remove", "@everyone", "maria")
    maria.reply("Thank you all")
    expect(maria.page.locator("[data-cid] [role=alert]")).to_have_text(
        "Not sent. Only administrators write to everyone."
    )
    expect(box).to_be_hidden()
    expect(why.first).to_be_visible()


def test_group_everyone_and_several_people(person: MakePerson, house: Server) -> None:
    house.command("group", "add", "@ops", "alex", "maria", "--display", "Operations")
    alex, maria, chen = person("alex"), person("maria"), person("陈晓明")
    alex.compose("ops", "to the group")
    maria.wait_for_unread(1)
    maria.open_conversation("Operations")
    assert maria.bodies()[-1].endswith("to the group")
    maria.reply("back to the group")
    alex.page.wait_for_selector(".bubble:has-text('back to the group')")
    assert chen.unread() == 0
    alex.compose("everyone", "to everyone")
    chen.wait_for_unread(1)
    chen.open_conversation("Everyone")
    alex.page.click("[aria-label='New message']")
    for name in ("maria", "陈"):
        alex.choose(name)
    alex.page.fill(".compose textarea", "to both of you")
    alex.page.click(".compose button[type=submit]")
    alex.page.wait_for_selector(".pane-head h1:text-is('Maria Garcia')")
    chen.wait_for_unread(1)
    chen.open_conversation("Alex Kim")
    assert chen.bodies()[-1] == "to both of you"


def test_what_was_begun_for_somebody_comes_back_with_the_name_and_is_nobody_elses(
    person: MakePerson, house: Server
) -> None:
    maria, text, new = person("maria"), ".compose textarea", "[aria-label='New message']"
    house.publish(house.login("alex", PASSWORD), "@everyone", body="for all")
    maria.page.click(new)
    maria.choose("陈")
    maria.page.fill(text, "for you alone")
    maria.page.reload()
    maria.open_conversation("Everyone")
    maria.page.click("button:text-is('Answer Alex Kim privately')")
    expect(maria.page.locator(text)).to_have_value("")
    maria.page.click(new)
    expect(maria.page.locator(text)).to_have_value("for you alone")
    expect(maria.page.locator(".tag bdi")).to_have_text("陈晓明")
    maria.page.press(text, "Control+Enter")
    wait_for(
        lambda: house.rows("SELECT content ->> 'body' FROM messages WHERE content ->> 'body' LIKE 'for you%'"),
        "it to be sent",
    )
    maria.page.click(new)
    expect(maria.page.locator(".tag")).to_have_count(0)


def test_a_message_that_gets_another_name_leaves_nothing_with_the_first(person: MakePerson, house: Server) -> None:
    maria, text, new = person("maria"), ".compose textarea", "[aria-label='New message']"
    answer = "button:text-is('Answer Alex Kim privately')"
    house.publish(house.login("alex", PASSWORD), "@everyone", body="for all")
    maria.open_conversation("Everyone")
    maria.page.click(answer)
    maria.page.fill(text, "rather for you")
    maria.page.click(".tag button")
    maria.choose("陈")
    maria.page.reload()
    maria.open_conversation("Everyone")
    maria.page.click(answer)
    expect(maria.page.locator(text)).to_have_value("")
    maria.page.click(new)
    expect(maria.page.locator(text)).to_have_value("rather for you")
    expect(maria.page.locator(".tag bdi")).to_have_text("陈晓明")


def test_a_name_without_a_word_is_not_kept(person: MakePerson) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    alex.choose("陈")
    alex.page.click("button:text-is('Cancel')")
    alex.page.click("[aria-label='New message']")
    expect(alex.page.locator(".tag")).to_have_count(0)
    expect(alex.page.locator("#to")).to_be_focused()


def test_enter_takes_nobody_whom_other_letters_have_found(person: MakePerson) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    alex.page.fill("#to", "陈")
    alex.page.wait_for_selector("#people li[aria-selected=true]")
    alex.page.fill("#to", "mar")
    alex.page.press("#to", "Enter")
    expect(alex.page.locator(".tag bdi")).to_have_text("Maria Garcia")


def test_an_unknown_recipient_is_said_in_place(person: MakePerson) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    alex.page.fill("#to", "nobody-here")
    alex.page.fill(".compose textarea", "lost")
    alex.page.press(".compose textarea", "Control+Enter")
    expect(alex.page.locator(".compose [role=alert]").last).to_have_text("Nobody of that name is known here.")
    assert alex.page.input_value(".compose textarea") == "lost"


def test_a_wrong_password_is_corrected_by_typing(person: MakePerson, house: Server) -> None:
    alex = person()
    alex.go()
    alex.submit_name("alex", "wrong")
    expect(alex.page.locator("[role=alert]")).to_have_text("That name and password do not match.")
    alex.page.keyboard.type(PASSWORD)
    alex.page.keyboard.press("Enter")
    alex.wait_until_connected()
    alex.complaints.clear()


def test_nobody_is_proposed_to_write_to_themselves(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    alex.page.click("[aria-label='New message']")
    alex.page.keyboard.type("a")
    names = alex.page.locator("#people li .soft bdi")
    expect(names.filter(has_text="maria")).to_have_count(1)
    assert "alex" not in names.all_inner_texts()


def test_notifications_are_asked_for_by_a_button_only_and_a_click_opens_that_message(
    person: MakePerson, house: Server
) -> None:
    alex, maria = person(), house.login("maria", PASSWORD)
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    house.publish(maria, "alex", body="before it was allowed")
    alex.page.wait_for_selector(".conversation.unread")
    assert alex.page.evaluate("[Notification.permission, window.asked, window.rung.length]") == ["default", 0, 0]
    alex.page.click("[aria-label=Menu]")
    alex.context.grant_permissions(["notifications"], origin=house.url)  # the answer to the question that comes now
    alex.page.click("[data-act=notify]")
    expect(alex.page.locator("[data-act=notify]")).to_have_text("Turn off notifications")
    assert alex.page.evaluate("[window.asked, window.rung.length]") == [1, 0]
    alex.page.keyboard.press("Escape")
    first = house.publish(maria, "alex", body="<b>this</b> one", title="A title")
    alex.page.wait_for_function("() => window.rung[0]?.showSeen")
    second = house.publish(house.login("陈晓明", PASSWORD), "alex", body="another one")
    alex.page.wait_for_function("() => window.rung[1]?.showSeen")
    shown = alex.page.evaluate("window.rung.map(n => [n.title, n.body])")
    assert shown == [["Maria Garcia", "A title <b>this</b> one"], ["陈晓明", "another one"]]
    for number, message in enumerate((first, second)):
        alex.page.evaluate(PRESS, number)
        expect(alex.page.locator(".message.found")).to_have_attribute("data-id", message)
        alex.page.wait_for_function("number => window.rung[number].closeSeen", arg=number)
        alex.wait_for_unread(1 - number)


def test_notifications_are_turned_off_again(person: MakePerson, house: Server) -> None:
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    alex.page.click("[aria-label=Menu]")
    alex.page.click("[data-act=notify]")
    expect(alex.page.locator("[data-act=notify]")).to_have_text("Turn on notifications")
    alex.page.keyboard.press("Escape")
    house.publish(house.login("maria", PASSWORD), "alex", body="quietly")
    alex.wait_for_unread(1)
    assert alex.page.evaluate("[window.asked, window.rung.length]") == [0, 0]


def test_read_elsewhere_withdraws_the_notification(person: MakePerson, house: Server) -> None:
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    elsewhere = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="read me elsewhere")
    alex.page.wait_for_function("() => window.rung[0]?.showSeen")
    elsewhere.open_conversation("Maria Garcia")
    alex.page.wait_for_function("() => window.rung[0].closeSeen", timeout=8000)


def test_a_notification_says_what_is_important_and_what_is_urgent(person: MakePerson, house: Server) -> None:
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    maria = house.login("maria", PASSWORD)
    for number, priority in enumerate(("high", "urgent", "low")):
        house.publish(maria, "alex", body="x", priority=priority)
        alex.page.wait_for_function("number => window.rung.length > number", arg=number)
    titles = ["Important: Maria Garcia", "Urgent: Maria Garcia", "Maria Garcia"]
    assert alex.page.evaluate("window.rung.map(({ title }) => title)") == titles


def test_a_burst_makes_few_notifications(person: MakePerson, house: Server) -> None:
    alex, maria = person(permissions=["notifications"]), house.login("maria", PASSWORD)
    alex.context.add_init_script(WATCHED)
    alex.sign_in("alex", PASSWORD)
    for number in range(60):
        house.publish(maria, "alex", body=f"burst {number}")
    alex.wait_for_unread(60)
    alex.page.wait_for_function("() => window.rung.length > 0")
    tags = alex.page.evaluate("new Set(window.rung.map(n => n.tag)).size")
    assert tags == 2, "one for the conversation, one that gathers the rest"


def test_of_two_tabs_one_rings_also_when_two_messages_come_together(person: MakePerson) -> None:
    alex = person(permissions=["notifications"])
    alex.context.add_init_script(WATCHED)
    alex.go()
    rung = alex.page.evaluate(
        """async () => {
            const { Ringer } = await import("/web/js/inbox/ring.js");
            const place = { user: "alex", epoch: "first" };
            const tabs = [new Ringer(() => place), new Ringer(() => place)];
            const [from, to] = [{ name: "maria" }, [{ name: "alex", kind: "person" }]];
            const ring = (tab, seq) => {
                const body = `${place.epoch} ${seq}`;
                return tab.ring({ from, to, title: "", id: body, seq, body, conversation: "maria" });
            };
            for (const tab of tabs) for (const seq of [5, 6]) await ring(tab, seq);
            place.epoch = "restored";
            for (const tab of tabs) await ring(tab, 3);
            return window.rung.map((notification) => notification.body);
        }"""
    )
    assert rung == ["first 5", "first 6", "restored 3"]


def test_drafts_are_kept_over_a_reload_and_belong_to_their_conversation(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="m")
    house.publish(house.login("陈晓明", PASSWORD), "alex", body="c")
    alex.wait_for_unread(2)
    alex.open_conversation("Maria Garcia")
    alex.page.fill(".editor", "half a sentence")
    alex.open_conversation("陈晓明")
    assert alex.page.input_value(".editor") == ""
    expect(alex.page.locator(".conversation:has-text('Maria')")).to_contain_text("Draft: half a sentence")
    alex.page.reload()
    alex.open_conversation("Maria Garcia")
    assert alex.page.input_value(".editor") == "half a sentence"


def test_search_finds_words_and_two_chinese_characters(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    wanted = house.publish(house.login("陈晓明", PASSWORD), "alex", body="下午看一下文档")
    house.publish(house.login("maria", PASSWORD), "alex", body="nothing of that")
    alex.page.wait_for_selector(".conversation:has-text('Maria')")
    alex.page.fill("[type=search]", "文档")
    expect(alex.page.locator(".conversation")).to_have_count(1)
    alex.page.click(".conversation")
    expect(alex.page.locator(".message.found")).to_have_attribute("data-id", wanted)
    alex.page.fill("[type=search]", "no such words")
    expect(alex.page.locator(".quiet")).to_contain_text("Nothing found")


def test_search_shows_every_hit_in_two_groups_and_goes_there_by_keyboard(person: MakePerson, house: Server) -> None:
    house.command("group", "add", "@disks", "alex", "maria", "--display", "Disks")
    maria, alex = house.login("maria", PASSWORD), person("alex")
    first = house.publish(maria, "alex", body=f"{'x ' * 100}the ＤＩＳＫ is full{' y' * 100}")
    house.publish(maria, "@disks", body="another disk", title="Of the group")
    for number in range(40):
        house.publish(maria, "alex", body=f"something else {number}")
    alex.wait_for_unread(42)
    alex.page.fill("[type=search]", "disk")
    expect(alex.page.locator(".found-head")).to_have_text(["People", "Messages"])
    expect(alex.page.locator(".conversation .name")).to_have_text(["Disks", "Disks", "Maria Garcia"])
    expect(alex.page.locator(".conversation mark")).to_have_text(["Disk", "disk", "ＤＩＳＫ"])
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        alex.page.keyboard.press(key)
    expect(alex.page.locator(".message.found")).to_have_attribute("data-id", first)
    alex.page.wait_for_function("() => document.title !== '(42) Deskbell'")
    assert alex.unread() > 20, "only what is in view there is read"
    alex.page.focus(".conversation >> nth=0")
    alex.page.keyboard.press("Escape")
    assert alex.page.input_value("[type=search]") == ""
    expect(alex.page.locator(".conversation[aria-current]")).to_contain_text("Maria Garcia")


@pytest.mark.parametrize(("locale", "signed_out"), [("en-GB", "Sign in to Deskbell"), ("zh-CN", "登录 Deskbell")])
def test_signing_out_leaves_nothing_of_the_person_in_the_browser(
    person: MakePerson, locale: str, signed_out: str
) -> None:
    alex = person("alex", locale=locale)
    alex.compose("maria", "a secret") if locale.startswith("en") else None
    alex.page.locator(".side-foot .icon").click()
    alex.page.click("[data-act=signout]")
    expect(alex.page.locator("h1")).to_have_text(signed_out)
    assert alex.page.evaluate("indexedDB.databases()") == []
    kept = alex.page.evaluate("Object.keys(localStorage)")
    assert [key for key in kept if "draft" in key or "outbox" in key] == []
    assert [cookie["name"] for cookie in alex.context.cookies() if cookie["value"]] == ["deskbell_known"]


def test_whoever_signs_out_is_not_told_to_have_been_signed_out(person: MakePerson) -> None:
    alex = person("alex")
    told: list[int] = []

    def late(route: Route) -> None:
        answer = route.fetch()
        alex.page.wait_for_timeout(700)  # the socket knows of it by now
        told.append(alex.page.get_by_text("You were signed out").count())
        route.fulfill(response=answer)

    alex.page.route("**/web/logout", late)
    alex.page.click("[aria-label=Menu]")
    alex.page.click("[data-act=signout]")
    expect(alex.page.locator("h1")).to_have_text("Sign in to Deskbell")
    assert told == [0]
    expect(alex.page.get_by_text("You were signed out")).to_have_count(0)


def test_theme_and_language_are_chosen_and_kept(person: MakePerson) -> None:
    alex = person("alex", color_scheme="light")
    alex.page.click("[aria-label=Menu]")
    alex.page.select_option(".menu select >> nth=0", "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert alex.page.evaluate(ground) == "rgb(23, 22, 20)"
    alex.page.select_option(".menu select >> nth=1", "zh-CN")
    alex.page.wait_for_selector("html[lang=zh-CN]")
    alex.wait_until_connected()
    assert alex.page.evaluate(ground) == "rgb(23, 22, 20)"
    expect(alex.page.locator("[type=search]")).to_have_attribute("placeholder", "搜索消息")


def test_on_a_phone_one_side_is_seen_at_a_time_and_nothing_sticks_out(person: MakePerson, house: Server) -> None:
    alex = person("alex", viewport=PHONE, has_touch=True, is_mobile=True)
    house.publish(house.login("maria", PASSWORD), "alex", body="https://example.org/" + "long" * 200)
    alex.wait_for_unread(1)
    alex.open_conversation("Maria Garcia")
    expect(alex.page.locator(".side")).to_be_hidden()
    assert alex.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    alex.page.click(".pane-head .back")
    expect(alex.page.locator(".side")).to_be_visible()
    expect(alex.page.locator(".pane")).to_be_hidden()


def test_everything_is_reached_by_keyboard(person: MakePerson, house: Server) -> None:
    alex = person("alex")
    house.publish(house.login("maria", PASSWORD), "alex", body="by keyboard")
    alex.wait_for_unread(1)
    alex.page.focus("[type=search]")
    reached: set[str] = set()
    for _ in range(12):
        alex.page.keyboard.press("Tab")
        name = alex.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.className"
        )
        reached.add(str(name))
        if "conversation" in str(name):
            alex.page.keyboard.press("Enter")
            break
    assert "New message" in reached
    alex.page.wait_for_selector(".editor:focus")
    alex.page.keyboard.type("answered by keyboard")
    alex.page.keyboard.press("Control+Enter")
    alex.page.wait_for_selector(".message.mine .bubble:has-text('answered by keyboard')")
