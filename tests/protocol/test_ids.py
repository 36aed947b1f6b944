"""Ids are UUIDv7: told apart without asking anybody, and sorted by their time."""

import uuid

from deskbell_protocol.ids import new_id, now_ms


def test_an_id_is_a_version_7_uuid_of_its_time() -> None:
    parsed = uuid.UUID(new_id(1_795_458_896_123))
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == 1_795_458_896_123


def test_ids_of_later_times_sort_later() -> None:
    assert new_id(1) < new_id(2) < new_id(1 << 40) < new_id((1 << 48) - 1)


def test_ids_of_one_moment_differ() -> None:
    at = now_ms()
    assert len({new_id(at) for _ in range(10_000)}) == 10_000
