"""PostgreSQL that hangs: everybody is told in time, what was refused is not stored, and it heals by itself."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from deskbell_protocol.ids import new_id
from tests.desk.processes import wait_for
from tests.torture.databases import PostgresHouse, Records
from tests.torture.site import Site

BOUND_S = 7.0
"""Five are promised; the rest is for a busy machine."""


@pytest.mark.timeout(180)
def test_a_postgresql_that_hangs_is_said_in_time_and_loses_nothing(postgres_site: Site, house: PostgresHouse) -> None:
    server = postgres_site.serve()
    desk = postgres_site.sit_down("desk", server)
    postgres_site.wait_for(desk, postgres_site.publish(server)[1]["id"], 20)
    house.service.pause(True)
    keys = [new_id() for _ in range(8)]
    began = time.monotonic()
    with ThreadPoolExecutor(8) as scripts:
        answers = list(scripts.map(lambda key: postgres_site.publish(server, key), keys))
    assert time.monotonic() - began <= BOUND_S
    assert {status for status, _ in answers} <= {503, 500}, "500 for those whose commit was under way"
    wait_for(lambda: time.monotonic() - began > BOUND_S, "a while in which it hangs")
    house.service.pause(False)
    healed = time.monotonic()
    wait_for(lambda: postgres_site.publish(server)[0] == 201, "a publish to succeed", 15)
    assert time.monotonic() - healed <= BOUND_S
    stored = {line.mark for line in Records(house).log(postgres_site.staff.people["alice"].id)}
    refused = {key for key, (status, _) in zip(keys, answers, strict=True) if status == 503}
    assert not stored & refused, "503 says that nothing was stored"
    again = [postgres_site.publish(server, key)[1] for key in keys]
    for answer in again:
        postgres_site.wait_for(desk, answer["id"], 20)
    assert len({row[1] for row in desk.messages()}) == len(desk.messages())
    assert "disconnected" not in (desk.folder / "program.log").read_text()


def test_a_server_ends_although_its_postgresql_hangs(postgres_site: Site, house: PostgresHouse) -> None:
    server = postgres_site.serve()
    assert postgres_site.publish(server)[0] == 201
    house.service.pause(True)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began <= 12
