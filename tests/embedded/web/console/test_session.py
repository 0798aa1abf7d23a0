"""Sessions at the console: in memory, for twelve hours, until somebody signs out."""

from expediter.embedded.web.console.session import LASTS, MOST_SESSIONS, ConsoleSessions, form_token, is_ours


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_twelve_hours_and_no_longer() -> None:
    clock = Clock()
    sessions = ConsoleSessions(clock)
    session, cookie = sessions.begin("Ada")
    clock.now = LASTS - 1
    assert sessions.find(cookie) == session
    clock.now = LASTS

    assert sessions.find(cookie) is None
    assert LASTS == 12 * 60 * 60


def test_the_cookie_of_an_ended_session_opens_nothing() -> None:
    sessions = ConsoleSessions(Clock())
    _, cookie = sessions.begin("Ada")
    sessions.end(cookie)
    sessions.end(cookie)

    assert sessions.find(cookie) is None


def test_an_invented_cookie_is_no_session() -> None:
    sessions = ConsoleSessions(Clock())
    sessions.begin("Ada")
    for cookie in ("", "x", "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJjb25zb2xlIn0.x"):
        assert sessions.find(cookie) is None


def test_no_two_sessions_are_the_same_and_the_oldest_makes_room() -> None:
    sessions = ConsoleSessions(Clock())
    cookies = [sessions.begin("Ada")[1] for _ in range(MOST_SESSIONS + 1)]

    assert len(set(cookies)) == len(cookies)
    assert sessions.find(cookies[0]) is None
    assert sessions.find(cookies[1])


def test_a_form_is_one_of_the_session_that_it_was_made_for() -> None:
    sessions = ConsoleSessions(Clock())
    (ada, _), (bob, _) = sessions.begin("Ada"), sessions.begin("Bob")

    assert is_ours(ada, form_token(ada))
    assert not is_ours(bob, form_token(ada))
    assert not any(is_ours(ada, token) for token in ("", ".", "a.b", "\udc80.x"))
