"""New ids: UUIDs of version 7, so that those of one moment land beside each other."""

import time
import uuid

from expediter.embedded.clock import new_id


def test_a_new_id_is_a_uuid_of_version_7_that_begins_with_the_time() -> None:
    earliest = time.time_ns() // 1_000_000
    text = new_id()
    latest = time.time_ns() // 1_000_000
    found = uuid.UUID(text)
    assert str(found) == text
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert earliest <= found.int >> 80 <= latest


def test_no_two_new_ids_are_the_same() -> None:
    assert len({new_id() for _ in range(1_000)}) == 1_000
