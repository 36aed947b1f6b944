"""Each field of a message in the browser: shown when it comes, and sent as it waits there."""

import json

import pytest
from playwright.sync_api import expect

from deskbell_protocol.wire import Content
from tests.desk.processes import wait_for
from tests.desk.server import Server
from tests.desk.whole import CONTENT, FIELDS
from tests.web.conftest import PASSWORD, MakePerson

SHOWN = {
    "body": f".bubble:has-text('{CONTENT.body.splitlines()[0]}'):has-text('{CONTENT.body.splitlines()[1]}')",
    "title": f".bubble .title:text-is('{CONTENT.title}')",
    "priority": ".message.urgent .meta:has-text('Urgent')",
    "url": f".bubble a:has-text('{CONTENT.url}')",
}
WAITS = """([user, item]) => {
    const all = { waited: 0, counted: Date.now(), at: Date.now(), problem: "", ...item };
    localStorage.setItem(`deskbell.outbox.${user}`, JSON.stringify([all]));
}"""


@pytest.mark.parametrize("field", Content.__struct_fields__)
def test_every_field_is_shown(field: str, person: MakePerson, house: Server) -> None:
    house.publish(house.login("maria", PASSWORD), "alex", **FIELDS)
    alex = person("alex")
    alex.open_conversation("Maria Garcia")
    expect(alex.page.locator(SHOWN[field])).to_be_visible()


def test_every_field_of_what_waits_is_sent(person: MakePerson, house: Server) -> None:
    maria = house.login("maria", PASSWORD).user
    alex = person("alex")
    item = {"cid": "c1", "conversation": maria["id"], "parties": [maria], "draft": {"to": ["maria"], **FIELDS}}
    alex.page.evaluate(WAITS, [house.login("alex", PASSWORD).user["id"], item])
    alex.page.reload()
    ((content,),) = wait_for(lambda: house.rows("SELECT content FROM messages"), "it to be sent")
    assert json.loads(content) == FIELDS
