"""A clock that never runs backwards and never jumps, and new ids: UUIDs of version 7, so that those of one moment land
beside each other.
"""

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from expediter.embedded.clock import LOOK, SLOWEST, SystemClock, new_id
from tests.support.clock import NOON
from tests.support.stage import DAY, HOUR, SECOND

#: Nanoseconds in a millisecond.
MS = 1_000_000


class Machine:
    """A machine whose clock somebody sets."""

    def __init__(self, at: int = NOON) -> None:
        self.wall, self.passed = at * MS, 0

    def clock(self, at_least: int = 0) -> SystemClock:
        return SystemClock(at_least, lambda: self.wall, lambda: self.passed)

    def run(self, milliseconds: int) -> None:
        self.wall += milliseconds * MS
        self.passed += milliseconds * MS


def test_a_clock_that_is_set_back_two_hours_keeps_a_hold_of_four_seconds_open_for_four_seconds() -> None:
    machine = Machine()
    clock = machine.clock()
    due = clock.now() + 4 * SECOND
    machine.wall -= 2 * HOUR * MS
    machine.run(3 * SECOND)
    assert clock.now() < due
    machine.run(SECOND + SECOND // 2)

    assert clock.now() >= due


def test_a_clock_that_is_set_forward_by_a_day_ends_no_lease_before_its_time() -> None:
    machine = Machine()
    clock = machine.clock()
    lease = clock.now() + 30 * SECOND
    machine.wall += DAY * MS
    machine.run(27 * SECOND)
    assert clock.now() < lease
    machine.run(3 * SECOND)

    assert clock.now() >= lease


def test_how_far_the_machine_s_clock_is_ahead_or_behind_is_known_from_the_start() -> None:
    machine = Machine()
    clock = machine.clock(at_least=NOON + HOUR)
    assert clock.machine_ahead() == -HOUR
    machine.wall += 3 * HOUR * MS
    assert clock.machine_ahead() == 2 * HOUR
    machine.run(HOUR)
    assert clock.machine_ahead() == 2 * HOUR - HOUR // SLOWEST


def test_what_people_read_is_right_again_after_a_while() -> None:
    machine = Machine()
    clock = machine.clock()
    for minutes in (-60, 45):
        machine.wall += minutes * 60 * SECOND * MS
        machine.run(11 * HOUR)

        assert clock.now() == machine.wall // MS


def test_a_small_correction_is_followed_at_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 5 * MS
    machine.run(SECOND)

    assert clock.now() == machine.wall // MS


def test_a_start_goes_on_from_what_was_seen_last_where_the_clock_was_set_back_meanwhile() -> None:
    machine = Machine(NOON)
    assert machine.clock(at_least=NOON + HOUR).now() == NOON + HOUR
    assert machine.clock(at_least=NOON - HOUR).now() == NOON


@given(st.lists(st.tuples(st.integers(0, 10 * HOUR), st.integers(-400 * DAY, 400 * DAY)), max_size=30))
def test_whatever_is_done_to_the_machines_clock_ours_goes_nearly_as_fast_as_time_passes(
    steps: list[tuple[int, int]],
) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    for passed, set_by in steps:
        machine.wall += set_by * MS
        machine.run(passed)
        now = clock.now()

        # What is made up for may have passed before the call: up to LOOK nobody looks at the machine's clock.
        assert abs(now - before - passed) <= (passed + LOOK // MS) // SLOWEST + 1
        before = now


def test_without_anybody_at_the_clock_it_is_the_machines() -> None:
    assert abs(SystemClock().now() - time.time_ns() // MS) <= SECOND


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
