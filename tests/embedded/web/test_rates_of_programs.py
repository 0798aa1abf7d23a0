"""The plain token, and addresses where no token is needed: as much as one likes, until others ask and have to wait."""

from collections.abc import Callable

import pytest

from expediter.api.errors import TooManyRequests
from expediter.app.ports import Caller
from expediter.domain.errors import TooBusy
from expediter.embedded.web.shares import CROWDED, OF_PROGRAM, OF_USER, RESERVED, Shares
from tests.embedded.web.test_shares import Clock

ME, OTHER = "127.0.0.1", "127.0.0.2"
PLAIN, KEY = Caller(), Caller(name="shop (exp_1)")
ADA = Caller(user_id="Ada", operator=False)


class Server:
    """How much the server has to do."""

    room = 0.0
    contended = False

    def shares(self, clock: Clock, *, signs_in: bool = True) -> Shares:
        return Shares(clock, signs_in=signs_in, room_taken=lambda: self.room, contended=lambda: self.contended)


def refusal(call: Callable[..., object], *given: object) -> TooManyRequests:
    with pytest.raises(TooManyRequests) as error:
        call(*given)
    return error.value


def test_the_plain_token_alone_may_send_as_much_as_the_server_takes() -> None:
    server = Server()
    server.contended = True
    found = server.shares(Clock())
    for _ in range(5 * OF_PROGRAM):
        found.count(PLAIN, ME)


@pytest.mark.parametrize("signs_in", [True, False])
def test_while_others_ask_and_have_to_wait_one_caller_has_his_own_rate_and_no_more(signs_in: bool) -> None:
    server, clock = Server(), Clock()
    found = server.shares(clock, signs_in=signs_in)
    other = (KEY, ME) if signs_in else (PLAIN, OTHER)
    for _ in range(2 * OF_PROGRAM):
        found.count(PLAIN, ME)
    found.count(*other)
    found.count(PLAIN, ME)  # nobody has to wait
    server.contended = True
    assert refusal(found.count, PLAIN, ME).seconds == 1
    found.count(*other)
    clock.now = 0.5
    for _ in range(OF_PROGRAM // 2):
        found.count(PLAIN, ME)
    refusal(found.count, PLAIN, ME)
    clock.now = 2.5  # nobody else has asked for a second
    for _ in range(2 * OF_PROGRAM):
        found.count(PLAIN, ME)


def test_the_plain_token_is_one_caller_wherever_it_is_and_without_tokens_each_address_is_one() -> None:
    for signs_in, refused in ((True, True), (False, False)):
        server = Server()
        server.contended = True
        found = server.shares(Clock(), signs_in=signs_in)
        for _ in range(OF_PROGRAM):
            found.count(PLAIN, ME)
        found.count(KEY, "192.0.2.1")
        if refused:
            refusal(found.count, PLAIN, OTHER)
        else:
            found.count(PLAIN, OTHER)


@pytest.mark.parametrize("caller", [PLAIN, KEY])
def test_when_many_requests_wait_to_be_written_who_sends_most_is_refused_and_others_are_not(caller: Caller) -> None:
    server = Server()
    found = server.shares(Clock())
    for _ in range(OF_PROGRAM // 2 + 1):
        found.count(caller, ME)
    server.room = CROWDED
    found.count(Caller(name="quiet (exp_2)"), ME)
    refusal(found.count, caller, ME)
    found.count(ADA, ME)


@pytest.mark.parametrize("caller", [PLAIN, KEY])
def test_a_caller_that_is_alone_is_refused_only_when_the_places_for_others_are_left(caller: Caller) -> None:
    server = Server()
    found = server.shares(Clock())
    server.room = CROWDED
    for _ in range(OF_PROGRAM - 1):
        found.count(caller, ME)
    server.room = RESERVED
    refusal(found.count, caller, ME)


def test_the_last_places_are_for_programs_and_operators() -> None:
    server = Server()
    server.room = RESERVED
    found = server.shares(Clock())
    with pytest.raises(TooBusy):
        found.count(ADA, ME)
    found.count(KEY, ME)
    found.count(PLAIN, ME)


def test_reports_on_tasks_have_a_rate_of_their_own_by_address() -> None:
    found = Server().shares(Clock())
    for _ in range(OF_PROGRAM):
        found.count_reporter(ME)
    refusal(found.count_reporter, ME)
    found.count_reporter(OTHER)
    found.count(PLAIN, ME)


def test_reports_on_tasks_give_way_to_a_known_caller_that_is_alone() -> None:
    server = Server()
    found = server.shares(Clock())
    for _ in range(OF_PROGRAM // 2 + 1):
        found.count_reporter(ME)
        found.count(PLAIN, ME)
    server.room = CROWDED
    refusal(found.count_reporter, ME)
    found.count_reporter(OTHER)
    found.count(PLAIN, ME)


def test_a_user_is_bounded_whatever_there_is_to_do() -> None:
    found = Server().shares(Clock())
    for _ in range(OF_USER):
        found.count(ADA, ME)
    refusal(found.count, ADA, ME)
