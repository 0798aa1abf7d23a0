"""Traces told from a history: spans lie where their states and calls did, and have the same ids every time."""

from collections.abc import Sequence
from typing import Any

import pytest

from expediter.app.operator.traces import Sent, Span, order_trace, trace_id, traceparent
from expediter.asl import (
    AnyEvent,
    Execution,
    Redriven,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    TimerFired,
    advance,
    new_execution,
    parse,
)
from tests.support.clock import NOON
from tests.support.values import ID

TRACE = trace_id(ID) or ""


class Story:
    """Runs a workflow whose tasks answer in the order in which they were asked, a second each."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.machine = parse(definition)
        self.execution: Execution = new_execution()
        self.events: list[AnyEvent] = []
        self.now = NOON
        self.asked: list[ScheduleTask] = []
        self.timers: list[StartTimer] = []
        self._take(Started(at=NOON, seed=1, input={"order": {"id": ID, "created_at": NOON - 500}, "list": [1, 2]}))

    def _take(self, event: AnyEvent) -> None:
        self.events.append(event)
        self.execution, commands = advance(self.machine, self.execution, event)
        self.asked += [command for command in commands if isinstance(command, ScheduleTask)]
        self.timers += [command for command in commands if isinstance(command, StartTimer)]

    def answer(self, output: Any = None) -> None:
        self.now += 1000
        self._take(TaskSucceeded(at=self.now, seed=1, task=self.asked.pop(0).task, output=output))

    def fail(self, error: str) -> None:
        self.now += 1000
        self._take(TaskFailed(self.now, 1, self.asked.pop(0).task, error))

    def too_late(self) -> None:
        self.now += 1000
        self._take(TaskTimedOut(at=self.now, seed=1, task=self.asked.pop(0).task))

    def fire(self) -> None:
        timer = self.timers.pop(0)
        self.now = timer.at
        self._take(TimerFired(at=self.now, seed=1, timer=timer.timer))

    def redrive(self, state: str) -> None:
        self.now += 1000
        self._take(Redriven(self.now, 1, state, {}))

    def spans(self, mails: Sequence[Sent] = ()) -> list[Span]:
        return order_trace(TRACE, self.machine, self.events, mails, self.now, status="PAID")


def named(spans: list[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


def one(spans: list[Span], name: str) -> Span:
    (found,) = named(spans, name)
    return found


def a_task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": "ProcessPayment", **fields}


def single(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "Pay", "States": {"Pay": a_task(**{"End": True, **fields})}}


def test_an_order_s_id_is_its_trace_s_id() -> None:
    assert trace_id("01A206E5-3824-7c6c-8760-59ff598e9282") == "01a206e538247c6c876059ff598e9282"


@pytest.mark.parametrize("order_id", ["", "42", "00000000-0000-0000-0000-000000000000", "child:01a206e5"])
def test_what_is_no_uuid_has_no_trace(order_id: str) -> None:
    assert trace_id(order_id) is None


def test_the_root_begins_with_the_accept_and_ends_with_the_last_mail() -> None:
    story = Story(single())
    story.answer()
    spans = story.spans([Sent("SUCCESS", NOON + 1000, NOON + 1700), Sent("SUCCESS", NOON + 1000, NOON + 1200)])

    root = spans[0]
    assert (root.name, root.parent, root.start, root.end, root.error) == ("order", None, NOON - 500, NOON + 1700, None)
    assert (one(spans, "accept").start, one(spans, "accept").end) == (NOON - 500, NOON - 500)
    assert (one(spans, "queue").start, one(spans, "queue").end) == (NOON - 500, NOON)
    assert len({mail.id for mail in named(spans, "mail")}) == 2
    assert all(span.parent == root.id for span in spans[1:] if not span.name.startswith("call"))


def test_a_trace_is_the_same_every_time_it_is_made() -> None:
    story = Story(single())
    story.answer()

    assert story.spans() == story.spans()
    assert len({span.id for span in story.spans()}) == len(story.spans())


def test_a_call_s_header_names_its_span() -> None:
    story = Story(single())
    header = traceparent(TRACE, story.asked[0].task, sampled=True)
    story.answer()

    assert header == f"00-{TRACE}-{one(story.spans(), 'call ProcessPayment').id}-01"
    assert traceparent(TRACE, 1, sampled=False).endswith("-00")


def test_each_try_is_a_span_of_its_own_and_the_pause_between_them_is_not() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 7, "MaxAttempts": 2}]
    story = Story(single(Retry=retry))
    story.fail("PaymentUnavailable")
    story.fire()
    story.too_late()
    story.fire()
    story.answer()

    first, second, third = named(story.spans(), "call ProcessPayment")
    assert [it.error for it in (first, second, third)] == ["PaymentUnavailable", "States.Timeout", None]
    assert [it.attributes["expediter.attempt"] for it in (first, second, third)] == [0, 1, 2]
    assert second.start - first.end == 7000
    state = one(story.spans(), "Pay")
    assert {it.parent for it in (first, second, third)} == {state.id}
    assert (state.start, state.end) == (NOON, story.now)


def test_a_workflow_that_ended_in_an_error_is_a_trace_in_that_error() -> None:
    story = Story(single())
    story.fail("OrderChanged")

    spans = story.spans()
    assert (spans[0].error, spans[0].attributes) == (
        "OrderChanged",
        {"expediter.status": "PAID", "expediter.workflow": "FAILED"},
    )
    assert one(spans, "Pay").end == NOON + 1000


def test_a_task_that_asks_nobody_is_only_its_state() -> None:
    story = Story(single(Resource="InitializeOrder"))
    story.answer()

    assert [span.name for span in story.spans()] == ["order", "accept", "queue", "Pay"]


def test_what_a_parallel_state_runs_lies_below_it() -> None:
    branch = {"StartAt": "A", "States": {"A": a_task(Next="B"), "B": a_task(End=True)}}
    both = {"Type": "Parallel", "Branches": [single(), branch], "Next": "After"}
    story = Story({"StartAt": "Both", "States": {"Both": both, "After": a_task(End=True)}})
    for _ in range(4):
        story.answer()

    spans = story.spans()
    root, around = spans[0], one(spans, "Both")
    assert {one(spans, name).parent for name in ("Pay", "A", "B")} == {around.id}
    assert {around.parent, one(spans, "After").parent} == {root.id}
    calls = {call.parent for call in named(spans, "call ProcessPayment")}
    assert calls == {one(spans, name).id for name in ("Pay", "A", "B", "After")}
    assert around.end == NOON + 3000


def test_each_round_of_a_map_has_spans_of_its_own() -> None:
    rounds = {"Type": "Map", "ItemsPath": "$.list", "ItemProcessor": single(), "End": True}
    story = Story({"StartAt": "Each", "States": {"Each": rounds}})
    story.answer()
    story.answer()

    spans = story.spans()
    states, calls = named(spans, "Pay"), named(spans, "call ProcessPayment")
    assert {state.parent for state in states} == {one(spans, "Each").id}
    assert {call.parent for call in calls} == {state.id for state in states}
    assert sorted(state.end for state in states) == [NOON + 1000, NOON + 2000]


def test_what_was_under_way_when_it_ended_ends_with_it() -> None:
    other = {"StartAt": "Other", "States": {"Other": a_task(End=True)}}
    both = {"Type": "Parallel", "Branches": [single(), other], "End": True}
    story = Story({"StartAt": "Both", "States": {"Both": both}})
    story.fail("OrderChanged")

    assert {(span.name, span.end) for span in story.spans() if span.end != NOON + 1000} == {
        ("accept", NOON - 500),
        ("queue", NOON),
    }
    assert len(named(story.spans(), "call ProcessPayment")) == 2


def test_the_trace_of_a_redriven_workflow_goes_to_its_new_end() -> None:
    story = Story(single())
    story.fail("OrderChanged")
    before = {span.id for span in story.spans()}
    story.redrive("Pay")
    story.answer()

    spans = story.spans()
    assert (spans[0].error, spans[0].end) == (None, NOON + 3000)
    assert before <= {span.id for span in spans}
    assert len(named(spans, "Pay")) == 2
