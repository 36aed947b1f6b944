"""The admin page and its API: who may, what each act does, that it is written down, and on the command line too."""

import pytest
from playwright.sync_api import expect

from tests.desk.server import Server
from tests.web.chromium import Person
from tests.web.conftest import PASSWORD, MakePerson
from tests.web.test_sessions import Caller

OPTIONS = ("--diagnostics",)
ROUTES = [
    ("GET", "users"),
    ("POST", "users"),
    ("POST", "users/maria/link"),
    ("POST", "users/maria/disable"),
    ("POST", "users/maria/enable"),
    ("GET", "groups"),
    ("POST", "groups"),
    ("DELETE", "groups/@ops"),
    ("GET", "devices"),
    ("DELETE", "devices/x"),
    ("POST", "announce"),
    ("GET", "activity"),
]


def acts(house: Server) -> list[str]:
    return [str(action) for (action,) in house.rows("SELECT action FROM audit ORDER BY id")]


def test_only_a_confirmed_admin_gets_in(house: Server) -> None:
    stranger, maria, alex = Caller(house), Caller(house), Caller(house)
    marias = maria.sign_in("maria")
    assert maria.call("POST", "/admin/confirm", {"password": PASSWORD}, X_CSRF_Token=marias).status == 200
    csrf = alex.sign_in("alex")

    def outcomes(caller: Caller, token: str) -> list[int]:
        return [caller.call(method, f"/admin/api/{path}", {}, X_CSRF_Token=token).status for method, path in ROUTES]

    assert set(outcomes(stranger, "")) == {401}
    assert set(outcomes(maria, marias)) == {403}
    assert set(outcomes(alex, csrf)) == {401}
    wrong = alex.call("POST", "/admin/confirm", {"password": "wrong one"}, X_CSRF_Token=csrf)
    assert (wrong.status, wrong.cookies) == (401, {})
    confirmed = alex.call("POST", "/admin/confirm", {"password": PASSWORD}, X_CSRF_Token=csrf)
    assert "Path=/admin" in confirmed.cookies["deskbell_admin"]
    assert not {401, 403} & set(outcomes(alex, csrf))
    assert all(status == 403 for (method, _), status in zip(ROUTES, outcomes(alex, ""), strict=True) if method != "GET")


def test_a_confirmation_is_good_for_its_own_session_only(house: Server) -> None:
    first, second = Caller(house), Caller(house)
    csrf = first.sign_in("alex")
    first.call("POST", "/admin/confirm", {"password": PASSWORD}, X_CSRF_Token=csrf)
    second.sign_in("alex")
    second.cookies["deskbell_admin"] = first.cookies["deskbell_admin"]
    assert second.call("GET", "/admin/api/users").status == 401


@pytest.fixture
def admin(person: MakePerson) -> Person:
    alex = person("alex")
    alex.go("/admin")
    alex.page.fill("input[name=password]", PASSWORD)
    alex.page.click("button[type=submit]")
    alex.page.wait_for_selector("tr[data-name=alex]")
    alex.page.on("dialog", lambda dialog: dialog.accept())
    return alex


def test_a_person_is_added_chooses_a_password_by_link_and_is_disabled(
    admin: Person, person: MakePerson, house: Server
) -> None:
    admin.page.fill("input[name=name]", "新同事")
    admin.page.fill("input[name=display]", "新同事 <b>")
    admin.page.click(".line-form button")
    link = admin.page.input_value(".once input")
    newcomer = person()
    newcomer.page.goto(link)
    newcomer.page.fill("input[name=new]", "a good password")
    newcomer.page.fill("input[name=again]", "another password")
    newcomer.page.click("button[type=submit]")
    expect(newcomer.page.locator(".problem")).to_have_text("The two passwords differ.")
    newcomer.page.fill("input[name=again]", "a good password")
    newcomer.page.click("button[type=submit]")
    expect(newcomer.page.locator("h1")).to_have_text("Your password is set")
    newcomer.sign_in("新同事", "a good password")
    admin.page.reload()
    row = admin.page.locator("tr[data-name='新同事']")
    expect(row).to_contain_text("新同事 <b>")
    expect(row).to_contain_text("Online")
    row.locator("button:text('Disable')").click()
    expect(row).to_contain_text("Disabled")
    expect(newcomer.page.locator("h1")).to_have_text("Sign in to Deskbell", timeout=8000)
    row.locator("button:text('Enable')").click()
    expect(row.locator("button:text('Disable')")).to_be_visible()
    done = [act for act in acts(house) if act.startswith("user.")][-5:]
    assert set(done[:2]) == {"user.add", "user.link"}, "both at once, within a millisecond"
    assert done[2:] == ["user.passwd", "user.disable", "user.enable"]


def test_groups_are_made_changed_and_removed(admin: Person, house: Server) -> None:
    page = admin.page
    page.click("#tab-groups")
    page.fill("input[name=group]", "support")
    page.fill("input[name=display]", "Support team")
    page.fill("input[name=members]", "maria, 陈晓明")
    page.click("button:text('Make it')")
    group = page.locator("[data-group='@support']")
    expect(group.locator(".member")).to_have_count(2)
    group.locator("[aria-label='Remove maria']").click()
    expect(group.locator(".member")).to_have_count(1)
    group.locator("input[name=member]").fill("nobody-here")
    group.locator("button:text('Add')").click()
    expect(group.locator(".problem")).not_to_be_empty()
    admin.complaints.clear()  # the browser writes the refusal down
    assert "@support\tSupport team\t陈晓明" in house.command("group", "list")
    group.locator("button:text('Remove the group')").click()
    expect(group).to_have_count(0)
    assert acts(house)[-3:] == ["group.add", "group.remove", "group.remove"]


def test_devices_show_who_is_online_and_one_is_signed_out_at_once(
    admin: Person, person: MakePerson, house: Server
) -> None:
    maria = person("maria")
    house.login("陈晓明", PASSWORD, "offline phone")
    asked: list[str] = []
    admin.page.on("dialog", lambda dialog: asked.append(dialog.message))
    admin.page.click("#tab-devices")
    row = admin.page.locator("tr:has-text('maria')")
    expect(row).to_contain_text("Online")
    expect(admin.page.locator("tr:has-text('offline phone')")).not_to_contain_text("Online")
    row.locator("button").click()
    expect(maria.page.locator("h1")).to_have_text("Sign in to Deskbell", timeout=8000)
    expect(row).to_have_count(0)
    assert acts(house)[-1] == "device.revoke"
    admin.page.locator("tr:has-text('offline phone') button").click()
    expect(admin.page.locator("tr:has-text('offline phone')")).to_have_count(0)
    assert "offline phone" in asked[1]


def test_an_announcement_reaches_everybody_once(admin: Person, person: MakePerson, house: Server) -> None:
    maria = person("maria")
    admin.page.click("#tab-announce")
    admin.page.fill("textarea", "Fire drill at ten")
    admin.page.fill("input[name=title]", "Today")
    admin.page.select_option("select", "urgent")
    admin.page.click("button:text('Send to everyone')")
    expect(admin.page.locator("#panel [role=status]")).to_have_text("Sent to 2 people.")
    maria.wait_for_unread(1)
    maria.open_conversation("Everyone")
    assert "Fire drill at ten" in maria.bodies()[-1]
    expect(maria.page.locator(".message.urgent .meta")).to_contain_text("Urgent")
    assert acts(house).count("announce") == 1


def test_activity_names_who_did_what(admin: Person, house: Server) -> None:
    house.command("user", "link", "maria")
    admin.page.click("#tab-activity")
    first = admin.page.locator("tbody tr").first
    expect(first).to_contain_text("command line")
    expect(first).to_contain_text("made a password link for")
    expect(first).to_contain_text("maria")


def test_the_command_line_has_each_act_too(house: Server, person: MakePerson) -> None:
    maria = person("maria")
    assert house.command("announce", "--as", "alex", "from the terminal") == "Sent to 2.\n"
    maria.wait_for_unread(1)
    with pytest.raises(RuntimeError, match=r"forbidden|not allowed|may"):
        house.command("announce", "--as", "maria", "I may not")
    told = house.command("activity", "--limit", "1").split("\t")
    assert told[1:3] == ["command line", "announce"]
